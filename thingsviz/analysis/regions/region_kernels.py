"""Concept means of the training, and kernels to them, region by region, in two passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import TrialMatrix
from thingsviz.analysis.regions.regions import Regions, regions_of
from thingsviz.core.arrays import Floats, Rows
from thingsviz.core.errors import DataError
from thingsviz.core.progress import Progress, Report
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.voxel_metadata import region_columns

WHOLE = "whole brain"
FEWEST_VOXELS = 10
AT_ONCE = 32  # trials; 27 MB of float32 at 211,000 voxels


class RegionOf(NamedTuple):
    """A region: its name and its voxels' indices in the store."""

    name: str
    voxels: NDArray[np.int64]


def regions(store: BetaStore, own: Regions | None = None) -> list[RegionOf]:
    """Return the whole brain and each region of ten voxels or more.

    They are `own`, a user's parcellation, or else the data's regions or an atlas's.
    """
    columns = region_columns(store.voxels) if own is None else []
    if columns:
        found = [RegionOf(c, np.flatnonzero(store.voxels[c].to_numpy())) for c in columns]
    else:
        named = own or regions_of(store.voxels, store.grid, store.mask, store.space)
        pairs = enumerate(named.names, 1)
        found = [RegionOf(name, np.flatnonzero(named.labels == i)) for i, name in pairs]
    known = [region for region in found if len(region.voxels) >= FEWEST_VOXELS]
    return [RegionOf(WHOLE, np.arange(store.shape[1])), *known]


class Kernels(NamedTuple):
    """Of one region: between concepts (n, n), and from test trials to concepts (n_test, n)."""

    between: NDArray[np.float64]
    to_test: NDArray[np.float64]


def kernels(
    X: TrialMatrix,
    train: Rows,
    concepts: NDArray[np.intp],
    test: Rows,
    places: list[RegionOf],
    report: Report,
) -> list[Kernels]:
    """Read the data twice, front to back; `concepts` (len(train),) counts from 0.

    Means of n concepts take 4 · n · n_voxels bytes: 0.5 GB for 620 concepts of a whole subject.
    """
    if not (len(train) and len(test)):
        msg = "there are no training or no test trials: choose another split"
        raise DataError(msg)
    total = len(train) + len(test)
    means = _means(X, train, concepts, lambda n: report(Progress(n, total, "averaging concepts")))
    between = [_between(means, place) for place in places]
    to_test = [np.empty((len(test), len(means))) for _ in places]
    for start in range(0, len(test), AT_ONCE):
        block = X.batch(test[start : start + AT_ONCE])
        for place, out in zip(places, to_test, strict=True):
            out[start : start + AT_ONCE] = _inner(block, means, place)
        report(Progress(len(train) + start, total, "reading test trials"))
    return [Kernels(a, b) for a, b in zip(between, to_test, strict=True)]


def _means(
    X: TrialMatrix, rows: Rows, concepts: NDArray[np.intp], report: Callable[[int], None]
) -> Floats:
    counts = np.bincount(concepts)
    means = np.zeros((len(counts), X.shape[1]), np.float32)
    for start in range(0, len(rows), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        for concept, response in zip(concepts[part], X.batch(rows[part]), strict=True):
            means[concept] += response
        report(start)
    means /= counts[:, None]
    return means


def _between(means: Floats, place: RegionOf) -> NDArray[np.float64]:
    own = means if place.name == WHOLE else means[:, place.voxels]
    return (own @ own.T).astype(np.float64)


def _inner(block: Floats, means: Floats, place: RegionOf) -> NDArray[np.float64]:
    if place.name == WHOLE:
        return (block @ means.T).astype(np.float64)
    return (block[:, place.voxels] @ means[:, place.voxels].T).astype(np.float64)
