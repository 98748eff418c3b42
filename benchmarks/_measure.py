"""Fits one decoder of the table as a job would, in a process of its own where memory is asked."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks._rows import Entry
from benchmarks._subjects import Bench, open_bench
from models.catalog.registry import build_network, needs_score
from thingsviz.pipeline.resource_usage import peak_bytes
from thingsviz.pipeline.tasks.ratings import Ratings


class Measured(NamedTuple):
    """What a decoder predicted, how long fitting and predicting took, its process' peak memory."""

    predictions: pd.DataFrame
    seconds: float
    peak_gb: float


def measure(bench: Bench, entry: Entry) -> Measured:
    """Fit and predict in this process."""
    material = bench.material(entry.model, entry.validation)
    material.scaler  # noqa: B018  fitted or read before the clock starts: all share it
    started = time.perf_counter()
    predict = _network(material, entry) if entry.fit else _linear(material, entry)
    found = material.predict(lambda rows: material.unscaled(predict(rows)), entry.model).table
    seconds = time.perf_counter() - started
    return Measured(found, seconds, peak_bytes() / 1e9)


def measure_apart(root: Path, preset: str, bench: Bench, entry: Entry) -> Measured:
    """Fit and predict in a fresh process, so that the memory is this decoder's alone."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        subject = (preset, bench.response, bench.seed)
        return pool.submit(_apart, root, subject, entry).result()


def _apart(root: Path, subject: tuple[str, str, int], entry: Entry) -> Measured:
    return measure(open_bench(root, *subject), entry)


def _linear(material: Ratings, entry: Entry) -> Any:  # noqa: ANN401
    X, model = material.responses, material.fit_linear(entry.model, material.responses)
    return lambda rows: model.predict(X, rows)


def _network(material: Ratings, entry: Entry) -> Any:  # noqa: ANN401
    import torch

    from models.base.voxel_scores import encoding_score
    from models.training.loop import fit_network, predict_network
    from thingsviz.pipeline.fit import default_threads, fit_data

    assert entry.fit is not None
    torch.set_num_threads(default_threads())
    X, rows, Y = material.responses, material.split.train, material.answers
    score = encoding_score(X, rows, Y[rows]) if needs_score(entry.model) else None
    network = build_network(entry.model, material.store.mask, Y.shape[1], score, entry.fit.seed)
    fit_network(network, fit_data(material), entry.fit)

    def predict(rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return predict_network(network, X, rows)

    return predict


def kept(bench: Bench, entry: Entry) -> Measured | None:
    """Return what was measured before with the same settings and data."""
    table, facts = _files(bench, entry)
    if not facts.is_file():
        return None
    known = json.loads(facts.read_text())
    return Measured(pd.read_parquet(table), known["seconds"], known["peak_gb"])


def keep(bench: Bench, entry: Entry, measured: Measured) -> None:
    """Write down what was measured."""
    table, facts = _files(bench, entry)
    measured.predictions.to_parquet(table)
    facts.write_text(json.dumps({"seconds": measured.seconds, "peak_gb": measured.peak_gb}))


def _files(bench: Bench, entry: Entry) -> tuple[Path, Path]:
    fit = entry.fit.model_dump_json() if entry.fit else ""
    text = f"{bench.store.fingerprint} {entry.model.model_dump_json()} {fit} {entry.validation}"
    stem = f"{bench.name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return bench.work / f"{stem}.parquet", bench.work / f"{stem}.json"
