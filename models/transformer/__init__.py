"""Transformers on patches of the brain: ViT3D, CNN + ViT."""
