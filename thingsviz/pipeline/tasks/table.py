"""Tables of predictions: a row a trial, and a row for the mean of an image's repeats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.analysis.scores.resampling import FEWEST
from thingsviz.core.arrays import Array, Rows
from thingsviz.pipeline.training_data import TrainingData

Predict = Callable[[Rows], NDArray[np.float32]]
KEYS = ["session", "run", "trial"]


class PartValues(NamedTuple):
    """What a model says of the trials of a part, or of the means over an image's repeats."""

    part: str
    rows: Rows  # (n,); of a mean its first repeat
    values: Array  # (n, n_outputs)
    n_averaged: NDArray[np.int64]  # (n,)


def values_of_parts(data: TrainingData, predict: Predict) -> Iterator[PartValues]:
    """Predict each part, single trials first; of the test the means over repeats as well.

    For a linear decoder these are the predictions from mean responses, as the field scores them.
    """
    for name, rows in data.parts.items():
        single = PartValues(name, rows, np.asarray(predict(rows), float), np.ones_like(rows))
        yield single
        if name == "test":
            yield mean_of_repeats(single, data.store.trials)


def mean_of_repeats(single: PartValues, trials: pd.DataFrame) -> PartValues:
    """Average the values of an image's repeats, by the image's name; images seen once drop."""
    shown = trials.iloc[single.rows]
    order = np.lexsort([shown[key].to_numpy() for key in KEYS[::-1]])
    images = shown["image_filename"].to_numpy(str)[order]
    _, first, index, counts = np.unique(
        images, return_index=True, return_inverse=True, return_counts=True
    )
    sums = np.zeros((len(counts), single.values.shape[1]))
    np.add.at(sums, index, single.values[order])
    several = counts > 1
    means = sums[several] / counts[several, None]
    rows = single.rows[order][first[several]]
    return PartValues(single.part, rows, means, counts[several].astype(np.int64))


def trial_columns(data: TrainingData, values: PartValues) -> pd.DataFrame:
    """Return the columns that say which trials the rows are of."""
    trials = data.store.trials.iloc[values.rows]
    table = pd.DataFrame({"row": values.rows, **{key: trials[key].to_numpy() for key in KEYS}})
    table["part"], table["n_averaged"] = values.part, values.n_averaged
    for column in ("concept", "image_filename"):
        table[column] = trials[column].to_numpy(str)
    return table


def judged_parts(table: pd.DataFrame) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Walk over what gets scores, test and exemplars, single and averaged: names, which rows.

    Of means there must be several: that of a random split's one or two repeated images is none.
    """
    for name in (part for part in table["part"].unique() if part != "validation"):
        for several in (False, True):
            wanted = (table["part"].eq(name) & (table["n_averaged"].gt(1) == several)).to_numpy()
            if wanted.sum() >= (FEWEST if several else 1):
                yield str(name), averaging(table[wanted]) if several else "single", wanted


def averaging(frame: pd.DataFrame) -> str:
    """Say how many repeats stand behind the rows of a frame."""
    few, many = int(frame["n_averaged"].min()), int(frame["n_averaged"].max())
    return f"mean of {few}" if few == many else f"mean of {few} to {many}"
