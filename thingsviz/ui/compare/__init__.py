"""The Compare page, and 'Replicate the original study'."""
