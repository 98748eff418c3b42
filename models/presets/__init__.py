"""Named recipes that a form or a command offers."""
