"""The form that starts a training, and the training as it goes."""
