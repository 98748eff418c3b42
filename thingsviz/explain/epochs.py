"""Maps of a training's kept epochs: where the decoder looked as it learned, and as volumes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thingsviz.core.errors import ConfigError
from thingsviz.core.progress import Progress, Report
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.explain.decoder import Decoder, at_epoch
from thingsviz.explain.map_files import EpochMaps
from thingsviz.explain.method_list import METHODS, SHARES
from thingsviz.explain.methods import check_method, compute
from thingsviz.explain.request import asked_rows, rows_of
from thingsviz.figures.brain.heads import MOST_HEADS, Volumes, head_volumes
from thingsviz.jobs.weights import kept_epochs


def make_epochs(
    there: EpochMaps,
    decoder: Decoder,
    methods: Sequence[str],
    target: int | None,
    report: Report,
) -> list[str]:
    """Make maps of all kept epochs; by default of attention, or gradients where there is none."""
    epochs = kept_epochs(decoder.job)
    if len(epochs) < 2:
        msg = (
            f"{decoder.job.name!r} kept the weights of {len(epochs)} epochs, but a film needs two "
            "or more: train it again with fit.keep_epochs of 2 to 32"
        )
        raise ConfigError(msg)
    names = list(methods) or ["attention" if decoder.n_layers else "gradient_input"]
    for name in names:
        check_method(decoder, name)
    fingerprint = decoder.fingerprint()
    for n, name in enumerate(names):
        rows = asked_rows(decoder, name, rows_of(decoder, there.part))
        several = []
        for k, epoch in enumerate(epochs):
            done = n * len(epochs) + k
            what = f"{METHODS[name].title} after epoch {epoch}"
            report(Progress(done, len(names) * len(epochs), what))
            several.append(compute(at_epoch(decoder, epoch), name, rows, target).values)
        there.save(name, np.stack(several), fingerprint)
    there.save_tokens(decoder.tokens)
    there.add_facts(epochs=epochs, fingerprint=fingerprint, n_layers=decoder.n_layers)
    return names


def epoch_volumes(
    there: EpochMaps,
    store: BetaStore,
    method: str,
    place: tuple[int, int] = (0, 0),
    smoothing_mm: float = 8.0,
) -> tuple[Volumes, tuple[str, ...]]:
    """Return one volume an epoch (n, X, Y, Z), 1 = the mean over the brain, and their names.

    `place`: (layer, head) of attention. At most MOST_HEADS epochs are returned, evenly spread:
    as many as are drawn at a time.
    """
    values, epochs = there.load(method).astype(float), there.epochs()
    if values.ndim == 4:
        if not all(0 <= i < n for i, n in zip(place, values.shape[1:3], strict=True)):
            msg = (
                f"layer {place[0] + 1}, head {place[1] + 1} was asked for, but there are "
                f"{values.shape[1]} layers of {values.shape[2]} heads: choose one of them"
            )
            raise ConfigError(msg)
        values = values[:, place[0], place[1]]
    chosen = np.unique(np.linspace(0, len(epochs) - 1, min(len(epochs), MOST_HEADS)).astype(int))
    mass = _mass(there, method, values[chosen])
    names = tuple("Before training" if not epochs[i] else f"Epoch {epochs[i]}" for i in chosen)
    return head_volumes(mass, store.mask, store.grid, smoothing_mm), names


def _mass(there: EpochMaps, method: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values a token or voxel as mass a voxel, (n, n_voxels), as the page shows maps."""
    size = np.clip(values, 0, None) if method in SHARES else np.abs(values)
    return size if METHODS[method].unit == "voxel" else there.tokens().to_voxels(size)
