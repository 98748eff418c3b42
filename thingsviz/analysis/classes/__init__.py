"""Scores of decoded concepts: hits, chance, limits."""
