"""What a comparison of jobs says: paired tests, agreement, trials told apart, cost, settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.analysis.scores import resampling
from thingsviz.analysis.scores.concept_sums import RatedPart, part
from thingsviz.analysis.scores.metrics import pearson
from thingsviz.analysis.scores.paired_tests import (
    corrected,
    mcnemar,
    nearer,
    paired_rows,
    swapped_hits,
)
from thingsviz.analysis.scores.score_table import ScorePlace
from thingsviz.jobs.recipe import dump_config
from thingsviz.reports.comparable import FinishedJob, aligned

Row = dict[str, Any]
TOP = (1, 5, 10)
# parts of a recipe that say nothing about the decoder
NOT_SETTINGS = ("name", "version", "dataset")


def rating_parts(jobs: Sequence[FinishedJob], name: str, averaged: bool) -> list[RatedPart]:
    """Return true and predicted ratings of a part, one a job, trials and properties in one order.

    The properties are in the order of the first job.
    """
    targets = jobs[0].config.targets

    def block(frame: pd.DataFrame, prefix: str) -> NDArray[np.float64]:
        return frame.reindex(columns=[f"{prefix}_{t}" for t in targets]).to_numpy(float)

    return [
        part(block(f, "true"), block(f, "pred"), block(f, "sd"), f["concept"].to_numpy(str))
        for f in aligned(jobs, name, averaged)
    ]


def pair_tests(jobs: Sequence[FinishedJob], name: str, averaged: bool, metric: str) -> list[Row]:
    """Return the paired tests of all pairs of jobs, corrected over pairs and properties."""
    parts = rating_parts(jobs, name, averaged)
    where = ScorePlace(name, "averaged" if averaged else "single", jobs[0].config.targets)
    rows: list[Row] = []
    for (a, part_a), (b, part_b) in combinations(zip(jobs, parts, strict=True), 2):
        rows += paired_rows(where, part_a, part_b, (a.name, b.name), resampling.N_DRAWS)
    return corrected(rows, metric)


class Agreement(NamedTuple):
    """How alike two jobs predict one property, and how alike their errors are."""

    target: str
    predictions_r: float
    errors_r: float


def agreements(jobs: Sequence[FinishedJob], name: str, averaged: bool) -> list[Agreement]:
    """Correlate the predictions, and the errors, of the first two jobs; NaN where constant.

    Two decoders that read the same signal agree; whether their errors agree as well says whether
    they are wrong about the same trials.
    """
    a, b = rating_parts(jobs[:2], name, averaged)
    same = pearson(a.predicted, b.predicted)
    wrong = pearson(a.predicted - a.true, b.predicted - b.true)
    names = jobs[0].config.targets
    return [
        Agreement(*cells) for cells in zip(names, map(float, same), map(float, wrong), strict=True)
    ]


def told_apart(
    jobs: Sequence[FinishedJob], name: str, averaged: bool, *, by_rank: bool
) -> pd.DataFrame:
    """Return the trials with `gain`: by how much the first job is nearer to the truth.

    In SD of the ratings, or `by_rank` in log places of the true class; then `other_rank` is the
    place that the second job gave it.
    """
    if not by_rank:
        frame = aligned(jobs[:2], name, averaged)[0]
        gain = nearer(*rating_parts(jobs[:2], name, averaged))
    else:
        frame, other = ranked(jobs[:2], name, averaged)
        gain = np.log(other["rank"].to_numpy(float)) - np.log(frame["rank"].to_numpy(float))
        frame = frame.assign(other_rank=other["rank"].to_numpy(int))
    return frame.assign(gain=gain).sort_values("gain", ascending=False, ignore_index=True)


def ranked(jobs: Sequence[FinishedJob], name: str, averaged: bool) -> list[pd.DataFrame]:
    """Return the jobs' trials in one order, those for which all of them placed the true class."""
    frames = aligned(jobs, name, averaged)
    known = np.all([frame["rank"].notna() for frame in frames], axis=0)
    return [frame[known].reset_index(drop=True) for frame in frames]


def class_tests(
    jobs: Sequence[FinishedJob], name: str, averaged: bool = False, ks: Sequence[int] = TOP
) -> list[Row]:
    """Compare the hits within the first k of all pairs of jobs that name classes or concepts."""
    frames = ranked(jobs, name, averaged)
    rows: list[Row] = []
    for k in (k for k in ks if not jobs[0].n_choices or k < jobs[0].n_choices):
        hits = [frame["rank"].to_numpy(float) <= k for frame in frames]
        for (a, hits_a), (b, hits_b) in combinations(zip(jobs, hits, strict=True), 2):
            rows.append(_hits_row(k, (a.name, b.name), (hits_a, hits_b), frames[0]["concept"]))
    return corrected(rows, "top-k")


def _hits_row(
    k: int,
    names: tuple[str, str],
    hits: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    concepts: pd.Series,
) -> Row:
    only_a, only_b, p = mcnemar(*hits)
    low, high = _interval_of_gain(*hits, concepts.to_numpy(str))
    return {
        "metric": "top-k",
        "target": f"top {k}",
        "k": k,
        **dict(zip(("a", "b"), names, strict=True)),
        "n_trials": len(hits[0]),
        "hits_a": int(hits[0].sum()),
        "hits_b": int(hits[1].sum()),
        "only_a": only_a,
        "only_b": only_b,
        "difference": float(hits[0].mean() - hits[1].mean()),
        "low": low,
        "high": high,
        "p_mcnemar": p,
        "p": swapped_hits(*hits, concepts),
    }


def _interval_of_gain(
    a: NDArray[np.bool_], b: NDArray[np.bool_], concepts: NDArray[np.str_]
) -> tuple[float | None, float | None]:
    """Draw concepts with replacement; the middle 95 % of the differences of the shares."""
    _, index = np.unique(concepts, return_inverse=True)
    n = np.bincount(index).astype(float)
    gain = np.bincount(index, a.astype(float) - b.astype(float))
    if len(n) < 3:
        return None, None
    weights = np.random.default_rng(5).multinomial(
        len(n), np.full(len(n), 1 / len(n)), resampling.N_DRAWS
    )
    low, high = np.quantile((weights @ gain) / (weights @ n), (0.025, 0.975))
    return float(low), float(high)


def settings_that_differ(jobs: Sequence[FinishedJob]) -> dict[str, list[str]]:
    """Return each setting on which the recipes differ, with its value in every job."""
    flat = [_flat(dump_config(job.config)) for job in jobs]
    names = dict.fromkeys(key for row in flat for key in row)
    table = {name: [row.get(name, "–") for row in flat] for name in names}
    return {
        name: values
        for name, values in table.items()
        if len(set(values)) > 1 and name not in NOT_SETTINGS
    }


def _flat(data: dict[str, Any], before: str = "") -> dict[str, str]:
    out: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            out |= _flat(value, f"{before}{key}.")
        else:
            words = "not set" if value is None else json.dumps(value)
            out[f"{before}{key}"] = value if isinstance(value, str) else words
    return out
