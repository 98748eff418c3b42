"""Scores of a cross-validation: the mean over folds with an interval that respects the folds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from thingsviz.core.arrays import Array

Row = dict[str, Any]
KEYS = ("model", "part", "n_averaged", "target", "metric")
DIFFERENCE_KEYS = ("versus", "part", "n_averaged", "target", "metric")
VARIED = "mean of repeats"  # where folds average different numbers of repeats
FEWEST = 2


class FoldSizes(NamedTuple):
    """How many trials trained and tested each fold's decoder, (n_folds,) each."""

    n_train: Array
    n_test: Array

    @property
    def ratio(self) -> float:
        """Trials of a fold's test for each that trained, the mean over folds."""
        return float(np.mean(np.asarray(self.n_test) / np.maximum(self.n_train, 1)))


class FoldMean(NamedTuple):
    """The mean score over folds, its standard error, its 95 % interval; NaN where unknown."""

    mean: float
    se: float
    low: float
    high: float


def fold_mean(values: ArrayLike, sizes: FoldSizes) -> FoldMean:
    """Return the mean of fold scores (n_folds,) with the corrected resampled t interval.

        mean ± t₀.₉₇₅(K − 1) · √((1/K + n_test / n_train) · S²),   S² = variance of K fold scores

    Trials of one fold share a decoder, so the fold is the unit, not the trial. Folds are not
    independent either: their decoders share most of the training trials, and no estimator of the
    variance is unbiased for all distributions (Bengio & Grandvalet 2004). S²/K is too small by
    what the shared training adds; Nadeau & Bengio (2003) add n_test / n_train, which scikit-learn
    and Weka follow (Bouckaert & Frank 2004). A bootstrap of whole folds was not chosen: with 4 to
    12 sessions its intervals are too narrow, and it does not know of the shared training either.

    Measured (tests/analysis/scores/test_folds.py), 400 simulated experiments of 12 runs, how
    often the expected accuracy was inside: 99 % (S²/K 96 %, trials taken as independent 96 %);
    98 % (93 %, 80 %) where some runs answer more strongly than others.
    """
    scores = np.asarray(values, float)
    n = len(scores)
    mean = float(scores.mean()) if n else math.nan
    if n < FEWEST or not np.isfinite(scores).all():
        return FoldMean(mean, math.nan, math.nan, math.nan)
    se = math.sqrt((1 / n + sizes.ratio) * float(scores.var(ddof=1)))
    reach = float(stdtrit(n - 1, 0.975)) * se
    return FoldMean(mean, se, mean - reach, mean + reach)


def p_above(found: FoldMean, n_folds: int, chance: float, *, less: bool = False) -> float:
    """Return the one-sided p of a fold mean against chance by the same corrected t; NaN unknown.

    `less`: smaller is better.
    """
    gain = (chance - found.mean) if less else (found.mean - chance)
    if not (math.isfinite(gain) and math.isfinite(found.se)) or n_folds < FEWEST:
        return math.nan
    if found.se == 0:
        return 0.5 if gain == 0 else float(gain < 0)
    return float(stdtr(n_folds - 1, -gain / found.se))


class FoldRows(NamedTuple):
    """The rows of a score table over folds, and each row's scores fold by fold."""

    rows: list[Row]
    by_fold: list[Row]
    """The keys of a row, and `values`, one a fold; None where a fold has no such score."""


def over_folds(
    tables: Sequence[Sequence[Row]], sizes: FoldSizes, concepts: dict[tuple[str, bool], int]
) -> FoldRows:
    """Bring the score tables of K folds together; rows that a fold lacks are left out.

    concepts: how many different ones all folds test, by part and whether repeats are averaged.
    Chance is shuffled in each fold anew, so its bands are those of a mean of independent draws;
    ceilings rest on the same raters in all folds, so their bands are averaged.
    """
    groups = _grouped(tables, KEYS)
    chance = {key[1:]: _mean(_values(rows)) for key, rows in groups.items() if key[0] == "chance"}
    found, by_fold = [], []
    for key, rows in groups.items():
        values = _values(rows)
        cells = _cells(key, rows, sizes, chance)
        averaged = key[2] != "single"
        counts = {"n_trials": sum(int(row["n_trials"]) for row in rows)}
        counts["n_concepts"] = concepts.get((key[1], averaged), int(rows[0]["n_concepts"]))
        whole = {**rows[0], **dict(zip(KEYS, key, strict=True)), **cells, **counts}
        whole["n_folds"] = len(rows)
        if "hits" in rows[0]:
            hits = [row.get("hits") for row in rows]
            whole["hits"] = None if None in hits else sum(hits)
        found.append(whole)
        by_fold.append({**dict(zip(KEYS, key, strict=True)), "values": values})
    return FoldRows(found, by_fold)


def differences_over_folds(tables: Sequence[Sequence[Row]], sizes: FoldSizes) -> list[Row]:
    """Bring the differences of K folds together: paired fold by fold, the corrected t's interval.

    Both decoders of a difference were fitted and judged on the same trials of each fold.
    """
    found = []
    for key, rows in _grouped(tables, DIFFERENCE_KEYS).items():
        gains = [row["difference"] for row in rows]
        span = fold_mean(gains, sizes)
        cells = {"difference": span.mean, "low": _known(span.low), "high": _known(span.high)}
        if "p" in rows[0]:
            above = p_above(span, len(gains), 0.0)
            cells["p"] = _known(2 * min(above, 1 - above))
        found.append({**rows[0], **dict(zip(DIFFERENCE_KEYS, key, strict=True)), **cells})
    return found


def curves_over_folds(tables: Sequence[Sequence[Row]], sizes: FoldSizes) -> list[Row]:
    """Bring curves of hits at every k together, (n_classes,) each: sums of hits, corrected t."""
    found = []
    for key, rows in _grouped(tables, ("model", "part", "n_averaged")).items():
        shares = np.array([np.asarray(row["hits"]) / row["n_trials"] for row in rows])
        whole: Row = dict(zip(("model", "part", "n_averaged"), key, strict=True))
        whole["n_trials"] = sum(int(row["n_trials"]) for row in rows)
        whole["n_folds"] = len(rows)
        whole["hits"] = np.sum([row["hits"] for row in rows], axis=0).tolist()
        if "chance" in rows[0]:
            chance = np.asarray(rows[0]["chance"])
            spans = [fold_mean(column, sizes) for column in shares.T]
            whole |= {"low": [max(s.low, 0.0) for s in spans]}
            whole |= {"high": [min(s.high, 1.0) for s in spans]}
            pairs = zip(spans, chance, strict=True)
            whole |= {"p": [p_above(span, len(rows), float(c)) for span, c in pairs]}
            whole |= {"chance": chance.tolist()}
            for end in ("chance_low", "chance_high"):
                ends = np.array([row[end] for row in rows])
                whole[end] = _band(np.tile(chance, (len(rows), 1)), ends).tolist()
        found.append(whole)
    return found


def _grouped(
    tables: Sequence[Sequence[Row]], names: Sequence[str]
) -> dict[tuple[str, ...], list[Row]]:
    """Return rows by key, a row a fold, of what all folds have."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    varied = _averagings(tables)
    for table in tables:
        for row in table:
            named = dict(row, n_averaged=varied.get(row["n_averaged"], row["n_averaged"]))
            groups.setdefault(tuple(str(named[name]) for name in names), []).append(named)
    return {key: rows for key, rows in groups.items() if len(rows) == len(tables)}


def _averagings(tables: Sequence[Sequence[Row]]) -> dict[str, str]:
    """Return by what an averaging is called where not all folds have the same."""
    each = [{row["n_averaged"] for row in table} - {"single"} for table in tables]
    return {} if all(e == each[0] for e in each) else dict.fromkeys(set().union(*each), VARIED)


def _cells(
    key: tuple[str, ...],
    rows: Sequence[Row],
    sizes: FoldSizes,
    chance: dict[tuple[str, ...], float],
) -> Row:
    """Return value, low, high and p of a row over folds."""
    values = _values(rows)
    low, high, p = math.nan, math.nan, math.nan
    if key[0] in {"chance", "ceiling"}:
        low, high = (_ends(key[0], values, [row[end] for row in rows]) for end in ("low", "high"))
        value = _mean(values)
    else:
        span = fold_mean([math.nan if v is None else v for v in values], sizes)
        value, low, high = span.mean, span.low, span.high
        less = key[4].startswith(("mse", "mae")) or key[4] == "mean_rank"
        p = p_above(span, len(rows), chance.get(key[1:], math.nan), less=less)
    return {"value": _known(value), "low": _known(low), "high": _known(high), "p": _known(p)}


def _ends(model: str, values: Sequence[float | None], ends: Sequence[float | None]) -> float:
    if None in ends or None in values:
        return math.nan
    if model == "ceiling":
        return _mean(ends)
    middle, far = np.asarray(values, float)[:, None], np.asarray(ends, float)[:, None]
    return float(_band(middle, far)[0])


def _band(middle: Array, ends: Array) -> Array:
    """Return an end of the band of a mean of K independent draws; middle, ends (K, n)."""
    away = ends - middle
    reach = np.sqrt((away**2).sum(0)) / len(away)
    found: Array = middle.mean(0) + np.sign(away.sum(0)) * reach
    return found


def _values(rows: Iterable[Row]) -> list[float | None]:
    return [row["value"] for row in rows]


def _mean(values: Sequence[float | None]) -> float:
    return math.nan if None in values else float(np.mean(np.asarray(values, float)))


def _known(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None
