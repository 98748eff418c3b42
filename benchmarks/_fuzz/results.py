"""The numbers that a job leaves: metrics, scores, predictions, split, weights, maps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._fuzz.damage import Rng, spoil_bytes, spoil_header
from benchmarks._fuzz.judge import Target
from benchmarks._fuzz.place import Place, of_file
from benchmarks._fuzz.sealed import SEAL, by_hand, is_json, sealed_or_not


def targets(place: Place, scratch: Path) -> Iterator[Target]:
    """Yield the results of jobs."""
    yield from _tables(place)
    yield _metrics(place)
    yield _split(place)
    yield from _weights(place)
    yield _state(place)
    yield from _maps(place)


def _tables(place: Place) -> Iterator[Target]:
    job = place.job

    def scores() -> Any:  # noqa: ANN401
        tables = job.scores().to_json(), job.differences().to_json()
        return *tables, job.could_not_show()

    def plainly(data: dict[str, Any]) -> Any:  # noqa: ANN401
        rows, other = (
            pd.DataFrame(data.get(name, [])).to_json() for name in ("rows", "differences")
        )
        return rows, other, list(data.get("could_not_show", []))

    yield of_file("scores.json", job.file("scores.json"), scores, sealed_or_not, by_hand(plainly))
    yield of_file(
        "predictions.parquet", job.file("predictions.parquet"),
        lambda: job.predictions().to_json(), spoil_bytes,
    )  # fmt: skip


def _metrics(place: Place) -> Target:
    from thingsviz.core.json_files import append_line
    from thingsviz.jobs.job_folder import merge

    job = place.job
    for i in range(3):
        append_line(job.file("metrics.jsonl"), {"kind": "step", "step": 900 + i, "time": 1.5})
    rows = [row for row in job.metrics()[0] if row]

    def metrics(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        """A damaged row is left out, as a torn one is; unsealed ones are what they say."""
        own = [json.loads(line) for line in mutated.split(b"\n") if is_json(line)]
        by_people = [row for row in own if SEAL not in row]
        return all(row in rows or row in by_people for row in value[0])

    def lines() -> Any:  # noqa: ANN401
        found = job.metrics()[0]
        return found, len(merge([], found)) > 0

    return of_file("metrics.jsonl", job.file("metrics.jsonl"), lines, _spoil_lines, metrics)


def _split(place: Place) -> Target:
    from thingsviz.data.trials.splits import Split

    job = place.job

    def split() -> Any:  # noqa: ANN401
        found = Split.load(job.file("split.json"))
        named = {"train": found.train, "validation": found.validation, "test": found.test}
        return found.kind, found.seed, {k: v.tolist() for k, v in (named | found.extra).items()}

    def parts(data: dict[str, Any]) -> Any:  # noqa: ANN401
        named = {name: data[name] for name in ("train", "validation", "test")}
        return data["kind"], data["seed"], named | data["extra"]

    return of_file("split.json", job.file("split.json"), split, sealed_or_not, by_hand(parts))


def _weights(place: Place) -> Iterator[Target]:
    from models.training.checkpoint import load_tensors
    from thingsviz.jobs.arrays import read_arrays
    from thingsviz.pipeline.resource_usage import count_parameters

    job = place.job
    best, scaler = job.checkpoints / "best.safetensors", job.checkpoints / "scaler.safetensors"

    def weights() -> Any:  # noqa: ANN401
        found, facts = load_tensors(best)
        return {k: v.numpy().tobytes() for k, v in found.items()}, facts, count_parameters(job)

    yield of_file("weights", best, weights, spoil_bytes)
    yield of_file("weights, header", best, weights, _header)

    def arrays() -> Any:  # noqa: ANN401
        return {key: (v.dtype.str, v.tobytes()) for key, v in read_arrays(scaler).items()}

    yield of_file("scaler", scaler, arrays, spoil_bytes)
    yield of_file("scaler, header", scaler, arrays, _header)


def _state(place: Place) -> Target:
    """Make a target of a training state: the older one is taken where the newer is damaged."""
    import torch

    from models.training.checkpoint import newest_state, save_state
    from models.training.state import TrainingState

    folder = place.job.checkpoints / "going"
    for batch in (1, 2):
        tensors = {"w": torch.arange(40.0) * batch}
        path = save_state(folder, TrainingState(tensors, {"epoch": 1, "batch": batch}))

    def state() -> Any:  # noqa: ANN401
        found = newest_state(folder)
        return found.tensors["w"].tolist(), found.facts

    def older(_: bytes, value: Any) -> bool:  # noqa: ANN401
        return bool(value == (list(map(float, range(40))), {"epoch": 1, "batch": 1}))

    return of_file("training state", path, state, spoil_bytes, older)


def _header(rng: Rng, whole: bytes) -> bytes:
    length = 8 + int.from_bytes(whole[:8], "little")
    return spoil_header(rng, whole, min(length, len(whole)))


def _spoil_lines(rng: Rng, whole: bytes) -> bytes:
    """Spoil one line of JSON lines, or the file."""
    lines = whole.split(b"\n")
    at = rng.randrange(len(lines))
    if rng.random() < 0.5 or not lines[at]:
        return spoil_bytes(rng, whole)
    lines[at] = sealed_or_not(rng, lines[at]).replace(b"\n", b" ")
    return b"\n".join(lines)


def _maps(place: Place) -> Iterator[Target]:
    from scipy import sparse

    from models.transformer.token_map import TokenMap
    from thingsviz.explain.map_files import MapSet

    maps = MapSet(place.job, "test")
    maps.save("attention", np.linspace(0, 1, 60), "of these weights")
    share = sparse.random_array((4, 60), density=0.2, rng=np.random.default_rng(3)).tocsr()
    maps.save_tokens(TokenMap(share, np.arange(8).reshape(4, 2), "a note"))
    maps.add_facts(token_note="a note", trials=12, truth={"attention": {"auc": 0.75}})

    def facts() -> Any:  # noqa: ANN401
        return maps.facts()

    def values() -> Any:  # noqa: ANN401
        return maps.load("attention", "of these weights").tobytes()

    def tokens() -> Any:  # noqa: ANN401
        found = maps.tokens()
        return found.share.toarray().tobytes(), found.box_voxels.tobytes(), found.n_voxels

    place_of = maps.path
    yield of_file("maps, facts.json", place_of / "facts.json", facts, sealed_or_not, by_hand(dict))
    yield of_file("maps, a map", maps.file("attention"), values, spoil_bytes)
    yield of_file("maps, tokens", place_of / "tokens.arrays", tokens, spoil_bytes)
