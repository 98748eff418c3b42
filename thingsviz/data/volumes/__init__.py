"""Volumes on disk: NIfTI, gzip, masks."""
