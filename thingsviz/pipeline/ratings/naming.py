"""How well a rating job's predictions name the concept that was seen, beside those of ridge."""

from __future__ import annotations

import numpy as np
import pandas as pd

from thingsviz.analysis.classes.hit_table import HitPlace
from thingsviz.analysis.classes.naming import (
    Candidates,
    Row,
    candidates,
    name_concepts,
    naming_rows,
)
from thingsviz.pipeline import references
from thingsviz.pipeline.ratings.predictions import scored_parts
from thingsviz.pipeline.training_data import TrainingData


def naming(material: TrainingData, predictions: pd.DataFrame) -> list[Row]:
    """Score the concepts named by predicted ratings, and by those of the reference ridge.

    All rated concepts of the dataset may be named, trained or not. Only the predictions and the
    table of ratings are read. No rows with fewer than two targets.
    """
    config, rows = material.config, material.split.train
    found = candidates(material.concepts, material.ratings, rows)
    if found is None:
        return []
    name = config.model.name
    out = _rows(found, name, predictions, material)
    if name != "ridge":
        beside = references.reference_predictions(material, "ridge")
        out += _rows(found, "ridge", beside, material)
    return out


def with_places(material: TrainingData, predictions: pd.DataFrame) -> pd.DataFrame:
    """Add `rank`: on which place the true concept came when predicted ratings named one.

    Missing where the trial's concept is not rated, in all rows with fewer than two targets.
    """
    found = candidates(material.concepts, material.ratings, material.split.train)
    place = np.full(len(predictions), np.nan)
    if found is not None:
        guess = predictions[[f"pred_{t}" for t in material.config.targets]].to_numpy(float)
        concepts = predictions["concept"].to_numpy(str)
        named = name_concepts(found, guess, concepts)
        if named is not None:
            place[np.isin(concepts, found.names)] = named.own
    return predictions.assign(rank=pd.array(place, dtype="Int64"))


def _rows(found: Candidates, name: str, table: pd.DataFrame, material: TrainingData) -> list[Row]:
    own, rows = name == material.config.model.name, []
    for scored in scored_parts(table, material.config.targets):
        data = name_concepts(found, scored.data.predicted, scored.data.concepts)
        place = HitPlace(name, scored.where.part, scored.where.n_averaged)
        if data is not None:
            rows += naming_rows(place, found, data, own=own, n_draws=references.N_DRAWS)
    return rows
