"""A film of a map over a training's kept epochs, as a GIF beside the maps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thingsviz.analysis.maps.volumes import MOST_HEADS, Volumes, head_volumes
from thingsviz.core.errors import ConfigError
from thingsviz.core.files import write_atomically
from thingsviz.core.progress import Progress, Report
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.explain.map_files import EpochMaps
from thingsviz.explain.map_methods import METHODS
from thingsviz.explain.map_session import MapSession
from thingsviz.figures.brain.draw_orders import DrawJob, DrawOrder


def place_of(text: str) -> tuple[int, int]:
    """Return (layer, head), from 0, of words such as '1,3', which count from 1."""
    parts = text.split(",")
    if len(parts) != 2 or not all(p.strip().isdigit() and int(p) > 0 for p in parts):
        msg = f"a film of {text!r} was asked for: write layer and head, such as 1,1"
        raise ConfigError(msg)
    return int(parts[0]) - 1, int(parts[1]) - 1


def make_film(
    session: MapSession,
    methods: Sequence[str],
    places: Sequence[tuple[int, int]],
    report: Report,
) -> list[str]:
    """Make the maps of all kept epochs and draw the films that are asked for."""
    made = session.make_epochs(methods, report)
    for place in places:
        for name in made:
            report(Progress(0, 1, f"drawing a film of {METHODS[name].title}"))
            write_film(session, name, place)
    return made


def write_film(session: MapSession, method: str, place: tuple[int, int]) -> Path:
    """Draw a frame an epoch and write the GIF; one scale for all frames."""
    from thingsviz.figures.brain.draw_worker import draw

    store, there = session.decoder.material.store, session.maps
    assert isinstance(there, EpochMaps)
    several, names = epoch_volumes(there, store, method, place)
    where = f"layer {place[0] + 1}, head {place[1] + 1}" if METHODS[method].unit == "token" else ""
    order = DrawOrder(
        "heads_gif",
        "light",
        title=", ".join(w for w in (METHODS[method].title, where) if w),
        subtitle=f"{there.job.name}, {there.part} trials, as it learned",
        simulated=store.simulated,
        names=names,
    )
    blob = draw(DrawJob(order, several, store.mask, store.grid)).blob
    path = there.path / f"{method}_layer{place[0] + 1}_head{place[1] + 1}.gif"
    write_atomically(path, lambda file: file.write(blob))
    return path


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
    size = METHODS[method].amount(values)
    return size if METHODS[method].unit == "voxel" else there.tokens().to_voxels(size)
