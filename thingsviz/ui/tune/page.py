"""Which study the Tune page is about: the address, the list of studies, the way to a new one."""

from __future__ import annotations

import time

import streamlit as st

from thingsviz.core.errors import ThingsvizError
from thingsviz.jobs.run_folder import ALIVE
from thingsviz.studies.config import StudyConfig
from thingsviz.studies.study_folder import StudyFolder, open_study
from thingsviz.ui.job_choice.job_list import BADGE_WIDTH, LOOKS, ago
from thingsviz.ui.shell import deep_link, ui_state
from thingsviz.ui.shell.frame import PageContext, guard, plain
from thingsviz.ui.shell.ui_state import Key
from thingsviz.ui.tune import data as tune_data
from thingsviz.ui.tune import form as tune_form
from thingsviz.ui.tune import result as tune_result
from thingsviz.ui.tune import watch as tune_live

WHAT_IT_IS = (
    "A study trains many candidates that differ in a few settings, and compares them on the "
    "validation trials. The best settings are then trained once more and scored on the test "
    "trials, beside the settings it began with and a random search of the same cost."
)


def show_tune(page: PageContext) -> None:
    """Show the study that the page is about, or the form for a new one; then all studies."""
    folder = current(page)
    with guard():
        if folder is None:
            _running_now(page)
            st.markdown(WHAT_IT_IS)
            tune_form.study_form(page, lambda name: choose(page, name))
        else:
            _study(page, folder)
    st.divider()
    with guard():
        _list(page, folder)


def _study(page: PageContext, folder: StudyFolder) -> None:
    config = folder.config()
    tune_result.show_result(page, folder)
    tune_live.watch_study(page, folder, config)
    if st.button("New study", icon=":material/add:", key="w_tune_new"):
        ui_state.forget(Key.STUDY)
        _write(page, "")
        st.rerun()


def current(page: PageContext) -> StudyFolder | None:
    """Return the study of the address or the session, if it belongs to the data shown."""
    asked = deep_link.asked().get("study")
    name = asked or ui_state.get(Key.STUDY)
    found = None
    if name:
        try:
            found = open_study(str(name))
        except ThingsvizError as error:
            if asked:
                st.warning(plain(str(error)), icon=":material/link_off:")
    here = [folder.name for folder, _ in tune_data.studies_of(page)]
    if found is not None and found.name not in here:
        if asked:
            words = f"The study {found.name} is not one of {page.dataset.name}, {page.subject}."
            st.warning(plain(words), icon=":material/link_off:")
        found = None
    ui_state.put(Key.STUDY, found.name if found else None)
    _write(page, found.name if found else "")
    return found


def choose(page: PageContext, name: str) -> None:
    """Make a study the one that the page is about."""
    ui_state.put(Key.STUDY, name)
    _write(page, name)
    st.rerun()


def _write(page: PageContext, name: str) -> None:
    data = {"dataset": page.dataset.name, "subject": page.subject}
    deep_link.write(**data, **({"study": name} if name else {}))


def _running_now(page: PageContext) -> None:
    for folder, _ in tune_data.studies_of(page):
        if folder.status().state in ALIVE:
            with st.container(horizontal=True, vertical_alignment="center", border=True):
                st.markdown(plain(f"{folder.name} is running."), width="content")
                key = f"w_tune_watch_{folder.name}"
                if st.button("Watch it", icon=":material/monitoring:", key=key):
                    choose(page, folder.name)


def _list(page: PageContext, chosen: StudyFolder | None) -> None:
    st.subheader("Studies of this subject", anchor=False)
    found = tune_data.studies_of(page)
    if not found:
        st.caption("None yet. The first one that you start stands here, also after a reload.")
    for folder, config in found:
        _line(page, folder, config, chosen is not None and chosen.name == folder.name)


def _line(page: PageContext, folder: StudyFolder, config: StudyConfig, chosen: bool) -> None:
    status = folder.status()
    colour, icon = LOOKS.get(status.state, LOOKS["stopped"])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width=BADGE_WIDTH):
            st.badge(status.state, color=colour, icon=icon)  # type: ignore[arg-type]
        if chosen:
            st.markdown(f"**{plain(folder.name)}**", width="content")
        elif st.button(folder.name, type="tertiary", key=f"w_study_{folder.name}"):
            choose(page, folder.name)
        sampler = tune_live.SEARCHES[config.sampler]
        words = [config.base.model.name, f"{config.n_candidates} candidates", sampler]
        words += [", ".join(title.lower() for title in tune_live.titles_of(config).values())]
        words += [ago(status.started_at, time.time())]
        st.caption(plain(" · ".join(words)), width="content")
