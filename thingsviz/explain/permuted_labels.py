"""A network trained again on labels dealt out to other concepts: what a map shows without any.

After Adebayo et al. 2018: a map that stays the same shows the data and the architecture.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.base.voxel_scores import encoding_score
from models.catalog.registry import build_network, needs_score
from models.classify.labels import class_encoding_score
from models.cost.base import Size
from models.cost.estimate import estimate
from models.training.loop import Hooks, fit_network
from thingsviz.core.arrays import Rows
from thingsviz.core.progress import Progress, Report, silent
from thingsviz.explain.decoder import Decoder
from thingsviz.pipeline.fit import fit_data
from thingsviz.pipeline.training_data import TrainingData

MOST_EPOCHS = 8


def seconds_of(material: TrainingData) -> float:
    """Return about how long the training takes on this machine."""
    config, split = material.config, material.split
    size = Size(len(split.train), len(split.validation), len(material.outputs))
    fit = config.fit.model_copy(update={"epochs": min(config.fit.epochs, MOST_EPOCHS)})
    return estimate(config.model, material.store.mask, fit, size).seconds


def permuted_network(decoder: Decoder, report: Report = silent, seed: int = 0) -> Decoder:
    """Train a decoder's network anew on permuted labels, MOST_EPOCHS at most; the same recipe."""
    material = dealt_out(decoder.material, seed)
    config, rows = material.config, material.split.train
    score = None
    if needs_score(config.model):
        scored = encoding_score if material.labels is None else class_encoding_score
        score = scored(material.responses, rows, material.answers[rows])
    n_targets = len(material.outputs)
    network = build_network(config.model, material.store.mask, n_targets, score, config.fit.seed)
    fit = config.fit.model_copy(update={"epochs": min(config.fit.epochs, MOST_EPOCHS)})
    done = 0

    def tell(row: dict[str, object]) -> None:
        nonlocal done
        done += row.get("kind") == "epoch"
        report(Progress(done, fit.epochs, f"training on permuted labels, epoch {done}"))

    fit_network(network, fit_data(material), fit, Hooks(report=tell))
    return replace(decoder, material=material, network=network.eval())


def dealt_out(material: TrainingData, seed: int = 0) -> TrainingData:
    """Return the material with each concept's labels given to another, in each part apart."""
    answers = np.array(material.answers)
    for n, rows in enumerate((material.split.train, material.split.validation)):
        answers[rows] = answers[_dealt(rows, material.concepts, seed + n)]
    other = copy.copy(material)
    other.__dict__["answers"] = answers
    return other


def _dealt(rows: Rows, concepts: NDArray[np.str_], seed: int) -> Rows:
    """Return for each row a row of the concept whose labels it gets."""
    _, first, index = np.unique(concepts[rows], return_index=True, return_inverse=True)
    return np.asarray(rows[np.random.default_rng(seed).permutation(first)[index]], np.int64)
