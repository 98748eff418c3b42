"""Which trials a subject has, by position, concept and image: looked up, not searched."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from thingsviz.core.trial_key import TrialKey
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.image_names import base_name


class TrialIndex(NamedTuple):
    """The rows of a store, each way that a visitor asks for them."""

    keys: tuple[TrialKey, ...]
    types: tuple[str, ...]
    images: tuple[str, ...]
    concepts: tuple[str, ...]
    """'' for catch trials."""
    sessions: tuple[int, ...]
    runs: dict[int, tuple[int, ...]]
    trials: dict[tuple[int, int], tuple[int, ...]]
    of_concept: dict[str, tuple[int, ...]]
    of_image: dict[str, tuple[int, ...]]


def trial_index(store: BetaStore) -> TrialIndex:
    """Return the index of a store, made once."""
    return _index(store.fingerprint, _store=store)


@st.cache_resource(max_entries=8, show_spinner=False)
def _index(fingerprint: str, _store: BetaStore) -> TrialIndex:
    table = _store.trials
    columns = (table["session"], table["run"], table["trial"])
    keys = [TrialKey(int(s), int(r), int(t)) for s, r, t in zip(*columns, strict=True)]
    concepts = table["concept"].fillna("").astype(str).tolist()
    images = table["image_filename"].astype(str).tolist()
    runs: dict[int, list[int]] = {}
    trials: dict[tuple[int, int], list[int]] = {}
    for key in keys:
        if (key.session, key.run) not in trials:
            runs.setdefault(key.session, []).append(key.run)
        trials.setdefault((key.session, key.run), []).append(key.trial)
    return TrialIndex(
        keys=tuple(keys),
        types=tuple(table["trial_type"].astype(str)),
        images=tuple(images),
        concepts=tuple(concepts),
        sessions=tuple(runs),
        runs={session: tuple(found) for session, found in runs.items()},
        trials={key: tuple(found) for key, found in trials.items()},
        of_concept=_grouped(concepts),
        of_image=_grouped([base_name(image) for image in images]),
    )


def _grouped(names: list[str]) -> dict[str, tuple[int, ...]]:
    """Return the rows of each name but '', names sorted."""
    found: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        if name:
            found.setdefault(name, []).append(row)
    return {name: tuple(found[name]) for name in sorted(found)}


def repeats(index: TrialIndex, row: int) -> tuple[int, ...]:
    """Return all showings of a row's image, the row itself among them."""
    return index.of_image[base_name(index.images[row])]
