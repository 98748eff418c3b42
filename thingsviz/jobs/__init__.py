"""Job folders, and the commands that run as processes of their own."""
