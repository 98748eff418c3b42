"""Regions of the brain: atlas, ROIs, parcels, smoothing."""
