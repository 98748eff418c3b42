"""Who runs what, where and when: queue, processes, limits, SLURM, messages."""
