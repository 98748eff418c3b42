"""Scores over training size, epochs and models."""
