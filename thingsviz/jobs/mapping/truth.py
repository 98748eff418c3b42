"""How well maps find what was planted, and how well any map of single voxels could."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from thingsviz.analysis.maps_truth import auc, read_truth
from thingsviz.data.betas import BetaStore
from thingsviz.figures.volume import smooth_in_brain
from thingsviz.inference.decoder import Decoder
from thingsviz.inference.method_list import GRADIENT_BATCH
from thingsviz.inference.methods import Found, to_mass
from thingsviz.inference.patterns import explained
from thingsviz.jobs.training.material import Rows

MOST_PATTERN_ROWS = 4000
SMOOTH_MM = 12.0
TRUE_RATINGS = "true ratings"


def pattern_rows(decoder: Decoder) -> Rows:
    """Return the trials of which a pattern is a covariance: all of the split, up to a limit.

    It is a property of the decoder, the same for any trial, and needs far more than a few.
    """
    split, parts = decoder.material.split, decoder.material.parts
    every = np.unique(np.concatenate([split.train, *parts.values()]))
    return np.asarray(every[:: -(-len(every) // MOST_PATTERN_ROWS)], np.int64)


def truth_rows(decoder: Decoder, found: dict[str, Found]) -> dict[str, Any]:
    """Return how well each map finds what was planted; {} for data that were measured.

    `auc`: all planted voxels alike; `auc_weighted`: in proportion to their signal; `auc_smooth`:
    all alike after smoothing the map to about the size of a patch.
    """
    material = decoder.material
    path = material.dataset.root / "derivatives" / "planted" / material.config.subject
    truth = read_truth(path / "truth.npz", material.store.shape[1])
    if truth is None or not truth.signal.any():
        return {}
    best = true_ratings(decoder)
    rows: dict[str, Any] = {TRUE_RATINGS: {"auc": auc(best, truth.signal, weighted=False)}}
    for name, one in found.items():
        if name == "occlusion_region":
            continue  # what was planted lies in the data's own regions: an AUC of 1 by itself
        mass = to_mass(decoder, one).reshape(-1, len(truth.signal))
        mean = mass.mean(0)
        rows[name] = {
            "auc": auc(mean, truth.signal, weighted=False),
            "auc_weighted": auc(mean, truth.signal, weighted=True),
            "auc_smooth": auc(smoothed(material.store, mean), truth.signal, weighted=False),
        }
        if len(mass) > 1:
            rows[name]["heads"] = [auc(m, truth.signal, weighted=False) for m in mass]
    return rows


def true_ratings(decoder: Decoder) -> NDArray[np.float64]:
    """Return the pattern of what was to be learned itself, (n_voxels,): a decoder without error.

    The mark for maps voxel by voxel: what a voxel's own noise hides, no decoder's map can show.
    """
    rows, material = pattern_rows(decoder), decoder.material

    def read(some: Rows) -> Iterator[Tensor]:
        for start in range(0, len(some), GRADIENT_BATCH):
            yield decoder.responses(some[start : start + GRADIENT_BATCH])

    return explained(read, material.answers[rows].astype(np.float32), rows)[0]


def smoothed(store: BetaStore, mass: NDArray[np.floating]) -> NDArray[np.float32]:
    """Smooth a map (n_voxels,) inside the brain by SMOOTH_MM."""
    volume = smooth_in_brain(store.brain.unmask(mass), store.mask, store.grid, SMOOTH_MM)
    inside: NDArray[np.float32] = volume[store.mask]
    return inside
