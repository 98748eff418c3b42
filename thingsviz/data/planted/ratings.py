"""What people say about each concept: ratings on the published scales, with raters' noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.data.planted.concepts import PROPERTIES, Concepts, archetypes
from thingsviz.data.things.ratings import LABEL_TARGETS, mean_column, sd_column

FloatArray = NDArray[np.float64]
N_RATERS = 37  # median of the published N-ratings
REDRAWS = 60

# Within a kind, a property loads on six factors and has a part of its own.
FACTORS = ("animacy", "bulk", "value", "excitement", "words", "grip")
LOADINGS = pd.DataFrame(
    {
        "manmade": (-0.7, 0.1, 0.1, 0.1, 0.0, 0.0, 1.10),
        "precious": (0.0, 0.1, 0.7, 0.1, 0.0, 0.0, 0.65),
        "lives": (0.7, 0.0, 0.1, 0.2, 0.0, 0.0, 0.65),
        "heavy": (-0.1, 0.8, 0.0, 0.1, 0.0, -0.2, 0.65),
        "natural": (0.7, 0.0, 0.1, 0.0, 0.0, 0.0, 1.10),
        "moves": (0.6, 0.1, 0.0, 0.4, 0.0, 0.0, 0.65),
        "grasp": (0.0, -0.5, 0.0, 0.0, 0.1, 0.8, 0.25),
        "hold": (0.0, -0.5, 0.1, 0.0, 0.1, 0.8, 0.25),
        "be-moved": (0.0, -0.6, 0.0, 0.0, 0.0, 0.4, 0.65),
        "pleasant": (0.1, 0.0, 0.7, -0.3, 0.1, 0.0, 0.65),
        "arousal": (0.1, 0.1, -0.1, 0.8, 0.0, 0.0, 0.65),
        "size": (0.0, 0.8, 0.0, 0.1, 0.0, -0.1, 0.65),
        "nameability": (0.1, 0.0, 0.1, 0.0, 0.8, 0.0, 0.65),
        "consistency": (0.1, 0.0, 0.0, 0.0, 0.8, 0.0, 0.65),
    },
    index=[*FACTORS, "own"],
)[list(PROPERTIES)].to_numpy()  # (7, 14)
KIND_WEIGHT, WITHIN_WEIGHT = 0.3, 0.9
BULK_WEIGHT, BULK_SPREAD = 0.8, 0.3
# What a concept keeps of its kind's strong traits, by the kind's |score|: a dog lives, a car not.
LEAST = {3: 0.4, 2: 0.1}


class SimulatedScale(NamedTuple):
    """How a z-score becomes a rating u on 0 … 1, and how much raters differ.

    u = logistic(slope · (z − centre)); raters' SD = spread · √(u(1 − u)), in rating units.
    The values were set so that means and spreads resemble the published table.
    """

    low: float
    high: float
    centre: float
    slope: float
    spread: float


SCALES: dict[str, SimulatedScale] = {
    "manmade": SimulatedScale(1, 7, -0.2, 1.8, 3.5),
    "precious": SimulatedScale(1, 7, 0.2, 0.9, 3.5),
    "lives": SimulatedScale(1, 7, 0.35, 3.0, 3.4),
    "heavy": SimulatedScale(1, 7, 0.3, 1.6, 3.1),
    "natural": SimulatedScale(1, 7, 0.25, 1.6, 3.4),
    "moves": SimulatedScale(1, 7, 0.3, 1.6, 3.8),
    "grasp": SimulatedScale(1, 7, -0.7, 1.2, 3.1),
    "hold": SimulatedScale(1, 7, -0.6, 1.6, 3.0),
    "be-moved": SimulatedScale(1, 7, -0.7, 1.4, 3.0),
    "pleasant": SimulatedScale(1, 7, -0.5, 0.8, 2.4),
    "arousal": SimulatedScale(1, 7, 0.2, 0.5, 2.3),
    "size": SimulatedScale(0, 520, 0.2, 0.55, 44.0),
    "nameability": SimulatedScale(0, 1, -0.8, 1.2, 1.0),
    "consistency": SimulatedScale(0, 1, -1.0, 1.2, 1.0),
}
LOW, HIGH, CENTRE, SLOPE, SPREAD = np.array([SCALES[name] for name in PROPERTIES]).T


def true_ratings(concepts: Concepts, rng: np.random.Generator) -> FloatArray:
    """Draw true ratings (n_concepts, 14), on their own scales, that fit each kind and bulk."""
    raw = _raw_values(concepts, rng)
    z = (raw - raw.mean(0)) / raw.std(0)
    ratings: FloatArray = LOW + (HIGH - LOW) / (1 + np.exp(-SLOPE * (z - CENTRE)))
    return ratings


def _raw_values(concepts: Concepts, rng: np.random.Generator) -> FloatArray:
    """.3 · kind's scores + .9 · (factors · loadings + own), (n_concepts, 14).

    Drawn again for a concept while a strong trait of its kind is turned round; what is still
    turned after many draws (a skateboard is a light vehicle) is set to the least.
    """
    scores = archetypes().to_numpy(float)[concepts.kind]
    least = np.full(scores.shape, -np.inf)
    for strength, value in LEAST.items():
        least[np.abs(scores) == strength] = value
    sign = np.sign(scores)
    raw, todo = np.zeros(scores.shape), np.arange(len(scores))
    for _ in range(REDRAWS):
        within = _within_kind(concepts.bulk[todo], rng)
        raw[todo] = KIND_WEIGHT * scores[todo] + WITHIN_WEIGHT * within
        todo = todo[(raw[todo] * sign[todo] < least[todo]).any(1)]
    turned = raw * sign < least
    raw[turned] = (sign * np.where(turned, least, 0))[turned]
    return raw


def _within_kind(bulk: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw deviations (n, 14) from the kind; bulk (n,) is followed where it is told."""
    factors = rng.standard_normal((len(bulk), len(FACTORS)))
    told = BULK_WEIGHT * bulk + BULK_SPREAD * factors[:, 1]
    factors[:, 1] = np.where(np.isnan(bulk), factors[:, 1], told)
    own = LOADINGS[-1] * rng.standard_normal((len(bulk), len(PROPERTIES)))
    deviations: FloatArray = factors @ LOADINGS[:-1] + own
    return deviations


def rate(names: list[str], true: FloatArray, rng: np.random.Generator) -> pd.DataFrame:
    """Let raters rate: true ratings (n_concepts, 14) become the published table."""
    u = np.clip((true - LOW) / (HIGH - LOW), 0.01, 0.99)
    spread = SPREAD * np.sqrt(u * (1 - u)) * np.exp(0.15 * rng.standard_normal(true.shape))
    raters = np.clip(rng.normal(N_RATERS, 1.6, len(names)).round(), 30, 40)
    mean = true + spread / np.sqrt(raters)[:, None] * rng.standard_normal(true.shape)
    return to_table(names, np.clip(mean, LOW, HIGH), spread, raters)


def to_table(
    names: list[str], mean: FloatArray, spread: FloatArray, raters: FloatArray
) -> pd.DataFrame:
    """Arrange means and SDs, both (n, 14), and counts (n,) under the published column names."""
    columns: dict[str, object] = {"Word": [n.replace("_", " ") for n in names], "uniqueID": names}
    for name in (*LABEL_TARGETS, *(p for p in PROPERTIES if p not in LABEL_TARGETS)):
        at = PROPERTIES.index(name)
        columns[mean_column(name)] = mean[:, at].round(4)
        if name not in LABEL_TARGETS:
            columns[sd_column(name)] = spread[:, at].round(4)
        if name == "arousal":
            columns["property_N-ratings"] = raters.astype(int)
    return pd.DataFrame(columns)
