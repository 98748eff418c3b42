"""Scores of decoded ratings beside their references."""
