"""How each map is computed, batch by batch, for decoders that it suits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.base.arrays import Rows
from models.base.network import Network
from models.explain import attention_maps, attribution
from thingsviz.analysis.regions.smoothing import smooth_in_brain
from thingsviz.core.arrays import Array
from thingsviz.core.errors import ConfigError
from thingsviz.core.progress import Progress, Report, silent
from thingsviz.explain import patterns
from thingsviz.explain.decoder import Decoder
from thingsviz.explain.method_list import (
    AROUND_MM,
    CLEANED,
    GRADIENT_BATCH,
    METHODS,
    SHARES,
    MapSizes,
    peak_of,
)

GROUPED = ("occlusion", "occlusion_region")


class MethodMap(NamedTuple):
    """A map averaged over trials: (layers, heads, n_tokens), (n_tokens,) or (n_voxels,)."""

    method: str
    values: Array
    n_trials: int


def methods_for(decoder: Decoder) -> list[str]:
    """Return the methods that a decoder allows, in the order of the list."""
    there = {"any"}
    if decoder.network is not None:
        there |= {"network"} | ({"attention"} if decoder.n_layers else set())
    if decoder.weights() is not None:
        there |= {"linear"}
    found = [name for name, method in METHODS.items() if method.needs in there]
    return found if decoder.regions.names else [n for n in found if n != "occlusion_region"]


def check_method(decoder: Decoder, name: str) -> None:
    """Refuse a method that does not exist or does not suit this decoder."""
    allowed = methods_for(decoder)
    if name not in allowed:
        why = METHODS[name].needs if name in METHODS else ""
        reason = {
            "attention": "needs a model with attention",
            "network": "needs a network",
            "linear": "needs a linear decoder with a weight a voxel",
            "any": "needs data with regions",
        }.get(why, "is not known")
        msg = f"method {name!r} {reason}: for {decoder.job.name!r} choose {', '.join(allowed)}"
        raise ConfigError(msg)


def peak_bytes(decoder: Decoder, name: str) -> int:
    """Return about how much memory a method takes beyond the decoder itself."""
    sizes = decoder.tokens.n_tokens, decoder.n_heads, decoder.n_layers
    return peak_of(name, MapSizes(decoder.material.store.shape[1], *sizes))


def batch_size(decoder: Decoder, name: str) -> int:
    """Return how many trials are worked on at a time."""
    if METHODS[name].needs != "attention" or decoder.network is None:
        return GRADIENT_BATCH
    return min(GRADIENT_BATCH, attention_maps.batch_for(decoder.network, decoder.tokens.n_tokens))


def compute(
    decoder: Decoder,
    name: str,
    rows: Rows,
    target: int | None = None,
    report: Report = silent,
) -> MethodMap:
    """Make a map, averaged over the trials `rows`; `target`: one output, None: all of them.

    Streams: memory does not grow with the trials. `report` may raise to cancel. Signed methods
    are averaged with their sign, so that what differs from trial to trial by noise cancels.
    """
    check_method(decoder, name)
    score = attribution.objective(decoder.baseline, target)
    if name == "weights":
        return MethodMap(name, _length(decoder.weights(), target), 0)
    if name in SHARES:
        share, n = _pattern(decoder, name, rows, target, report)
        return MethodMap(name, around(decoder, share, AROUND_MM.get(name, 0.0)), n)
    one = _batch_method(decoder, name, score)
    total: Array | None = None
    for x in _batches(decoder, name, rows, report):
        found = one(x).double().sum(0).numpy()
        total = found if total is None else total + found
    if total is None:
        msg = f"there is no trial to make the map {name!r} from: choose a part that has some"
        raise ConfigError(msg)
    values = np.asarray(total / len(rows))
    if name == "occlusion_region":
        values = _shared_out(decoder, values)
    return MethodMap(name, values, len(rows))


def around(decoder: Decoder, values: Array, mm: float) -> Array:
    """Average a map (n_voxels,) over `mm` (Gaussian, FWHM) inside the brain; 0: as it is."""
    if not mm:
        return values
    store = decoder.material.store
    volume = smooth_in_brain(store.brain.unmask(values), store.mask, store.grid, mm)
    return volume[store.mask].astype(float)


def _shared_out(decoder: Decoder, values: Array) -> Array:
    """Share a value a region, (n_regions,), out over its voxels, (n_voxels,); 0 in none."""
    labels = decoder.regions.labels
    n = np.bincount(labels, minlength=1 + len(values))
    each: Array = np.append(0.0, values / np.maximum(n[1:], 1))[labels]
    return each


def _pattern(
    decoder: Decoder, name: str, rows: Rows, target: int | None, report: Report
) -> tuple[Array, int]:
    columns = slice(None) if target is None else slice(target, target + 1)

    def outputs(x: Tensor) -> NDArray[np.float32]:
        with torch.no_grad():
            found: NDArray[np.float32] = decoder.outputs(x)[:, columns].numpy()
        return found

    def read(some: Rows) -> Iterator[Tensor]:
        return _batches(decoder, name, some, report)

    concepts = decoder.material.concepts[rows]
    return patterns.pattern(read, outputs, rows, concepts, clean=name in CLEANED)


def _batches(decoder: Decoder, name: str, rows: Rows, report: Report) -> Iterator[Tensor]:
    size = batch_size(decoder, name)
    for start in range(0, len(rows), size):
        report(Progress(start, len(rows), f"{METHODS[name].title}, trial {start + 1}"))
        yield decoder.responses(rows[start : start + size])


def _batch_method(
    decoder: Decoder, name: str, score: attribution.Objective
) -> Callable[[Tensor], Tensor]:
    """Return the function (B, n_voxels) → (B, …) of a method that works batch by batch."""
    predict, network = decoder.outputs, decoder.network
    if name in GROUPED:
        groups, W = groups_of(decoder, name), decoder.weights()
        if W is not None:
            return linear_occlusion(W, groups, decoder.baseline, score)
        return lambda x: attribution.occlusion(predict, x, score, groups)
    assert isinstance(network, Network)
    table: dict[str, Callable[[Tensor], Tensor]] = {
        "attention": lambda x: attention_maps.attention(network, x),
        "rollout": lambda x: attention_maps.rollout(network, x),
        "attention_gradient": lambda x: attention_maps.attention_gradient(network, x, score),
        "gradient_input": lambda x: attribution.gradient_input(predict, x, score),
        "integrated_gradients": lambda x: attribution.integrated_gradients(predict, x, score),
    }
    return table[name]


def groups_of(decoder: Decoder, name: str) -> NDArray[np.int64]:
    """Return what is left out together, (n_voxels,): patches or regions, −1 for what stays."""
    if name == "occlusion":
        return token_groups(decoder)
    return decoder.regions.labels.astype(np.int64) - 1


def linear_occlusion(
    W: NDArray[np.float32],
    groups: NDArray[np.int64],
    baseline: Tensor,
    score: attribution.Objective,
) -> Callable[[Tensor], Tensor]:
    """Return occlusion of a linear decoder, exactly, from what each group adds to its outputs.

    An output is a sum over voxels, so what a group adds to it is the sum over its own. Voxels of
    no weight, the most of them where a decoder selects, are not even read.
    """
    used = np.flatnonzero((groups >= 0) & W.any(1))
    used = used[np.argsort(groups[used], kind="stable")]  # each group in one piece
    there, first = np.unique(groups[used], return_index=True)
    own, n_groups = W[used].astype(np.float32), int(groups.max()) + 1

    def method(x: Tensor) -> Tensor:
        part = x.numpy()[:, used]
        added = np.zeros((len(part), n_groups, W.shape[1]), np.float32)
        for output, w in enumerate(own.T if len(used) else ()):
            added[:, there, output] = np.add.reduceat(part * w, first, axis=1)
        whole = torch.from_numpy(x.numpy() @ W) + baseline
        without = whole[:, None] - torch.from_numpy(added)
        flat = score(without.flatten(0, 1)).view(len(x), -1)
        return score(whole)[:, None] - flat

    return method


def token_groups(decoder: Decoder) -> NDArray[np.int64]:
    """Return which token each voxel lies in, (n_voxels,), −1 for none; the last of several."""
    share = decoder.tokens.share.tocsc()
    groups = np.full(decoder.tokens.n_voxels, -1, np.int64)
    filled = np.flatnonzero(np.diff(share.indptr))
    groups[filled] = share.indices[share.indptr[filled + 1] - 1]
    return groups


def _length(W: NDArray[np.float32] | None, target: int | None) -> Array:
    """Return |weight| of one output, or the root of the summed squares over all, (n_voxels,)."""
    assert W is not None
    squared = np.asarray(W, float) ** 2
    return np.asarray(np.sqrt(squared.sum(1) if target is None else squared[:, target]))


def to_mass(decoder: Decoder, found: MethodMap) -> Array:
    """Return a map as mass a voxel, (…, n_voxels), not negative, what lies in the brain.

    Below zero: for patterns chance, so 0; for gradients and occlusion use all the same, so |v|.
    """
    values = np.clip(found.values, 0, None) if found.method in SHARES else np.abs(found.values)
    if METHODS[found.method].unit == "voxel":
        return np.asarray(values)
    return decoder.tokens.to_voxels(values)
