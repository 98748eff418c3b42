"""Who runs what, where and when: queue, places, limits, SLURM, and what is said meanwhile."""
