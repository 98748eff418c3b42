"""The rows that every classifier is shown beside: prior-only, one-hot ridge, identification."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.base.arrays import TrialMatrix
from models.base.errors import ModelError
from models.catalog.config import ModelConfig
from models.classify.config import IdentificationConfig, MultinomialRidgeConfig
from thingsviz.analysis.classes.differences import hit_rows
from thingsviz.analysis.classes.hit_table import (
    HitPlace,
    class_curve,
    class_rows,
    ks_of,
    prior_line,
    prior_rows,
)
from thingsviz.core.errors import ConfigError, JobError
from thingsviz.jobs import json_files
from thingsviz.pipeline import reference_cache
from thingsviz.pipeline.classes.fit import fit_classifier
from thingsviz.pipeline.classes.predictions import classify_parts, scored_classes, table_parts
from thingsviz.pipeline.training_data import TrainingData

PRIOR, RIDGE, IDENTIFICATION = "prior", "ridge", "identification"
CURVES = "curves.json"
N_DRAWS = 1000
KEPT = ["row", "part", "n_averaged", "concept", "rank"]
Row = dict[str, Any]
MODELS: dict[str, ModelConfig] = {
    RIDGE: MultinomialRidgeConfig(),
    IDENTIFICATION: IdentificationConfig(),
}


def class_reference_rows(
    material: TrainingData, X: TrialMatrix, folder: Path, announce: Callable[[str], None]
) -> list[Row]:
    """Compute the references' rows, and keep their curves in `folder`.

    Identification needs two rated properties or more: without them it has no row.
    """
    rows: list[Row] = []
    curves: list[Row] = []
    for name, config in MODELS.items():
        announce(f"computing the reference row of {name}")
        try:
            model = fit_classifier(config, material, X)
        except (ModelError, ConfigError) as error:
            announce(f"no reference row of {name}: {error}")
            continue
        found = classify_parts(material, lambda rows, m=model: m.predict(X, rows), config)  # type: ignore[misc]
        found.table[KEPT].to_parquet(folder / f"{name}.parquet", index=False)
        for place, data in scored_classes(found, material.outputs, name):
            rows += class_rows(place, data, chance=False, n_draws=N_DRAWS)
            curves.append(class_curve(place, data, full=False, n_draws=N_DRAWS))
            if name == RIDGE:
                prior = place._replace(model=PRIOR)
                rows += prior_rows(prior, data, trained(material))
                curves.append(prior_line(prior, data, trained(material)))
    json_files.write_sealed(folder / CURVES, {"curves": curves})
    return rows


def class_differences(material: TrainingData, table: pd.DataFrame, folder: Path) -> list[Row]:
    """Compare a classifier's guesses with those of ridge and identification, part by part."""
    rows: list[Row] = []
    ks = ks_of(len(material.outputs))
    for name, config in MODELS.items():
        path = folder / f"{name}.parquet"
        if config.name == material.config.model.name or not path.is_file():
            continue
        other = reference_cache.table(folder, path.name)
        for (part, averaging), at in table_parts(table):
            ours, theirs = table[at], other[at.to_numpy()]
            if not np.array_equal(ours["row"], theirs["row"]):
                msg = f"the reference {name!r} was scored on other trials: delete {str(folder)!r}"
                raise JobError(msg)
            ranks = ours["rank"], theirs["rank"]
            place = HitPlace(name, part, averaging)
            rows += hit_rows(place, ranks, ours["concept"].to_numpy(str), ks, 10 * N_DRAWS)
    return rows


def trained(material: TrainingData) -> NDArray[np.int64]:
    """Return the training trials of each class, (n_classes,)."""
    classes = material.classes[material.split.train]
    return np.bincount(classes, minlength=len(material.outputs)).astype(np.int64)


def reference_curves(folder: Path) -> list[Row]:
    """Return the curves kept by `class_reference_rows`."""
    data = json_files.read_json(folder / CURVES)
    return [] if data is None else list(data["curves"])
