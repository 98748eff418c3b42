"""From published files to a store: plan, read, check, publish."""
