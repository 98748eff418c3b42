"""The description of a dataset and the tables that say what each trial was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks._fuzz.damage import spoil_json
from benchmarks._fuzz.judge import Target, then_gone
from benchmarks._fuzz.place import Place, beside, of_file
from benchmarks._fuzz.plain import decoded, plain, spoil


def targets(place: Place, scratch: Path) -> Iterator[Target]:
    """Yield the tables about trials."""
    yield _description(place)
    yield from _of_trials(place, scratch)


def _description(place: Place) -> Target:
    path = place.dataset.description_file

    def read() -> Any:  # noqa: ANN401
        return place.dataset.description(), place.dataset.simulated, place.dataset.space

    def agrees(raw: bytes, value: Any) -> bool:  # noqa: ANN401
        found = json.loads(raw)
        said = found, found.get("Simulated") is True, found.get("Space", "T1w")
        return json.dumps(said, sort_keys=True) == json.dumps(value, sort_keys=True)

    return of_file(
        "dataset_description.json", path, read, lambda r, w: spoil_json(r, json.loads(w)), agrees
    )


def _of_trials(place: Place, scratch: Path) -> Iterator[Target]:
    from thingsviz.data.things.layout import RunFiles
    from thingsviz.data.things.stimuli import read_stimuli
    from thingsviz.data.things.trial_types import types_from_events
    from thingsviz.data.things.trials import read_conditions

    run = place.dataset.runs("sub-01")[0]
    path = beside(scratch, "conditions.tsv", run.conditions.read_bytes())
    files = RunFiles(run.session, run.run, None, path)

    def conditions() -> Any:  # noqa: ANN401
        return read_conditions(files).table["image_filename"].tolist()

    def shown(raw: bytes, value: Any) -> bool:  # noqa: ANN401
        rows = plain(raw, "\t")
        return rows is not None and [row["image_filename"] for row in rows] == value

    yield of_file("conditions.tsv", path, conditions, spoil("\t"), shown)
    yield _design(scratch, path.read_bytes())

    table = read_conditions(run).table
    kinds = ["exp" if i % 5 else "test" for i in range(len(table))]
    lines = ["onset\tduration\ttrial_type\tfile_path"]
    pairs = enumerate(zip(kinds, table["image_filename"], strict=True))
    lines += [f"{i * 4.5}\t0.5\t{kind}\t{image}" for i, (kind, image) in pairs]
    name = f"sub-01_ses-things{run.session:02d}_task-things_run-{run.run:02d}_events.tsv"
    folder = place.dataset.root / "sub-01" / f"ses-things{run.session:02d}" / "func"
    path = beside(folder, name, "\n".join(lines).encode())

    def events() -> Any:  # noqa: ANN401
        return types_from_events(place.dataset, "sub-01", table)

    def typed(raw: bytes, value: Any) -> bool:  # noqa: ANN401
        rows = plain(raw, "\t")
        said = [
            {"exp": "train"}.get(r.get("trial_type", ""), r.get("trial_type")) for r in rows or []
        ]
        return value == {} or list(value.values()) == said

    yield of_file("events.tsv", path, events, spoil("\t"), typed)
    path.unlink()

    rows = [f"{i},train,{1 + i // 6},{1 + i // 3 % 2},{i},dog_{i:02d}s.jpg" for i in range(12)]
    path = beside(
        scratch, "StimulusMetadata.csv",
        "\n".join([",trial_type,session,run,trial_id,stimulus", *rows]).encode(),
    )  # fmt: skip

    def stimuli() -> Any:  # noqa: ANN401
        return read_stimuli(path).astype(str).to_dict("records")

    yield of_file("StimulusMetadata.csv", path, stimuli, spoil(","), _stimuli_say)
    yield _image_paths(place)


def _stimuli_say(raw: bytes, value: Any) -> bool:  # noqa: ANN401
    rows = plain(raw, ",")
    if rows is None or len(rows) != len(value):
        return False
    for row, found in zip(rows, value, strict=True):
        words = row["stimulus"] == found["stimulus"]
        kinds = row["trial_type"].lower() == found["trial_type"]
        digits = [_last_digits(row[n]) == int(found[n]) for n in ("session", "run", "trial_id")]
        if not (words and kinds and all(digits)):
            return False
    return True


def _last_digits(cell: str) -> int:
    bare = cell.removesuffix(".0")
    digits = "".join(c for c in bare if c.isdigit())
    return int(digits) if bare.endswith(digits) else -1


def _image_paths(place: Place) -> Target:
    from thingsviz.data.things.trials import build_trials

    images = build_trials(place.dataset, "sub-01").table["filepath"].dropna()
    lines = sorted({f"images/{path}" for path in images})
    path = beside(
        place.dataset.image_paths_file.parent, place.dataset.image_paths_file.name,
        "\n".join(lines).encode(),
    )  # fmt: skip

    def read() -> Any:  # noqa: ANN401
        return build_trials(place.dataset, "sub-01").table["filepath"].fillna("").tolist()

    def agrees(raw: bytes, value: Any) -> bool:  # noqa: ANN401
        text = decoded(raw).replace("\r", "\n")
        said = {line.strip().strip('"') for line in text.split("\n")} | {*images, ""}
        return set(value) <= said

    target = of_file("image-paths.csv", path, read, spoil(","), agrees)
    path.unlink()
    return replace(target, read=then_gone(path, target.read))


def _design(scratch: Path, conditions: bytes) -> Target:
    from thingsviz.data.planted.design import read_design

    folder = scratch / "design"
    path = beside(folder / "ses-things01", "sub-01_ses-things01_run-01_conditions.tsv", conditions)

    def read() -> Any:  # noqa: ANN401
        return read_design(folder)["image_filename"].tolist()

    def agrees(raw: bytes, value: Any) -> bool:  # noqa: ANN401
        rows = plain(raw, "\t")
        return rows is not None and [row["image_filename"] for row in rows] == value

    return of_file("a design to plant by", path, read, spoil("\t"), agrees)
