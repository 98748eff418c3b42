"""Decoders of the concept: networks on voxels, projections, discriminants, identification."""
