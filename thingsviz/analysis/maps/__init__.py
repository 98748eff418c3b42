"""Maps of importance as numbers: by region, against truth, against chance."""
