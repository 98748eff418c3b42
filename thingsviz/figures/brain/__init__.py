"""Slices, surfaces and volumes of the brain."""
