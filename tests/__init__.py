"""Mirrors the rooms of the source."""
