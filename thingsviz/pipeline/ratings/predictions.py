"""Predictions of a finished model: a row a trial, and a row for the mean of an image's repeats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.analysis.scores.concept_sums import RatedPart, part
from thingsviz.analysis.scores.resampling import FEWEST
from thingsviz.analysis.scores.score_table import ScorePlace
from thingsviz.core.arrays import Rows
from thingsviz.pipeline.training_data import TrainingData

Predict = Callable[[Rows], NDArray[np.float32]]
KEYS = ["session", "run", "trial"]


class ScoredPart(NamedTuple):
    """One part with one way of averaging: where it stands in the table, its rows, its ratings."""

    where: ScorePlace
    rows: Rows
    data: RatedPart


def predict_parts(material: TrainingData, predict: Predict) -> pd.DataFrame:
    """Predict validation, test and, if the split has them, exemplars.

    `predict` gives ratings on the raters' scales. The test part has a second set of rows: for
    each image with k > 1 repeats the mean of its k predictions, under its first repeat.
    (For a linear decoder that is the prediction from the mean response, as the field scores it.)
    """
    frames = []
    for name, rows in material.parts.items():
        single = _frame(material, name, rows, predict(rows))
        frames.append(single)
        if name == "test":
            frames.append(average_repeats(single, material.config.targets))
    return pd.concat(frames, ignore_index=True)


def _frame(
    material: TrainingData, name: str, rows: Rows, predicted: NDArray[np.float32]
) -> pd.DataFrame:
    trials = material.store.trials.iloc[rows]
    frame = pd.DataFrame({"row": rows, **{key: trials[key].to_numpy() for key in KEYS}})
    frame["part"], frame["n_averaged"] = name, 1
    for column in ("concept", "image_filename"):
        frame[column] = trials[column].to_numpy(str)
    values: dict[str, NDArray[Any]] = {
        "true": material.ratings[rows],
        "pred": predicted,
        "sd": material.rating_sd[rows],
    }
    for j, target in enumerate(material.config.targets):
        for prefix, array in values.items():
            if prefix != "sd" or np.isfinite(array[:, j]).any():
                frame[f"{prefix}_{target}"] = array[:, j].astype(float)
    return frame


def average_repeats(single: pd.DataFrame, targets: Sequence[str]) -> pd.DataFrame:
    """Average the predictions of an image's repeats; nothing for images seen once."""
    groups = single.sort_values(KEYS).groupby("image_filename", sort=True)
    mean = groups.first()
    for target in targets:
        mean[f"pred_{target}"] = groups[f"pred_{target}"].mean()
    mean["n_averaged"] = groups.size()
    return mean[mean["n_averaged"] > 1].reset_index()[list(single.columns)]


def scored_parts(predictions: pd.DataFrame, targets: Sequence[str]) -> Iterator[ScoredPart]:
    """Walk over what gets rows in the table: test and exemplars, single and averaged."""
    judged = predictions[predictions["part"] != "validation"]
    averaged = judged["n_averaged"] > 1
    for name in judged["part"].unique():
        for several in (False, True):
            frame = judged[(judged["part"] == name) & (averaged == several)]
            # The mean of a random split's one or two repeated images is no score.
            if len(frame) < (FEWEST if several else 1):
                continue
            words = averaging(frame) if several else "single"
            where = ScorePlace(str(name), words, tuple(targets))
            yield ScoredPart(where, frame["row"].to_numpy(np.int64), _part(frame, targets))


def averaging(frame: pd.DataFrame) -> str:
    """Say how many repeats stand behind the rows of a frame."""
    few, many = int(frame["n_averaged"].min()), int(frame["n_averaged"].max())
    return f"mean of {few}" if few == many else f"mean of {few} to {many}"


def _part(frame: pd.DataFrame, targets: Sequence[str]) -> RatedPart:
    def block(prefix: str) -> NDArray[np.float64]:
        names = [f"{prefix}_{target}" for target in targets]
        return frame.reindex(columns=names).to_numpy(float)

    return part(block("true"), block("pred"), block("sd"), frame["concept"].to_numpy(str))
