"""Tune: let a study find better settings, and see whether it was worth its cost."""

from thingsviz.ui.shell.frame import guard, open_page
from thingsviz.ui.tune import page as tune

page = open_page(
    "Tune",
    "Search for better settings of a decoder, and see whether the search was worth its cost.",
)
with guard():
    tune.show_tune(page)
