"""Style, lettering and files that all figures share."""
