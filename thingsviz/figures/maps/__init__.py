"""Figures of importance maps and their tests."""
