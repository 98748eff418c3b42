"""The complete recipes that the training form starts from: model, question and time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from models.base.errors import ModelError
from models.catalog.registry import MODELS
from models.presets.presets import PRESETS, Preset
from models.presets.report import CLASS_PRESETS
from thingsviz.core.errors import ThingsvizError
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.trials.folds import default_choice
from thingsviz.data.trials.split_choice import SplitChoice
from thingsviz.jobs.recipe import PROTOCOLS, JobConfig
from thingsviz.ui.shell import ui_state
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.ui_state import Key
from thingsviz.ui.training.estimates import time_text, whole_estimate

# the original study drew single trials; it trained on ratings as given (ViT3D) or on (r − 1) / 6
REPORT_SPLIT = {"kind": "trial", "fractions": (0.8, 0.1, 0.1)}
SECTION_4 = ("report_transformer", "report_cnn", "report_cnn_tuned")
CLASS_QUESTION = {"learns": "concepts", "split": {"kind": "trial", "fractions": (0.7, 0.1, 0.2)}}
# fitted at once, with settings of their own: no preset is needed to start from them
LINEAR = ("ridge", "concept_decoder")
CLASSIFIERS = ("linear_svm", "lda")
TITLES = {"linear_svm": "Linear SVM", "lda": "LDA"}
# as wide as two fields of the form
WIDTH = 370
Fill = Callable[[JobConfig, tuple[int, int, int]], None]


def preset_choice(page: PageContext, fill: Fill) -> None:
    """Offer complete recipes; choosing one fills the form, and its time is said beside it."""
    found = presets(page)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen = st.selectbox(
            "Start from",
            list(found),
            index=None,
            key=str(Key.W_PRESET),
            placeholder="a complete recipe, to change as you like",
            on_change=_fill_from_preset,
            args=(page, fill),
            width=WIDTH,
        )
        if chosen in found:
            summary, recipe = found[chosen]
            st.caption(plain(f"{summary} {_time(page, recipe)}".strip()))


def _time(page: PageContext, recipe: JobConfig) -> str:
    """Say how long a preset takes on this subject; '' where its patch does not fit the grid."""
    try:
        return f"Here: {time_text(whole_estimate(page, recipe))}."
    except (ThingsvizError, ModelError):
        return ""  # the form moves the patch to one that fits, and says the time of that


def presets(page: PageContext) -> dict[str, tuple[str, JobConfig]]:
    """Return each preset's sentence and recipe for this subject, by its title."""
    found = {p.title: (p.summary, recipe_from(page, key)) for key, p in PRESETS.items()}
    for name in (*LINEAR, *CLASSIFIERS):
        data = {"dataset": page.dataset.name, "model": {"name": name}}
        data |= _suitable(page, CLASS_QUESTION if name in CLASSIFIERS else {})
        title = TITLES.get(name, name.replace("_", " ").capitalize())
        found[title] = (MODELS[name].summary, JobConfig.model_validate(data))
    for preset in CLASS_PRESETS.values():
        recipe = recipe_of_preset(page, preset, CLASS_QUESTION)
        found[preset.title] = (preset.summary, recipe)
    return found


def _fill_from_preset(page: PageContext, fill: Fill) -> None:
    found = presets(page).get(str(ui_state.get(Key.W_PRESET)))
    if found is not None:
        fill(found[1], page.store.grid.shape)


def recipe_from(page: PageContext, preset: str) -> JobConfig:
    """Return a preset as a recipe for this subject; the study's own bring its split and scale."""
    question: dict[str, Any] = {}
    if preset.startswith("report"):
        scale = "unit" if preset in SECTION_4 else "raw"
        question = {"rating_scale": scale, "split": REPORT_SPLIT}
    return recipe_of_preset(page, PRESETS[preset], question)


def recipe_of_preset(page: PageContext, preset: Preset, question: dict[str, Any]) -> JobConfig:
    """Return a preset's model and training with what they learn."""
    data = {"dataset": page.dataset.name, "model": preset.model, "fit": preset.fit}
    return JobConfig.model_validate(data | _suitable(page, question))


def _suitable(page: PageContext, question: dict[str, Any]) -> dict[str, Any]:
    """Return a question with the split that suits trials without test images of their own."""
    choice = _default(page.store.fingerprint, _store=page.store)
    if choice.kind in PROTOCOLS:
        return question
    split = {"kind": choice.kind, "fractions": choice.fractions, "folds": choice.folds}
    return question | {"split": split}


@st.cache_data(max_entries=64, show_spinner=False)
def _default(fingerprint: str, _store: BetaStore) -> SplitChoice:
    return default_choice(_store.trials)
