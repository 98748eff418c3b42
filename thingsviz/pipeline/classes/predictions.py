"""Guesses of a finished classifier: a row a trial, a row for the mean of an image's repeats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_softmax

from models.catalog.config import ModelConfig
from models.catalog.registry import spec_of
from thingsviz.analysis.classes.hit_table import HitPlace
from thingsviz.analysis.classes.hits import Guesses, Ranks, rank_classes
from thingsviz.analysis.scores.resampling import FEWEST
from thingsviz.core.arrays import Rows
from thingsviz.core.errors import JobError
from thingsviz.pipeline.ratings.predictions import KEYS, Predict, averaging
from thingsviz.pipeline.training_data import TrainingData

SHOWN = 20
RANKS = "ranks.safetensors"


class Classified(NamedTuple):
    """What a classifier said: a row a trial, and beside it every class's rank."""

    table: pd.DataFrame
    ranks: Ranks  # (len(table), n_classes)


class ScoredClasses(NamedTuple):
    """One part with one way of averaging."""

    place: HitPlace
    data: Guesses


def classify_parts(material: TrainingData, predict: Predict, config: ModelConfig) -> Classified:
    """Classify validation, test and, if the split has them, exemplars.

    `predict` gives scores (len(rows), n_classes), the larger the better. The test part has a
    second set of rows: for an image with k > 1 repeats the classes by the mean of its k scores.
    """
    log_p = has_probabilities(config)
    tables, ranks = [], []
    for name, rows in material.parts.items():
        scores = np.asarray(predict(rows), float)
        groups = [(rows, scores, np.ones(len(rows), np.int64))]
        if name == "test":
            groups.append(_averaged(material, rows, scores))
        for own, values, counts in groups:
            found = rank_classes(values)
            tables.append(_table(material, name, (own, values, counts), found, log_p))
            ranks.append(found)
    return Classified(pd.concat(tables, ignore_index=True), np.concatenate(ranks))


def has_probabilities(config: ModelConfig) -> bool:
    """Whether a classifier's scores are log-probabilities up to a constant."""
    return spec_of(config).kind == "network" or config.name == "lda"


def _averaged(
    material: TrainingData, rows: Rows, scores: NDArray[np.float64]
) -> tuple[Rows, NDArray[np.float64], NDArray[np.int64]]:
    """Average the scores of an image's repeats, under its first one; images shown once drop."""
    trials = material.store.trials.iloc[rows]
    order = np.lexsort([trials[key].to_numpy() for key in KEYS[::-1]])
    images = trials["image_filename"].to_numpy(str)[order]
    _, first, index, counts = np.unique(
        images, return_index=True, return_inverse=True, return_counts=True
    )
    sums = np.zeros((len(counts), scores.shape[1]))
    np.add.at(sums, index, scores[order])
    several = counts > 1
    means = sums[several] / counts[several, None]
    return rows[order][first[several]], means, counts[several].astype(np.int64)


def _table(
    material: TrainingData,
    name: str,
    found: tuple[Rows, NDArray[np.float64], NDArray[np.int64]],
    ranks: Ranks,
    log_p: bool,
) -> pd.DataFrame:
    rows, scores, counts = found
    trials = material.store.trials.iloc[rows]
    table = pd.DataFrame({"row": rows, **{key: trials[key].to_numpy() for key in KEYS}})
    table["part"], table["n_averaged"] = name, counts
    for column in ("concept", "image_filename"):
        table[column] = trials[column].to_numpy(str)
    names, true = np.array(material.outputs), material.classes[rows]
    each = np.arange(len(rows))
    table["true_class"] = names[true]
    table["rank"] = ranks[each, true].astype(np.int64)
    table["p_true"] = np.exp(log_softmax(scores, 1)[each, true]) if log_p else np.nan
    order = np.argsort(ranks, axis=1)[:, :SHOWN]
    for place in range(order.shape[1]):
        table[f"top_{place + 1}"] = names[order[:, place]]
    return table


def scored_classes(
    classified: Classified, names: tuple[str, ...], model: str
) -> Iterator[ScoredClasses]:
    """Walk over what gets rows in the table: test and exemplars, single and averaged."""
    table, ranks = classified
    if ranks.shape != (len(table), len(names)):
        msg = (
            f"ranks {ranks.shape} do not fit {len(table)} predictions of {len(names)} classes: "
            "delete predictions.parquet and start the job again"
        )
        raise JobError(msg)
    index = {name: i for i, name in enumerate(names)}
    for (name, words), wanted in table_parts(table):
        frame = table[wanted]
        true = np.asarray(frame["true_class"].map(index), np.int64)
        data = Guesses(ranks[wanted.to_numpy()], true, frame["concept"].to_numpy(str))
        yield ScoredClasses(HitPlace(model, name, words), data)


def table_parts(table: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.Series]]:
    """Walk over the parts that are judged and their averagings: names, and which rows."""
    for name in (part for part in table["part"].unique() if part != "validation"):
        for several in (False, True):
            wanted = table["part"].eq(name) & (table["n_averaged"].gt(1) == several)
            frame = table[wanted]
            if len(frame) >= (FEWEST if several else 1):
                yield (str(name), averaging(frame) if several else "single"), wanted
