"""Figures of learning curves and studies."""
