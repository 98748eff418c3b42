"""A prepared store: its manifest, the matrix and its checksums, tables, labels, the journal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._fuzz.damage import Rng, spoil_bytes, spoil_header, spoil_json
from benchmarks._fuzz.judge import Target
from benchmarks._fuzz.place import Place, of_file

FILES = (
    *("betas.npy", "betas_crc32.npy", "trials.parquet", "voxels.parquet"),
    "brain_mask.nii.gz",
)


def targets(place: Place, scratch: Path) -> Iterator[Target]:
    """Yield the files of a store."""
    from thingsviz.core.errors import DataError
    from thingsviz.data.store.beta_store import BetaStore, store_state

    folder = place.store

    def read() -> Any:  # noqa: ANN401
        """Read a store through its state and its numbers, as pages and trainings do."""
        state = store_state(place.dataset, "sub-01")
        if state.state == "broken":
            raise DataError(state.reason)
        opened = BetaStore.open(place.dataset, "sub-01")
        numbers = opened.read(np.arange(opened.shape[0])).tobytes()
        about = opened.space, opened.simulated, opened.fingerprint
        return (
            numbers,
            opened.trials.to_json(),
            opened.voxels.to_json(),
            opened.mask.tobytes(),
            about,
        )

    path = folder / "manifest.json"
    yield of_file("store, manifest.json as written", path, read, spoil_bytes)
    yield of_file("store, manifest.json without its checksum", path, read, _unsealed, _only_about)
    for name in FILES:
        yield of_file(f"store, {name}", folder / name, read, spoil_bytes)
    yield of_file(
        "store, header of betas.npy", folder / "betas.npy", read,
        lambda rng, whole: spoil_header(rng, whole, 128),
    )  # fmt: skip
    yield _journal(scratch, place)
    yield _label_map(place)


def _unsealed(rng: Rng, whole: bytes) -> bytes:
    """Spoil what stands in a sealed file as somebody who edits it does: without the seal."""
    data = json.loads(whole)
    data.pop("crc32", None)
    return spoil_json(rng, data)


def _only_about(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
    """Accept other words about a store, never other numbers: those have checksums of their own."""
    data = json.loads(mutated)
    said = str(data["space"]), bool(data["simulated"]), str(data["fingerprint"])
    return bool(value[4] == said)


def _label_map(place: Place) -> Target:
    from thingsviz.data.things.trials import read_trials
    from thingsviz.data.trials.labels import LabelMap, label_file, label_map

    label_map(place.dataset, "sub-01", "categories27", read_trials(place.store))
    path = label_file(place.dataset, "sub-01", "categories27")

    def read() -> Any:  # noqa: ANN401
        found = LabelMap.load(path)
        return found.names, dict(found.of_concept)

    names, concepts = read()

    def agrees(_: bytes, value: Any) -> bool:  # noqa: ANN401
        """Accept a file cut after a line: the lines that are there are right."""
        rest = {name: i for name, i in concepts.items() if i < len(value[0])}
        return bool(value == (names[: len(value[0])], rest))

    return of_file("store, classes", path, read, spoil_bytes, agrees)


def _journal(scratch: Path, place: Place) -> Target:
    from thingsviz.data.prepare.journal import Journal
    from thingsviz.data.prepare.read_run import FinishedPiece
    from thingsviz.data.store.manifest import note_source

    scratch.mkdir(parents=True, exist_ok=True)
    journal = Journal(scratch, "a signature")
    source = note_source(place.dataset, place.dataset.runs("sub-01")[0].betas)
    journal._append("a signature")
    for i in range(4):
        journal.add(FinishedPiece(f"run {i}", source, (i, i + 1), ["a note"], [3 + i]))

    def read() -> Any:  # noqa: ANN401
        return {key: vars(piece) for key, piece in journal.done(place.dataset).items()}

    def agrees(_: bytes, value: Any) -> bool:  # noqa: ANN401
        """Pieces that cannot be read are made again: fewer are right, others are not."""
        return all(sound.get(key) == piece for key, piece in value.items())

    sound = read()
    return of_file("journal of preparing", journal.path, read, spoil_bytes, agrees)
