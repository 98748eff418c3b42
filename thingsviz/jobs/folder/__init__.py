"""What a job is on disk: its recipe, its folder, its files, and the list of all of them."""
