"""What the Trials page shows of one trial: picture, ratings, predictions, response, showings."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.image_names import base_name
from thingsviz.figures.scores.ratings import draw_ratings, ratings_info, readable
from thingsviz.ui.brain.slices import regions, show_slices
from thingsviz.ui.caches import dataset_cache
from thingsviz.ui.caches.trial_cache import repeats, trial_index
from thingsviz.ui.job_choice.scored_model import choose_job, predicted
from thingsviz.ui.shell import ui_state
from thingsviz.ui.shell.frame import PageContext, page_path, plain
from thingsviz.ui.shell.glossary import glossary
from thingsviz.ui.shell.ui_state import Key
from thingsviz.ui.trials.pickers import go_by

Colour = Literal["blue", "violet", "gray"]
TYPE_COLOURS: dict[str, Colour] = {"train": "blue", "test": "violet", "catch": "gray"}
TYPE_HELP = {"train": "test image", "test": "test image", "catch": "catch trial"}


class ShownTrial(NamedTuple):
    """One trial on the page: its row, and the rows whose mean is shown (itself first)."""

    row: int
    image: str
    concept: str
    kind: str
    showings: tuple[int, ...]
    averaged: tuple[int, ...]


def shown_trial(page: PageContext, row: int) -> ShownTrial:
    """Gather what the panels need; how many showings are averaged lasts while the image stays."""
    index = trial_index(page.store)
    image, found = index.images[row], repeats(index, row)
    kept = ui_state.get(Key.N_AVERAGED)
    n = kept[1] if kept and kept[0] == image else 1
    at = found.index(row)
    in_order = found[at:] + found[:at]
    return ShownTrial(row, image, index.concepts[row], index.types[row], found, in_order[:n])


def show_picture(page: PageContext, shown: ShownTrial) -> None:
    """Show the picture that was on the screen, and what kind of trial this is."""
    index = trial_index(page.store)
    name = readable(shown.concept) if shown.concept else "catch trial"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(name, anchor=False, width="content")
        st.badge(shown.kind, color=TYPE_COLOURS[shown.kind], help=glossary(TYPE_HELP[shown.kind]))
    path = page.dataset.image_file(shown.image)
    what = f"{base_name(shown.image)} · {index.keys[shown.row]}"
    if path is None:
        st.info(f"The picture {base_name(shown.image)} is not in this dataset's image folder.")
        st.caption(what)
    else:
        st.image(
            dataset_cache.picture(path),
            caption=what,
            alt=f"The picture shown: {name}",
            width="stretch",
        )
    n = len(shown.showings)
    st.caption("Shown once." if n == 1 else f"Shown {n} times: see below.")


def show_ratings(page: PageContext, shown: ShownTrial) -> None:
    """Show what people said of the concept, and what a chosen job predicts from the brain."""
    trial = _trial(page.store, shown.row)
    if not shown.concept:
        st.info("Catch trials were shown to keep people attentive; nobody rated them.")
        return
    job = choose_job(page, shown.row)
    guess = predicted(job, shown.row, shown.image, len(shown.averaged)) if job else None
    if guess and guess.guess:
        st.markdown(plain(guess.guess))
    values = guess.values if guess and guess.values else None
    info = ratings_info(trial, values, job.folder.name if job else "")
    if not info.groups:
        st.info(f"The ratings file says nothing of {readable(shown.concept)}.")
        return
    st.plotly_chart(
        draw_ratings(info, page.theme),
        theme=None,
        key="ratings",
        config={"displayModeBar": False},
        alt=f"Bars of the mean ratings of {readable(shown.concept)} with standard deviations",
    )
    if guess:
        n = guess.n_averaged
        source = f"the mean of the {n} showings" if n > 1 else "this trial alone"
        st.caption(f"Predicted from {source}, which the training held out ({guess.part} part).")


def show_response(page: PageContext, shown: ShownTrial) -> None:
    """Show the response in three linked slices, of the trial or of the mean over its showings."""
    key = trial_index(page.store).keys[shown.row]
    n = len(shown.averaged)
    title = f"{key}, {readable(shown.concept) or 'catch trial'}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader("Response of the brain", anchor=False, width="content", help=_explained())
        if n > 1:
            st.badge(f"mean of {n} showings", color="green", help=glossary("average of repeats"))
    if len(shown.showings) > 1:
        show_showings(page, shown)
        average_slider(shown)
    show_slices(page.store, _values(page.store, shown.averaged), title)
    st.caption(
        "Click or drag in a slice to move the crosshair. The left of a picture is the left of the "
        f"brain. Regions: {regions(page.store).source}."
    )
    if page_path("brain.py").is_file():
        st.page_link(
            page_path("brain.py"), label="See this trial in 3D", icon=":material/neurology:"
        )


def _explained() -> str:
    return "\n\n".join(glossary(term) for term in ("beta", "crosshair", "colour limit", "roi"))


def average_slider(shown: ShownTrial) -> None:
    """Show how many showings of the picture are averaged, where there are several."""
    if len(shown.showings) < 2:
        return
    ui_state.put(Key.W_N_AVERAGED, len(shown.averaged))
    st.slider(
        "Average over showings of this picture",
        1,
        len(shown.showings),
        key=str(Key.W_N_AVERAGED),
        on_change=_averaged,
        args=(shown.image,),
        help=glossary("average of repeats"),
        width=420,
    )


def _averaged(image: str) -> None:
    ui_state.put(Key.N_AVERAGED, (image, ui_state.get(Key.W_N_AVERAGED)))


def _values(store: BetaStore, rows: tuple[int, ...]) -> NDArray[np.floating]:
    """Return one trial's voxels as the store holds them, or the mean of several, (n_voxels,)."""
    if len(rows) == 1:
        return np.asarray(store.read(rows[0]))
    # row after row: 12 rows of 211,339 voxels gathered at once would take 10 MB for a moment
    total = np.zeros(store.shape[1], np.float32)
    for row in rows:
        total += store.read(row)
    return total / np.float32(len(rows))


def show_showings(page: PageContext, shown: ShownTrial) -> None:
    """List all showings of the picture, each a click away."""
    index = trial_index(page.store)
    labels = {str(index.keys[row]): index.keys[row] for row in shown.showings}
    ui_state.put(Key.W_SHOWING, str(index.keys[shown.row]))
    st.pills(
        f"The {len(labels)} showings of this picture",
        tuple(labels),
        key=str(Key.W_SHOWING),
        required=True,
        on_change=go_by,
        args=(labels, Key.W_SHOWING),
        help=glossary("test image"),
    )


def _trial(store: BetaStore, row: int) -> dict[str, Any]:
    return _records(store.fingerprint, _store=store)[row]


@st.cache_resource(max_entries=4, show_spinner=False)
def _records(fingerprint: str, _store: BetaStore) -> list[dict[str, Any]]:
    """Return the trials table as dicts: one of them costs nothing, a row of pandas 0.3 ms."""
    return [{str(k): v for k, v in row.items()} for row in _store.trials.to_dict("records")]
