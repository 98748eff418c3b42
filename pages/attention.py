"""Attention: where a decoder looks in the brain, and whether that means anything."""

from thingsviz.ui.attention.page import show_job
from thingsviz.ui.scores import predictions_view
from thingsviz.ui.shell.frame import guard, open_page

page = open_page(
    "Attention",
    "See where a decoder looks in the brain, in which regions, and whether that means anything.",
)
with guard():
    job = predictions_view.pick_job(page)
    if job is not None:
        show_job(page, job)
