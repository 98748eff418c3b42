"""The pipeline where concepts are decoded."""
