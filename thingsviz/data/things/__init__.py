"""The published layout of THINGS-fMRI: file names, tables, ratings, categories."""
