"""Attention maps and attributions of a network."""
