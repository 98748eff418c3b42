"""Searches for better settings, kept by Optuna so that no candidate is lost or run twice."""
