"""Train: fit a decoder to this subject's responses and watch it learn."""

import streamlit as st

from thingsviz.ui.compare import replication_view
from thingsviz.ui.job_choice import job_list as jobs_list
from thingsviz.ui.shell.frame import guard, open_page
from thingsviz.ui.training import job_form, watch

page = open_page(
    "Train",
    "Train a decoder of this subject's responses and watch it learn; it goes on when you leave.",
    without_data=True,
)
job = None
with guard():
    job = jobs_list.current(page)
with guard():
    if job is None:
        jobs_list.running_now(page)
        job_form.job_form(page)
        replication_view.show_again(page)
    else:
        watch.job_view(page, job)
st.divider()
with guard():
    jobs_list.jobs_list(page, job)
