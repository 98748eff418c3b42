"""The pipeline where ratings are decoded."""
