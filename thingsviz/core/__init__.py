"""What every room shares: errors, trial keys, space."""
