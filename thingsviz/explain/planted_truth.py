"""How well maps find what was planted, how well any map could, and an even one by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from thingsviz.analysis.maps.auc_gap import EVEN, auc_gap, blocks
from thingsviz.analysis.maps.planted_truth import Truth, auc, read_truth
from thingsviz.analysis.regions.smoothing import smooth_in_brain
from thingsviz.core.arrays import Rows
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.explain.compute import MethodMap, to_mass
from thingsviz.explain.decoder import Decoder
from thingsviz.explain.map_methods import GRADIENT_BATCH, METHODS
from thingsviz.explain.patterns import explained
from thingsviz.explain.shared_noise import sample_step, shared_noise

SMOOTH_MM = 12.0
TRUE_RATINGS, CLEANED = "true ratings", "true ratings, shared noise removed"
PLANTED = "what was planted"
# maps without any decoder: what no decoder's map can be expected to exceed by much
LIMITS = (TRUE_RATINGS, CLEANED, PLANTED)


def truth_rows(decoder: Decoder, found: dict[str, MethodMap]) -> dict[str, Any]:
    """Return how well each map finds what was planted; {} for data that were measured.

    `auc`: all planted voxels alike; `auc_weighted`: in proportion to their signal; `auc_smooth`:
    all alike after smoothing the map to about the size of a patch; `over_even`: how far these are
    above those of the map EVEN, with intervals. Beside them stand LIMITS and EVEN.
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
    even = even_map(decoder)
    rows[EVEN] = found_by(material.store, even, truth.signal)
    for name, one in found.items():
        if METHODS[name].by_region:
            continue  # what was planted lies in the data's own regions: an AUC of 1 by itself
        mass = to_mass(decoder, one).reshape(-1, len(truth.signal))
        mean = mass.mean(0)
        rows[name] = found_by(material.store, mean, truth.signal)
        rows[name]["over_even"] = over(material.store, mean, even, truth)
        if len(mass) > 1:
            rows[name]["heads"] = [auc(m, truth.signal, weighted=False) for m in mass]
    return rows


def even_map(decoder: Decoder) -> NDArray[np.float64]:
    """Return a map (n_voxels,) that is the same wherever the decoder reads, 0 elsewhere.

    With attention the same for each token, spread over its voxels as a map of tokens is.
    """
    n_voxels = decoder.material.store.shape[1]
    if decoder.n_layers:
        n = decoder.tokens.n_tokens
        return decoder.tokens.to_voxels(np.full(n, 1 / n))
    weights = decoder.weights()
    if weights is not None:
        return weights.any(1).astype(float)
    arrays = decoder.linear.arrays() if decoder.linear is not None else {}
    voxels = arrays.get("voxels", getattr(decoder.network, "voxels", None))
    even = np.ones(n_voxels)
    if voxels is not None:
        even[np.setdiff1d(np.arange(n_voxels), np.asarray(voxels))] = 0
    return even


def over(
    store: BetaStore,
    values: NDArray[np.floating],
    even: NDArray[np.floating],
    truth: Truth,
) -> dict[str, Any]:
    """Return by how much a map's AUCs are above those of the even one, with 95 % intervals."""
    block, planted = blocks(store.mask, store.grid), truth.signal > 0
    pair = smoothed(store, values), smoothed(store, even)
    return {
        "auc": list(auc_gap(values, even, planted, block)),
        "auc_smooth": list(auc_gap(*pair, planted, block)),
    }


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
    rows, material = decoder.pattern_rows(), decoder.material
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
