"""One training on several devices or processes."""
