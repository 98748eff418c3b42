"""What a training does between its recipe and its scores."""
