"""Attention mechanisms, one a module."""
