"""Jobs: every training of this server, what becomes of it and what it takes."""

from thingsviz.ui.jobs import page as jobs_page
from thingsviz.ui.shell.frame import guard, open_plain_page

open_plain_page(
    "Jobs",
    "See every training here: what waits, runs and has ended. They go on when you leave.",
)
with guard():
    jobs_page.show_jobs()
