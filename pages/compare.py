"""Compare: two or more trainings on the same test trials, with a paired test."""

from thingsviz.ui import (
    again_view,
    compare,
    compare_choice,
    compare_cost,
    compare_export,
    compare_tests,
    compare_trials,
)
from thingsviz.ui.frame import guard, open_page

page = open_page(
    "Compare",
    "Put trainings of this subject side by side, on the same test trials, and see whether they "
    "differ by more than chance.",
    without_data=True,
)
with guard():
    jobs = compare_choice.choose_jobs(page)
    if jobs:
        view = compare.open_view(jobs)
        with guard():
            compare.show_scores(view, page)
        with guard():
            compare_tests.show_tests(view, page)
        with guard():
            compare.show_curves(view, page)
        with guard():
            compare_trials.show_agreement(view, page)
        with guard():
            compare_trials.show_told_apart(view, page)
        with guard():
            compare_cost.show_cost(view, page)
        compare.show_settings(view)
        compare_export.show_export(view)
again_view.show_again(page)
