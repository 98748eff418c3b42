"""The scores of a cross-validation's folds, small beneath a score, for any page that shows one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import streamlit as st

from thingsviz.analysis.scores.folds import FoldSizes, fold_mean, p_above
from thingsviz.core.typography import minus
from thingsviz.figures.base.style import Theme
from thingsviz.figures.scores.folds import (
    FoldSeries,
    FoldsInfo,
    describe_folds,
    draw_folds,
    fold_series,
)
from thingsviz.figures.scores.scores import ScoreInfo, is_share
from thingsviz.jobs.folds import FoldScores
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.ui.caches import job_cache
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import plain


def show_folds(
    job: JobFolder, info: ScoreInfo, theme: Theme, key: str, *, save_as: str = "png"
) -> None:
    """Show each fold's score beside the mean; nothing of a job without folds."""
    folds = job_cache.fold_scores(job)
    values = [] if folds is None else folds.of(info.model, *asked(info))
    if folds is None or not values:
        return
    series = (fold_series(info.model, values, info),)
    metric = info.question.metric
    found = FoldsInfo(metric, folds.names, folds.n_test, series, info.reference("chance"))
    alt = describe_folds(found)
    charts.show(draw_folds(found, theme), theme, f"folds_{key}", alt=alt, save_as=save_as)
    st.caption(plain(words_of(folds)))


def paired_folds(
    jobs: Sequence[tuple[JobFolder, ScoreInfo]], theme: Theme, save_as: str = "png"
) -> None:
    """Show the fold scores of jobs that share their folds, and their differences fold by fold."""
    known = [(job, info, job_cache.fold_scores(job)) for job, info in jobs]
    shared = [(job, info, folds) for job, info, folds in known if folds is not None]
    first = shared[0][2] if shared else None
    shared = [one for one in shared if first is not None and one[2][:4] == first[:4]]
    if first is None or len(shared) < 2:
        return
    series = [fold_series(j.name, f.of(i.model, *asked(i)), i) for j, i, f in shared]
    info = shared[0][1]
    st.subheader("Fold by fold", anchor=False)
    found = FoldsInfo(
        info.question.metric, first.names, first.n_test, tuple(series), info.reference("chance")
    )
    alt = describe_folds(found)
    charts.show(draw_folds(found, theme), theme, "folds_compare", alt=alt, save_as=save_as)
    sizes = FoldSizes(np.array(first.n_train, float), np.array(first.n_test, float))
    lines = [pair_text(a, b, sizes, info.question.metric) for a, b in combinations(series, 2)]
    st.markdown("\n".join(f"- {plain(line)}" for line in lines))
    st.caption(plain(f"{words_of(first)} Differences are paired by fold (corrected resampled t)."))


def pair_text(a: FoldSeries, b: FoldSeries, sizes: FoldSizes, metric: str) -> str:
    """Say how two decoders differ on the same folds."""
    pairs = [(x, y) for x, y in zip(a.values, b.values, strict=True)]
    gains = [math.nan if x is None or y is None else x - y for x, y in pairs]
    found = fold_mean(gains, sizes)
    if not math.isfinite(found.low):
        return f"{a.name} and {b.name}: no difference can be told."
    factor, unit = (100, " percentage points") if is_share(metric) else (1, "")
    numbers = (found.mean, found.low, found.high)
    mean, low, high = (minus(f"{factor * value:+.3g}") for value in numbers)
    above = p_above(found, len(gains), 0.0)
    p = 2 * min(above, 1 - above)
    shown = "they differ" if found.low > 0 or found.high < 0 else "no difference is shown"
    return f"{a.name} − {b.name}: {mean}{unit} (95 %: {low} to {high}), p = {p:.3f}: {shown}."


def asked(info: ScoreInfo) -> tuple[str, str, str, str]:
    """Return under which metric, target, part and averaging the folds' scores stand."""
    question = info.question
    return question.metric, question.target, question.part, question.n_averaged


def words_of(folds: FoldScores) -> str:
    """Say what the folds are, and how many trials trained and tested each."""
    kind = {"session": "session", "run": "run"}.get(folds.kind)
    whole = kind is not None and folds.names[0].split(",")[-1].strip().startswith(kind)
    how = f"leave one {kind} out" if whole else f"folds over {folds.kind}s"
    train, test = _range(folds.n_train), _range(folds.n_test)
    return (
        f"{len(folds.names)} folds, {how}: each decoder learned from {train} trials and was "
        f"tested once on {test} others; every trial was predicted once."
    )


def _range(counts: tuple[int, ...]) -> str:
    few, many = min(counts), max(counts)
    return f"{few:,}" if few == many else f"{few:,} to {many:,}"
