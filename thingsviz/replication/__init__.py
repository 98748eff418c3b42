"""The replicated study: its plan, its runs, its document."""
