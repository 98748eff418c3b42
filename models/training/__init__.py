"""Fit a network: batches, losses, optimizers, checkpoints, resuming."""
