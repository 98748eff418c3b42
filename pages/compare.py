"""Compare: two or more trainings on the same test trials, with a paired test."""

from thingsviz.ui.compare import choice as compare_choice
from thingsviz.ui.compare import details as compare_details
from thingsviz.ui.compare import page as compare
from thingsviz.ui.compare import replication_view
from thingsviz.ui.compare import tests as compare_tests
from thingsviz.ui.compare import trials as compare_trials
from thingsviz.ui.shell.frame import guard, open_page

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
            compare_details.show_cost(view, page)
        compare_details.show_settings(view)
        compare_details.show_export(view)
replication_view.show_again(page)
