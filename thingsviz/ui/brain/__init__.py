"""Slices and surfaces of the brain, drawn beside the app."""
