"""What a model is given of the trials: splits, labels, standardised responses."""
