"""The Compare page, and 'The report, again'."""
