"""How a linear classifier is fitted in a job: what it is told besides the classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import TrialMatrix
from models.catalog.config import ModelConfig
from models.catalog.registry import LinearModel, build_linear
from models.classify.identification import Identification
from thingsviz.analysis.classes.hits import rank_classes
from thingsviz.core.errors import ConfigError
from thingsviz.data.things.ratings import available, mean_column
from thingsviz.pipeline.training_data import TrainingData


def fit_classifier(config: ModelConfig, material: TrainingData, X: TrialMatrix) -> LinearModel:
    """Fit a linear classifier on the training trials of a job."""
    model, rows = build_linear(config), material.split.train
    if isinstance(model, Identification):
        model.know(class_profiles(material))
    return model.fit(X, rows, material.answers[rows], groups_of(material)[rows])


def groups_of(material: TrainingData) -> NDArray[Any]:
    """Return what a classifier may hold out, (n_trials,): whole concepts, or pictures of each.

    A concept that is held out cannot be learned as a class of its own.
    """
    if material.config.learns == "concepts":
        return material.store.trials["image_filename"].to_numpy(str)
    return material.concepts


def class_profiles(material: TrainingData) -> NDArray[np.float32]:
    """Return the true ratings of each class, (n_classes, n_ratings); NaN where nobody rated it.

    Of the recipe's targets those that the dataset has, as rated; a category's ratings are the
    mean over its concepts.
    """
    table = material.store.trials
    targets = [t for t in material.config.targets if t in available(table.columns)]
    if len(targets) < 2:
        msg = "identification needs 2 rated properties or more: add targets"
        raise ConfigError(msg)
    shown = table[material.classes >= 0].assign(label=material.classes[material.classes >= 0])
    ratings = shown.drop_duplicates("concept").set_index("label")
    columns = ratings[[mean_column(target) for target in targets]].astype(float)
    means = columns.groupby(level=0).mean()
    return means.reindex(range(len(material.outputs))).to_numpy(np.float32)


def classifier_row(model: LinearModel, material: TrainingData, X: TrialMatrix) -> dict[str, float]:
    """Return the shares of hits that a fitted classifier has in training and validation."""
    found: dict[str, float] = {}
    for name, rows in (("train", material.split.train), ("validation", material.split.validation)):
        if len(rows):
            ranks = rank_classes(model.predict(X, rows))
            own = ranks[np.arange(len(rows)), material.classes[rows]]
            found |= {f"{name}_top{k}": float((own <= k).mean()) for k in (1, 10)}
    return found
