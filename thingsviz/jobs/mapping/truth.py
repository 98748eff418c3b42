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
from thingsviz.inference.shared_noise import sample_step, shared_noise
from thingsviz.jobs.training.material import Rows

MOST_PATTERN_ROWS = 4000
SMOOTH_MM = 12.0
TRUE_RATINGS, CLEANED = "true ratings", "true ratings, shared noise removed"
PLANTED = "what was planted"
# maps without any decoder: what no decoder's map can be expected to exceed by much
LIMITS = (TRUE_RATINGS, CLEANED, PLANTED)


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
    all alike after smoothing the map to about the size of a patch. Beside them stand LIMITS.
    """
    material = decoder.material
    path = material.dataset.root / "derivatives" / "planted" / material.config.subject
    truth = read_truth(path / "truth.npz", material.store.shape[1])
    if truth is None or not truth.signal.any():
        return {}
    rows: dict[str, Any] = {
        name: found_by(material.store, values, truth.signal)
        for name, values in limits(decoder, truth.signal).items()
    }
    for name, one in found.items():
        if name == "occlusion_region":
            continue  # what was planted lies in the data's own regions: an AUC of 1 by itself
        mass = to_mass(decoder, one).reshape(-1, len(truth.signal))
        mean = mass.mean(0)
        rows[name] = found_by(material.store, mean, truth.signal)
        if len(mass) > 1:
            rows[name]["heads"] = [auc(m, truth.signal, weighted=False) for m in mass]
    return rows


def found_by(
    store: BetaStore, values: NDArray[np.floating], signal: NDArray[np.floating]
) -> dict[str, float]:
    """Return how well a map (n_voxels,) finds planted voxels, as it is and at 12 mm."""
    return {
        "auc": auc(values, signal, weighted=False),
        "auc_weighted": auc(values, signal, weighted=True),
        "auc_smooth": auc(smoothed(store, values), signal, weighted=False),
    }


def limits(decoder: Decoder, signal: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
    """Return the maps (n_voxels,) of LIMITS: patterns of the true ratings, and the truth itself.

    A pattern of what was to be learned is that of a decoder without error: what a voxel's own
    noise hides from it, no decoder's map can show voxel by voxel. And the planted strength loses
    voxels when it is smoothed, for strong regions spread over their neighbours.
    """
    rows, material = pattern_rows(decoder), decoder.material
    truth = material.answers[rows].astype(np.float32)

    def read(some: Rows) -> Iterator[Tensor]:
        for start in range(0, len(some), GRADIENT_BATCH):
            yield decoder.responses(some[start : start + GRADIENT_BATCH])

    step = sample_step(material.store.shape[1])
    sample = np.concatenate([x.numpy()[:, ::step] for x in read(rows)])
    shared = shared_noise(sample, truth, material.concepts[rows])
    patterns = [explained(read, truth, rows, noise)[0] for noise in (None, shared)]
    return dict(zip(LIMITS, [*patterns, signal], strict=True))


def smoothed(store: BetaStore, mass: NDArray[np.floating]) -> NDArray[np.float32]:
    """Smooth a map (n_voxels,) inside the brain by SMOOTH_MM."""
    volume = smooth_in_brain(store.brain.unmask(mass), store.mask, store.grid, SMOOTH_MM)
    inside: NDArray[np.float32] = volume[store.mask]
    return inside
