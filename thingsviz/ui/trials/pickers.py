"""How a visitor gets to a trial: by place in the scan, concept or image, by arrows, by link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from thingsviz.core.errors import ThingsvizError
from thingsviz.core.trial_key import TrialKey
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.image_names import base_name
from thingsviz.figures.scores.ratings import readable
from thingsviz.ui.caches.trial_cache import TrialIndex, repeats, trial_index
from thingsviz.ui.shell import deep_link, ui_state
from thingsviz.ui.shell.component import show_link_button
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.glossary import glossary
from thingsviz.ui.shell.ui_state import Key

PARTS = ("session", "run", "trial")
WAYS = ("position", "concept", "image")


def pick_trial(page: PageContext) -> int:
    """Show the pickers, return the row that they stand on, keep the address in step."""
    index = trial_index(page.store)
    row, complaint = _current(page.store, index, page.asked)
    if complaint:
        st.warning(plain(complaint), icon=":material/link_off:")
    _remember(index.keys[row])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        ui_state.put(Key.W_PICK_BY, ui_state.get(Key.PICK_BY, WAYS[0]))
        way = st.segmented_control(
            "Pick by",
            WAYS,
            key=str(Key.W_PICK_BY),
            required=True,
            on_change=ui_state.copy,
            args=(Key.W_PICK_BY, Key.PICK_BY),
            help=glossary("trial"),
        )
        {"position": _by_position, "concept": _by_concept, "image": _by_image}[way or WAYS[0]](
            index, row
        )
    with st.container(horizontal=True, vertical_alignment="top", gap="small"):
        _steps(index, row)
        with st.container(width=110):
            show_link_button("Copy link", key="copy_link")
    _write_address(page, index.keys[row])
    return row


def _current(store: BetaStore, index: TrialIndex, asked: Mapping[str, str]) -> tuple[int, str]:
    """Return the row to show: that of the address, else the last one, else the first."""
    if any(part in asked for part in PARTS):
        try:
            return store.row(parse_key(asked)), ""
        except ThingsvizError as error:
            return 0, f"The address does not lead to a trial: {error}. This is the first one."
    try:
        return store.row(TrialKey(*ui_state.get(Key.TRIAL, ()))), ""
    except (ThingsvizError, TypeError):
        return 0, ""


def parse_key(asked: Mapping[str, str]) -> TrialKey:
    """Read session, run and trial from an address; a part that is not there counts as 1."""
    numbers = []
    for part in PARTS:
        text = asked.get(part, "1")
        if not (text.isascii() and text.isdigit() and len(text) < 6):
            msg = f"{part} should be a number counted from 1, not {text[:40]!r}"
            raise ThingsvizError(msg)
        numbers.append(int(text))
    return TrialKey(*numbers)


def _write_address(page: PageContext, key: TrialKey) -> None:
    job = ui_state.get(Key.JOB)
    deep_link.write(
        dataset=page.dataset.name,
        subject=page.subject,
        session=f"{key.session:02d}",
        run=f"{key.run:02d}",
        trial=str(key.trial),
        **({"job": job} if job else {}),
    )


def _remember(key: TrialKey) -> None:
    ui_state.put(Key.TRIAL, (key.session, key.run, key.trial))


def _steps(index: TrialIndex, row: int) -> None:
    """Show previous and next; the arrow keys do the same."""
    last = len(index.keys) - 1
    st.button(
        "Previous",
        icon=":material/arrow_back:",
        shortcut="Left",
        disabled=row == 0,
        on_click=go_to,
        args=(index.keys[max(row - 1, 0)],),
    )
    st.button(
        "Next",
        icon=":material/arrow_forward:",
        icon_position="right",
        shortcut="Right",
        disabled=row == last,
        on_click=go_to,
        args=(index.keys[min(row + 1, last)],),
    )


def go_to(key: TrialKey) -> None:
    """Make a trial the current one (the callback of whatever leads to a trial)."""
    _remember(key)


def _select(label: str, options: tuple[Any, ...], current: Any, key: Key, **more: Any) -> None:  # noqa: ANN401
    """Show a selectbox that stands on `current`, whatever it stood on before."""
    ui_state.put(key, current)
    st.selectbox(label, options, key=str(key), **more)


def _by_position(index: TrialIndex, row: int) -> None:
    key = index.keys[row]
    two = "{:02d}".format
    move: dict[str, Any] = {"on_change": _positioned, "args": (index,), "width": 110}
    _select("Session", index.sessions, key.session, Key.W_SESSION, format_func=two, **move)
    _select("Run", index.runs[key.session], key.run, Key.W_RUN, format_func=two, **move)
    trials = index.trials[key.session, key.run]
    _select("Trial", trials, key.trial, Key.W_TRIAL, **move)


def _positioned(index: TrialIndex) -> None:
    """Go where the three selectboxes stand; what a new session or run lacks becomes its first."""
    session = ui_state.get(Key.W_SESSION)
    runs = index.runs[session]
    run = ui_state.get(Key.W_RUN) if ui_state.get(Key.W_RUN) in runs else runs[0]
    trials = index.trials[session, run]
    trial = ui_state.get(Key.W_TRIAL) if ui_state.get(Key.W_TRIAL) in trials else trials[0]
    go_to(TrialKey(session, run, trial))


def _by_concept(index: TrialIndex, row: int) -> None:
    concept = index.concepts[row] or None
    _select(
        "Concept",
        tuple(index.of_concept),
        concept,
        Key.W_CONCEPT,
        format_func=readable,
        index=None,
        placeholder="a catch trial has none",
        on_change=_first_of,
        args=(index, Key.W_CONCEPT),
        help=glossary("concept"),
        width=220,
    )
    if concept:
        _showings("Its trials", index, index.of_concept[concept], row, Key.W_CONCEPT_TRIAL)


def _by_image(index: TrialIndex, row: int) -> None:
    image = base_name(index.images[row])
    _select(
        "Image",
        tuple(index.of_image),
        image,
        Key.W_IMAGE,
        on_change=_first_of,
        args=(index, Key.W_IMAGE),
        help=glossary("test image"),
        width=260,
    )
    _showings("Its showings", index, repeats(index, row), row, Key.W_IMAGE_TRIAL)


def _showings(label: str, index: TrialIndex, rows: tuple[int, ...], row: int, key: Key) -> None:
    labels = {f"{index.keys[r]} · {index.types[r]}": index.keys[r] for r in rows}
    current = f"{index.keys[row]} · {index.types[row]}"
    _select(label, tuple(labels), current, key, on_change=go_by, args=(labels, key), width=260)


def _first_of(index: TrialIndex, key: Key) -> None:
    name = ui_state.get(key)
    if name is not None:
        groups = index.of_concept if key == Key.W_CONCEPT else index.of_image
        go_to(index.keys[groups[name][0]])


def go_by(labels: Mapping[str, TrialKey], key: Key) -> None:
    """Go to the trial whose label a widget stands on."""
    go_to(labels[ui_state.get(key)])
