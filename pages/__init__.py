"""The pages, one a file, named as its user names it."""
