"""A film of a map over a training's kept epochs, as a GIF beside the maps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from thingsviz.core.errors import ConfigError
from thingsviz.core.files import write_atomically
from thingsviz.core.progress import Progress, Report
from thingsviz.explain.decoder import Decoder
from thingsviz.explain.epochs import epoch_volumes, make_epochs
from thingsviz.explain.map_files import EpochMaps
from thingsviz.explain.method_list import METHODS
from thingsviz.figures.brain.draw_orders import Job, Order


def place_of(text: str) -> tuple[int, int]:
    """Return (layer, head), from 0, of words such as '1,3', which count from 1."""
    parts = text.split(",")
    if len(parts) != 2 or not all(p.strip().isdigit() and int(p) > 0 for p in parts):
        msg = f"a film of {text!r} was asked for: write layer and head, such as 1,1"
        raise ConfigError(msg)
    return int(parts[0]) - 1, int(parts[1]) - 1


def make_film(
    there: EpochMaps,
    decoder: Decoder,
    methods: Sequence[str],
    target: int | None,
    places: Sequence[tuple[int, int]],
    report: Report,
) -> list[str]:
    """Make the maps of all kept epochs and draw the films that are asked for."""
    made = make_epochs(there, decoder, methods, target, report)
    for place in places:
        for name in made:
            report(Progress(0, 1, f"drawing a film of {METHODS[name].title}"))
            write_film(there, decoder, name, place)
    return made


def write_film(there: EpochMaps, decoder: Decoder, method: str, place: tuple[int, int]) -> Path:
    """Draw a frame an epoch and write the GIF; one scale for all frames."""
    from thingsviz.figures.brain.draw_worker import draw

    store = decoder.material.store
    several, names = epoch_volumes(there, store, method, place)
    where = f"layer {place[0] + 1}, head {place[1] + 1}" if METHODS[method].unit == "token" else ""
    order = Order(
        "heads_gif",
        "light",
        title=", ".join(w for w in (METHODS[method].title, where) if w),
        subtitle=f"{decoder.job.name}, {there.part} trials, as it learned",
        simulated=store.simulated,
        names=names,
    )
    blob = draw(Job(order, several, store.mask, store.grid)).blob
    path = there.path / f"{method}_layer{place[0] + 1}_head{place[1] + 1}.gif"
    write_atomically(path, lambda file: file.write(blob))
    return path
