"""What is kept beside jobs to be shared: references, leaderboards, curves, the planted truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._fuzz.damage import spoil_bytes
from benchmarks._fuzz.judge import Target
from benchmarks._fuzz.place import Place, of_file
from benchmarks._fuzz.sealed import by_hand, is_json, said, sealed_or_not


def targets(place: Place, scratch: Path) -> Iterator[Target]:
    """Yield what is kept."""
    yield from _beside(place, scratch)
    yield from _references(place)


def _beside(place: Place, scratch: Path) -> Iterator[Target]:
    from thingsviz.core import json_files
    from thingsviz.jobs.result_cache import keep, newest, read_kept

    path = place.jobs / ".leaderboards" / ("f" * 16) / "key.json"
    keep(path, place.dataset, "sub-01", [{"model": "ridge", "value": 0.25}], {"seconds": 3.5})

    def kept() -> Any:  # noqa: ANN401
        found = newest("leaderboards", "f" * 16)
        return None if found is None else read_kept(found)

    def as_said(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        """What cannot be read is computed again."""
        data = said(mutated) if is_json(mutated) else None
        return value is None or value == data or repr(value) == repr(data)

    yield of_file("leaderboard, learning curves (kept)", path, kept, sealed_or_not, as_said)

    scratch.mkdir(parents=True, exist_ok=True)
    record = scratch / "record.json"
    json_files.write_sealed(record, {"a": [1, 2.5, None], "b": {"c": "words"}})

    def any_record() -> Any:  # noqa: ANN401
        return json_files.read_json(record)

    yield of_file("any record in JSON", record, any_record, sealed_or_not, by_hand(dict))


def _references(place: Place) -> Iterator[Target]:
    from thingsviz.analysis.maps.planted_truth import read_truth
    from thingsviz.data.store.beta_store import BetaStore
    from thingsviz.pipeline import reference_cache

    (folder,) = {path.parent for path in (place.jobs / ".references").glob("*/*/scores.json")}

    def rows() -> Any:  # noqa: ANN401
        found = reference_cache.kept(folder)
        return None if found is None else found["rows"]

    def computed_anew(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        """None: what is damaged is computed anew."""
        data = said(mutated) if is_json(mutated) else None
        return value is None or (data is not None and repr(value) == repr(data["rows"]))

    def ridge() -> Any:  # noqa: ANN401
        return reference_cache.table(folder, "ridge.parquet").to_json()

    yield of_file("references, rows", folder / "scores.json", rows, sealed_or_not, computed_anew)
    yield of_file("references, predictions", folder / "ridge.parquet", ridge, spoil_bytes)
    planted = place.dataset.planted_dir("sub-01")

    def oracle() -> Any:  # noqa: ANN401
        return reference_cache.oracle_table(place.dataset, "sub-01").to_json()

    yield of_file("planted oracle", planted / "oracle.parquet", oracle, spoil_bytes)
    n = BetaStore.open(place.dataset, "sub-01").shape[1]

    def truth() -> Any:  # noqa: ANN401
        return read_truth(planted / "truth.npz", n).signal.tobytes()

    yield of_file("planted truth", planted / "truth.npz", truth, spoil_bytes)
