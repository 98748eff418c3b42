"""Learning curves: whether more trials, more repeats or more voxels would help."""

import streamlit as st

from thingsviz.ui.scores import learning
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import guard, open_page

page = open_page(
    "Learning curves",
    "See how a linear decoder's score grows with training trials, with repeats averaged and with "
    "voxels, and what it could reach.",
)
with guard():
    learning.start_bar(page)
    rows = learning.kept_curves(page)
    if rows is None:
        st.info("No curves of this decoder yet: compute them above.", icon=":material/info:")
    else:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            target = learning.choose_target(rows)
            save_as = charts.image_format()
        learning.show_curves(rows, target, page, save_as)
        learning.show_export(rows)
