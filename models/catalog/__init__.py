"""Every family of decoders by name: its settings class and what builds it."""
