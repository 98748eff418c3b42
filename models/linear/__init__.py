"""Linear decoders of ratings: ridge, banded ridge, encoding inversion, the mean."""
