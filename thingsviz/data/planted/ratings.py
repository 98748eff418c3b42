"""What people would say about each concept: true ratings on the published scales, and what raters make of them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.data.planted.concepts import PROPERTIES, Concepts, archetypes

FloatArray = NDArray[np.float64]
N_RATERS = 37  # median of the published N-ratings

# Within a kind: loadings of the 14 properties on animacy, bulk, value, excitement, words, grip, and a part of their own.
FACTORS = ("animacy", "bulk", "value", "excitement", "words", "grip")
LOADINGS = pd.DataFrame(
    {
        "manmade": (-0.7, 0.1, 0.1, 0.1, 0.0, 0.0, 0.90),
        "precious": (0.0, 0.1, 0.7, 0.1, 0.0, 0.0, 0.65),
        "lives": (0.7, 0.0, 0.1, 0.2, 0.0, 0.0, 0.65),
        "heavy": (-0.1, 0.8, 0.0, 0.1, 0.0, -0.2, 0.65),
        "natural": (0.7, 0.0, 0.1, 0.0, 0.0, 0.0, 0.90),
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
)[PROPERTIES].to_numpy()  # (7, 14)
KIND_WEIGHT, WITHIN_WEIGHT = 0.3, 0.9
STRONG, STRONG_LEAST = 3, 0.3  # a trait of ±3 of a kind is kept by each of its members


class Scale(NamedTuple):
    """How a property's z becomes a rating u on 0 … 1, u = logistic(slope · (z − centre)), and the raters' spread.

    Raters' SD = spread · √(u(1 − u)) in rating units; all of it set to resemble the published table.
    """

    low: float
    high: float
    centre: float
    slope: float
    spread: float


SCALES: dict[str, Scale] = {
    "manmade": Scale(1, 7, -0.35, 1.6, 3.5),
    "precious": Scale(1, 7, 0.2, 0.9, 3.5),
    "lives": Scale(1, 7, 0.25, 2.5, 3.4),
    "heavy": Scale(1, 7, 0.3, 1.6, 3.1),
    "natural": Scale(1, 7, 0.3, 1.3, 3.4),
    "moves": Scale(1, 7, 0.3, 1.6, 3.8),
    "grasp": Scale(1, 7, -0.7, 1.2, 3.1),
    "hold": Scale(1, 7, -0.6, 1.6, 3.0),
    "be-moved": Scale(1, 7, -0.7, 1.4, 3.0),
    "pleasant": Scale(1, 7, -0.5, 0.8, 2.4),
    "arousal": Scale(1, 7, 0.2, 0.5, 2.3),
    "size": Scale(0, 520, 0.2, 0.55, 44.0),
    "nameability": Scale(0, 1, -0.8, 1.2, 1.0),
    "consistency": Scale(0, 1, -1.0, 1.2, 1.0),
}
LOW, HIGH, CENTRE, SLOPE, SPREAD = np.array([SCALES[p] for p in PROPERTIES]).T


def mean_column(name: str) -> str:
    """Return the published column of a property's mean."""
    if name == "size":
        return "size_mean"
    prefix = "image-label" if name in {"nameability", "consistency"} else "property"
    return f"{prefix}_{name}_mean"


def sd_column(name: str) -> str | None:
    """Return the published column of a property's SD over raters; some have none."""
    return None if name in {"nameability", "consistency"} else mean_column(name)[:-4] + "SD"


def true_ratings(concepts: Concepts, rng: np.random.Generator) -> FloatArray:
    """Draw true ratings (n_concepts, 14) on their own scales that fit each concept's kind and bulk.

    raw = .3 · kind's scores + .9 · (factors · loadings + own), drawn again for a concept until none of its kind's
    strong traits is turned round: a dog lives. Then the logistic of the z-scored raw values (see Scale).
    """
    scores = archetypes().to_numpy(float)[concepts.kind]
    strong = np.abs(scores) == STRONG
    raw, todo = np.zeros(scores.shape), np.arange(len(scores))
    while len(todo):
        factors = rng.standard_normal((len(todo), len(FACTORS)))
        bulk = concepts.bulk[todo]
        factors[:, 1] = np.where(np.isnan(bulk), factors[:, 1], bulk + 0.3 * factors[:, 1])
        own = LOADINGS[-1] * rng.standard_normal((len(todo), len(PROPERTIES)))
        raw[todo] = KIND_WEIGHT * scores[todo] + WITHIN_WEIGHT * (factors @ LOADINGS[:-1] + own)
        turned = strong[todo] & (raw[todo] * np.sign(scores[todo]) < STRONG_LEAST)
        todo = todo[turned.any(1)]
    z = (raw - raw.mean(0)) / raw.std(0)
    return LOW + (HIGH - LOW) / (1 + np.exp(-SLOPE * (z - CENTRE)))


def rate(names: list[str], true: FloatArray, rng: np.random.Generator) -> pd.DataFrame:
    """Let raters rate: the published table (n_concepts rows) from true ratings (n_concepts, 14)."""
    u = np.clip((true - LOW) / (HIGH - LOW), 0.01, 0.99)
    spread = SPREAD * np.sqrt(u * (1 - u)) * np.exp(0.15 * rng.standard_normal(true.shape))
    raters = np.clip(rng.normal(N_RATERS, 1.6, len(names)).round(), 30, 40)
    mean = true + spread / np.sqrt(raters)[:, None] * rng.standard_normal(true.shape)
    return to_table(names, np.clip(mean, LOW, HIGH), spread, raters)


def to_table(
    names: list[str], mean: FloatArray, spread: FloatArray, raters: FloatArray
) -> pd.DataFrame:
    """Arrange means and SDs (n, 14) and counts (n,) under the published column names."""
    columns: dict[str, object] = {"Word": [n.replace("_", " ") for n in names], "uniqueID": names}
    order = [*PROPERTIES[-2:], *PROPERTIES[:-2]]
    for name in order:
        at = PROPERTIES.index(name)
        columns[mean_column(name)] = mean[:, at].round(4)
        sd = sd_column(name)
        if sd:
            columns[sd] = spread[:, at].round(4)
        if name == "arousal":
            columns["property_N-ratings"] = raters.astype(int)
    return pd.DataFrame(columns)


class GivenRatings(NamedTuple):
    """Ratings that a user brings: published table by uniqueID, and the properties it lacks."""

    table: pd.DataFrame
    missing: list[str]


def read_given(path: Path) -> GivenRatings:
    """Read a ratings TSV in the published columns; first-round arousal counts as arousal."""
    try:
        table = pd.read_csv(path, sep="\t", encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        msg = f"the ratings file {str(path)!r} cannot be read as a TSV ({error}): give the published table"
        raise DataError(msg) from None
    table = table.rename(columns=lambda c: c.replace("property_arousal-v1_", "property_arousal_"))
    missing = [p for p in PROPERTIES if mean_column(p) not in table]
    if "uniqueID" not in table or len(missing) > len(PROPERTIES) // 2:
        msg = f"{str(path)!r} has no uniqueID and property_…_mean columns: give the published ratings table"
        raise DataError(msg)
    return GivenRatings(table.drop_duplicates("uniqueID").set_index("uniqueID"), missing)


def nearest_kind(z: FloatArray) -> NDArray[np.intp]:
    """Return the archetype (n,) whose scores go best with z-scored ratings (n, 14); NaN is not looked at."""
    scores = archetypes().to_numpy(float)
    scores = scores / np.linalg.norm(scores, axis=1, keepdims=True)
    best: NDArray[np.intp] = (np.nan_to_num(z) @ scores.T).argmax(1)
    return best
