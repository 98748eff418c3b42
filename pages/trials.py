"""Trials: one showing of one picture: the picture, its ratings, the brain's response."""

from thingsviz.ui.frame import open_page

page = open_page(
    "Trials",
    "Step through single trials: the picture, its ratings, how the brain responded.",
)
