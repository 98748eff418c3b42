"""Which trial is looked at, and what the visitor sees of it."""
