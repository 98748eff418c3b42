"""From published THINGS-fMRI files to arrays a model can take."""
