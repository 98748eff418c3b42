"""On which settings the compared recipes differ, in the words and values of the form."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from thingsviz.jobs.setting_titles import setting_text, title_of
from thingsviz.reports.comparison import settings_that_differ
from thingsviz.ui.compare.page import View
from thingsviz.ui.training.question_form import LEARNS, SCALES, SPLITS

CHOICES = {"learns": LEARNS, "rating_scale": SCALES, "split.kind": SPLITS}


def show_settings(view: View) -> None:
    """List the settings on which the recipes differ, in the words of the form."""
    differing = settings_that_differ(view.jobs)
    titles = _titles(view, differing)
    names = "\n".join(f"- {title}: `{name}`" for name, title in titles.items())
    told = f"Their names in a recipe:\n{names}" if differing else None
    st.subheader("Settings that differ", anchor=False, help=told)
    if not differing:
        st.caption("None: the recipes are the same.")
        return
    lines = {titles[name]: [shown_value(name, v) for v in vs] for name, vs in differing.items()}
    table = pd.DataFrame(lines, index=view.names).T.rename_axis("setting").reset_index()
    st.dataframe(table, hide_index=True, alt="Settings on which the recipes differ")


def _titles(view: View, names: Iterable[str]) -> dict[str, str]:
    """Return what the form of the jobs' model calls these settings."""
    models = {job.model for job in view.jobs}
    return {name: title_of(name, *(models if len(models) == 1 else ())) for name in names}


def shown_value(name: str, text: str) -> str:
    """Write a setting's value as the form does."""
    words = CHOICES.get(name, {})
    return words[text].title if text in words else setting_text(text)
