"""Pure functions on arrays: scores, nulls, ceilings."""
