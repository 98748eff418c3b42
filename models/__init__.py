"""Decoders of brain responses in PyTorch; works without the app."""
