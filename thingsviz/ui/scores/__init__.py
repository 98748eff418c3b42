"""Every score on a page, with the strip that says what it is worth."""
