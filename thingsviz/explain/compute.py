"""How a map is computed, batch by batch, for decoders that its method suits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.base.arrays import Rows
from models.explain import attribution
from thingsviz.analysis.regions.smoothing import smooth_in_brain
from thingsviz.core.arrays import Array
from thingsviz.core.errors import ConfigError
from thingsviz.core.progress import Progress, Report, silent
from thingsviz.explain import patterns
from thingsviz.explain.decoder import Decoder
from thingsviz.explain.map_methods import METHODS, MapMethod, MapSizes


class MethodMap(NamedTuple):
    """A map averaged over trials: (layers, heads, n_tokens), (n_tokens,) or (n_voxels,)."""

    method: str
    values: Array
    n_trials: int


def methods_for(decoder: Decoder) -> list[str]:
    """Return the methods that a decoder allows, in the order of the registry."""
    there = {"any"}
    if decoder.network is not None:
        there |= {"network"} | ({"attention"} if decoder.n_layers else set())
    if decoder.weights() is not None:
        there |= {"linear"}
    regions = bool(decoder.regions.names)
    suited = [m for m in METHODS.values() if m.needs in there]
    return [m.name for m in suited if regions or not m.by_region]


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


def sizes_of(decoder: Decoder) -> MapSizes:
    """Return what the memory of a decoder's maps depends on."""
    n_voxels = decoder.material.store.shape[1]
    return MapSizes(n_voxels, decoder.tokens.n_tokens, decoder.n_heads, decoder.n_layers)


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
    method, score = METHODS[name], attribution.objective(decoder.baseline, target)
    if method.whole is not None:
        return MethodMap(name, method.whole(decoder, target), 0)
    if method.share:
        share, n = _pattern(decoder, method, rows, target, report)
        return MethodMap(name, around(decoder, share, method.around_mm), n)
    values = _averaged(decoder, method, score, rows, report)
    if method.by_region:
        values = _shared_out(decoder, values)
    return MethodMap(name, values, len(rows))


def _averaged(
    decoder: Decoder, method: MapMethod, score: attribution.Objective, rows: Rows, report: Report
) -> Array:
    """Return the mean over trials of a method that works batch by batch."""
    assert method.each is not None
    each, total = method.each(method, decoder, score), None
    for x in _batches(decoder, method, rows, report):
        part = each(x).double().sum(0).numpy()
        total = part if total is None else total + part
    if total is None:
        msg = (
            f"there is no trial to make the map {method.name!r} from: choose a part that has some"
        )
        raise ConfigError(msg)
    return np.asarray(total / len(rows))


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
    decoder: Decoder, method: MapMethod, rows: Rows, target: int | None, report: Report
) -> tuple[Array, int]:
    columns = slice(None) if target is None else slice(target, target + 1)

    def outputs(x: Tensor) -> NDArray[np.float32]:
        with torch.no_grad():
            found: NDArray[np.float32] = decoder.outputs(x)[:, columns].numpy()
        return found

    def read(some: Rows) -> Iterator[Tensor]:
        return _batches(decoder, method, some, report)

    concepts = decoder.material.concepts[rows]
    return patterns.pattern(read, outputs, rows, concepts, clean=method.cleaned)


def _batches(decoder: Decoder, method: MapMethod, rows: Rows, report: Report) -> Iterator[Tensor]:
    size = method.batch(sizes_of(decoder))
    for start in range(0, len(rows), size):
        report(Progress(start, len(rows), f"{method.title}, trial {start + 1}"))
        yield decoder.responses(rows[start : start + size])


def to_mass(decoder: Decoder, found: MethodMap) -> Array:
    """Return a map as mass a voxel, (…, n_voxels), not negative, what lies in the brain."""
    method = METHODS[found.method]
    values = method.amount(found.values)
    return np.asarray(values) if method.unit == "voxel" else decoder.tokens.to_voxels(values)
