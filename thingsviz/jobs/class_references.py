"""The rows that every classifier is shown beside: prior-only, one-hot ridge, identification."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.config import IdentificationConfig, ModelConfig, MultinomialRidgeConfig
from models.errors import ModelError
from models.inputs import TrialMatrix
from thingsviz.analysis.class_table import class_curve, class_rows, prior_line, prior_rows
from thingsviz.core.errors import ConfigError
from thingsviz.jobs import files
from thingsviz.jobs.class_fitting import fit_classifier
from thingsviz.jobs.class_results import classify_parts, scored_classes
from thingsviz.jobs.material import Material

PRIOR, RIDGE, IDENTIFICATION = "prior", "ridge", "identification"
CURVES = "curves.json"
N_DRAWS = 1000
Row = dict[str, Any]


def class_reference_rows(
    material: Material, X: TrialMatrix, folder: Path, announce: Callable[[str], None]
) -> list[Row]:
    """Compute the references' rows, and keep their curves in `folder`.

    Identification needs two rated properties or more: without them it has no row.
    """
    rows: list[Row] = []
    curves: list[Row] = []
    models: dict[str, ModelConfig] = {
        RIDGE: MultinomialRidgeConfig(),
        IDENTIFICATION: IdentificationConfig(),
    }
    for name, config in models.items():
        announce(f"computing the reference row of {name}")
        try:
            model = fit_classifier(config, material, X)
        except (ModelError, ConfigError) as error:
            announce(f"no reference row of {name}: {error}")
            continue
        found = classify_parts(material, lambda rows, m=model: m.predict(X, rows), config)  # type: ignore[misc]
        for place, data in scored_classes(found, material.outputs, name):
            rows += class_rows(place, data, chance=False, n_draws=N_DRAWS)
            curves.append(class_curve(place, data, full=False, n_draws=N_DRAWS))
            if name == RIDGE:
                prior = place._replace(model=PRIOR)
                rows += prior_rows(prior, data, trained(material))
                curves.append(prior_line(prior, data, trained(material)))
    files.write_json(folder / CURVES, {"curves": curves})
    return rows


def trained(material: Material) -> NDArray[np.int64]:
    """Return the training trials of each class, (n_classes,)."""
    classes = material.classes[material.split.train]
    return np.bincount(classes, minlength=len(material.outputs)).astype(np.int64)


def reference_curves(folder: Path) -> list[Row]:
    """Return the curves kept by `class_reference_rows`."""
    data = files.read_json(folder / CURVES)
    return [] if data is None else list(data["curves"])
