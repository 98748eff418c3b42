"""Maps of attention and importance as files, and what they are held against."""
