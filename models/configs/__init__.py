"""One module a family of architectures: its settings, their bounds and their words."""
