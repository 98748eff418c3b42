"""The prepared store of betas on disk: its files, seals and state."""
