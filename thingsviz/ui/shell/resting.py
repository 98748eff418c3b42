"""On how many validation trials a training's curve rests, and how far chance alone moves it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st
from scipy.special import bdtr

from thingsviz.core import json_files
from thingsviz.core.typography import PERCENT
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import JobConfig
from thingsviz.ui.caches.dataset_cache import FileStamp, stamp

TOP = 10
# of so many trials one more or less is no step that anybody would read a trend into
MANY = 2000


class Resting(NamedTuple):
    """Validation trials that a curve rests on, of how many, and the classes among which."""

    n: int
    n_all: int
    n_classes: int | None = None


def resting_of(job: JobFolder, config: JobConfig) -> Resting | None:
    """Count a job's validation trials, as training/loop.py does; None before its split."""
    found = _counts(stamp(job.file("split.json")), stamp(job.file("labels.tsv")))
    if found is None or not found[0]:
        return None
    n_all, fit = found[0], config.fit
    most = n_all if fit.validation_batches is None else fit.validation_batches * fit.batch_size
    return Resting(min(n_all, most), n_all, found[1] if config.learned.kind == "classes" else None)


@st.cache_data(max_entries=128, show_spinner=False)
def _counts(split: FileStamp, labels: FileStamp) -> tuple[int, int | None] | None:
    """Return how many validation trials and classes a job has: both files never change."""
    drawn = json_files.read_json(Path(split.path))
    if not drawn:
        return None
    lines = Path(labels.path).read_text(encoding="utf-8").splitlines() if labels.size else []
    return len(drawn.get("validation", [])), (len(lines) - 1 if lines else None)


def resting_text(found: Resting) -> str:
    """Say what the validation curve rests on; of classes also where guessing would put it.

    Hits of n trials by guessing are Binomial(n, 10 / classes); the middle 95 % of it is said.
    """
    same = "the same ones in each epoch"
    of_all = f" of {found.n_all:,}" if found.n < found.n_all else ""
    text = f"It rests on {found.n:,}{of_all} validation trials, {same}"
    if not found.n_classes or found.n > MANY:
        return f"{text}."
    chance = min(TOP / found.n_classes, 1.0)
    below = bdtr(np.arange(found.n + 1.0), found.n, chance)
    low, high = (int(np.searchsorted(below, q)) / found.n for q in (0.025, 0.975))
    return (
        f"{text}: each of them moves Top-{TOP} by {_percent(1 / found.n)}. Guessing hits "
        f"{_percent(chance)} on average and lies between {_percent(low)} and {_percent(high)} in "
        "95 of 100 cases (binomial), so ups and downs of that size are no trend."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") + PERCENT
