"""Lists, filters and summaries by which a page chooses jobs."""
