"""Decoders in a subspace of the responses: principal axes, Wiener filters, spatial noise."""
