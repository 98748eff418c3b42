"""What pages load once and share: datasets, trials, jobs."""
