"""Figures of scores, ratings and comparisons."""
