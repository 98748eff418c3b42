"""The tables about concepts and voxels: ratings, categories, regions, labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._fuzz.judge import Target
from benchmarks._fuzz.place import Place, beside, of_file
from benchmarks._fuzz.plain import Rows, number, plain, same_number, spoil


def targets(place: Place, scratch: Path) -> Iterator[Target]:
    """Yield the tables about concepts and voxels."""
    yield from _of_concepts(place, scratch)
    yield _voxels(place)
    yield _labels(scratch)
    yield _names(scratch)


def _of_concepts(place: Place, scratch: Path) -> Iterator[Target]:
    from thingsviz.data.things.categories import order_doubts, read_categories
    from thingsviz.data.things.ratings import read_ratings

    path = beside(scratch, "ratings.tsv", place.dataset.ratings_file.read_bytes())
    whole = read_ratings(path).table

    def ratings() -> Any:  # noqa: ANN401
        found = read_ratings(path)
        return found.table.to_dict(), list(found.table.index)

    yield of_file("property-ratings.tsv", path, ratings, spoil("\t"), _ratings_say)

    concepts = list(whole.index)
    long = ["category\tuniqueID", *(f"c{i % 3}\t{name}" for i, name in enumerate(concepts))]
    wide = [
        "uniqueID\ta\tb",
        *(f"{name}\t{i % 2}\t{1 - i % 2}" for i, name in enumerate(concepts)),
    ]
    for kind, lines in (("long", long), ("wide", wide)):
        file = beside(scratch, f"categories-{kind}.tsv", "\n".join(lines).encode())

        def categories(file: Path = file) -> Any:  # noqa: ANN401
            order_doubts(file, concepts)
            return read_categories(file, concepts)

        def says(raw: bytes, value: Any) -> bool:  # noqa: ANN401
            """Say what a table says; one without names is in the order of the ratings."""
            rows = plain(raw, "\t") or [{}]
            if not {"uniqueID", "category", "Word"} & set(rows[0]):
                rows = [
                    {**row, "uniqueID": name} for row, name in zip(rows, concepts, strict=True)
                ]
            return _long_says(rows, value) if "category" in rows[0] else _wide_says(rows, value)

        yield of_file(f"categories, {kind}", file, categories, spoil("\t"), says)


def _ratings_say(raw: bytes, value: Any) -> bool:  # noqa: ANN401
    rows = plain(raw, "\t")
    if rows is None:
        return False
    columns, index = value
    if [row["uniqueID"] for row in rows] != index:
        return False
    aliases = {"property_arousal_mean": "property_arousal-v1_mean"}
    aliases |= {"property_arousal_SD": "property_arousal-v1_SD"}
    return all(
        same_number(
            number(row.get(name, row.get(aliases.get(name, ""), ""))), known[row["uniqueID"]]
        )
        for name, known in columns.items()
        for row in rows
    )


def _long_says(rows: Rows, value: Any) -> bool:  # noqa: ANN401
    said: dict[str, list[str]] = {}
    for row in rows:
        if row["uniqueID"] and row["category"]:
            said.setdefault(row["uniqueID"], [])
            if row["category"] not in said[row["uniqueID"]]:
                said[row["uniqueID"]].append(row["category"])
    return said == value


def _wide_says(rows: Rows, value: Any) -> bool:  # noqa: ANN401
    said: dict[str, list[str]] = {}
    for name in rows[0]:
        for row in rows if name not in {"uniqueID", ""} else []:
            own = said.setdefault(row["uniqueID"], [])
            if row[name] in {"1", "1.0"} and name not in own:
                own.append(name)
    return {k: sorted(v) for k, v in said.items() if v and k} == {
        k: sorted(v) for k, v in value.items()
    }


def _voxels(place: Place) -> Target:
    from thingsviz.data.things.voxel_metadata import read_metadata

    source = place.dataset.voxel_metadata("sub-01")
    short = b"".join(source.read_bytes().splitlines(keepends=True)[:60])
    path = beside(source.parent, "short.csv", short)

    def read() -> Any:  # noqa: ANN401
        return read_metadata(path).astype(float).to_dict("list")

    return of_file("VoxelMetadata.csv", path, read, spoil(","), _voxels_say)


def _voxels_say(raw: bytes, value: Any) -> bool:  # noqa: ANN401
    rows = plain(raw.decode("utf-8", "replace").encode(), ",")
    if rows is None:
        return False
    for name, column in value.items():
        if name == "voxel_id" and name not in (rows[0] if rows else {}):
            continue
        cells = [_said(row.get(name, "")) for row in rows]
        if len(cells) != len(column):
            return False
        if not all(
            same_number(float(np.float32(a)), b) for a, b in zip(cells, column, strict=True)
        ):
            return False
    return True


def _said(cell: str) -> float:
    words = {"true": 1.0, "false": 0.0}
    return words[cell.lower()] if cell.lower() in words else number(cell)


def _labels(scratch: Path) -> Target:
    from thingsviz.data.trials.labels import LabelMap

    names, concepts = ("cat", "dog", "hen"), {"dog": 1, "puppy": 1, "cat": 0, "hen": 2}
    path = scratch / "labels.tsv"
    LabelMap(names, concepts).save(path)

    def read() -> Any:  # noqa: ANN401
        found = LabelMap.load(path)
        return found.names, dict(found.of_concept)

    def agrees(raw: bytes, value: Any) -> bool:  # noqa: ANN401
        rows = plain(raw, "\t") or []
        said = {c: i for i, row in enumerate(rows) for c in row["concepts"].split(",") if c}
        return ([row["label"] for row in rows], said) == (list(map(str.strip, value[0])), value[1])

    return of_file("labels.tsv", path, read, spoil("\t"), agrees)


def _names(scratch: Path) -> Target:
    from thingsviz.analysis.regions.parcellation import read_names

    path = beside(scratch, "parcels.tsv", b"index\tname\n1\tV1\n2\tV2 left\n17\tFFA\n")

    def read() -> Any:  # noqa: ANN401
        return read_names(path)

    def agrees(raw: bytes, value: Any) -> bool:  # noqa: ANN401
        rows = plain(raw, "\t") or []
        return {int(r["index"]): " ".join(r["name"].split())[:80] for r in rows} == value

    return of_file("parcellation, table of names", path, read, spoil("\t"), agrees)
