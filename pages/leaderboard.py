"""Leaderboard: which region of the brain tells which property, and by how much."""

import streamlit as st

from thingsviz.ui.scores import ceiling_view, leaderboard
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import guard, open_page

page = open_page(
    "Leaderboard",
    "See which region tells which property: a ridge in each region, scored on objects that it "
    "never met, against shuffled ratings and the ceiling of the ratings.",
)
with guard():
    leaderboard.start_bar(page)
    boards = leaderboard.boards(page)
    if boards is None:
        st.info("No leaderboard of these data yet: compute it above.", icon=":material/info:")
    else:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            board = leaderboard.choose_averaging(boards)
            save_as = charts.image_format()
        if (board["subject"] == page.subject).any():
            leaderboard.show_heat(board, page, save_as)
            leaderboard.show_brain(board, page, save_as)
        leaderboard.show_table(board)
st.subheader("Where responses repeat", anchor=False)
with guard():
    ceiling_view.show_ceiling(page)
