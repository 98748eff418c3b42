"""Command: how a linear decoder's score grows with trials, repeats and voxels; kept for a page."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.catalog.config import ModelConfig, parse_model
from models.catalog.registry import build_linear, spec_of
from thingsviz.analysis.curves.learning import (
    draw_of,
    mean_of_repeats,
    predicted_r,
    reliability,
    sizes_of,
)
from thingsviz.analysis.scores.concept_sums import RatedPart, part
from thingsviz.analysis.scores.metrics import pearson
from thingsviz.analysis.scores.score_table import MEAN, ScorePlace, ceiling_rows, model_rows
from thingsviz.commands.cli import run_command
from thingsviz.commands.folders import dataset_path
from thingsviz.commands.leaderboard import material_of
from thingsviz.core.arrays import Rows
from thingsviz.core.errors import ConfigError
from thingsviz.core.progress import Progress, Report
from thingsviz.core.trial_key import parse_subject
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset, open_dataset
from thingsviz.jobs.result_cache import keep, kept_file
from thingsviz.pipeline.tasks.ratings import Ratings
from thingsviz.pipeline.training_data import open_store
from thingsviz.queue.progress_bar import ProgressBar

VERSION = 1
DRAWS_A_POINT = 300  # of bootstrap and shuffled concepts at each point
REPEATS = 3  # draws of trials, or of repeats, behind a point
FEWEST_TRIALS = 24
VOXELS = (100, 300, 1000, 3000, 10_000, 30_000, 100_000)
Row = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    """Make the curves, and say where they are."""
    dataset, subject = open_dataset(dataset_path(options.dataset)), parse_subject(options.subject)
    config = parse_model({"name": options.model})
    if spec_of(config).kind != "linear" or config.name == "mean":
        msg = f"model {config.name!r} is no linear decoder of ratings: use ridge"
        raise ConfigError(msg)
    store = open_store(dataset, subject)
    with ProgressBar("learning curves", options.progress) as console:
        path = make_curves(dataset, subject, store, config, console)
    print(path)
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "dataset", type=Path, help="name or folder of a dataset with a prepared subject"
    )
    parser.add_argument("--subject", default="sub-01", help="label of the subject")
    parser.add_argument("--model", default="ridge", help="a linear decoder of ratings")
    parser.add_argument("--progress", type=Path, help=argparse.SUPPRESS)


def make_curves(
    dataset: Dataset, subject: str, store: BetaStore, config: ModelConfig, report: Report
) -> Path:
    """Compute the three curves on unseen concepts and keep them."""
    started = time.time()
    with tempfile.TemporaryDirectory() as scratch:
        material = material_of(dataset, subject, store, "unseen_concepts", Path(scratch))
        report(Progress(0, 1, "z-scoring sessions"))
        rows = _Curves(material, config, report).rows()
    path = kept_file(
        "curves", store, {"version": VERSION, "model": config.model_dump(mode="json")}
    )
    about = {
        "version": VERSION,
        "model": config.name,
        "fingerprint": store.fingerprint,
        "simulated": store.simulated,
        "targets": list(material.config.targets),
        "seconds": time.time() - started,
    }
    keep(path, dataset, subject, rows, about)
    report(Progress(1, 1, "done"))
    return path


class _Curves:
    """The curves of one decoder on one subject: each point is fitted anew and scored on the test.

    Selection of voxels and penalties see only the trials drawn; the test's concepts are in none.
    """

    def __init__(self, material: Ratings, config: ModelConfig, report: Report) -> None:
        self.material, self.config, self.report = material, config, report
        self.train, self.test = material.split.train, material.split.test
        images = material.store.trials["image_filename"].to_numpy(str)[self.test]
        _, self.first, self.images = np.unique(images, return_index=True, return_inverse=True)
        self.sizes = sizes_of(len(self.train), FEWEST_TRIALS)
        selects = getattr(config, "n_selected_voxels", 0) != 0
        n_voxels = material.store.shape[1]
        self.voxels = [*(v for v in VOXELS if v < n_voxels), n_voxels] if selects else []
        self.total = REPEATS * (len(self.sizes) - 1) + 1 + len(self.voxels)
        self.done = 0

    def rows(self) -> list[Row]:
        """Return all points of all curves, one row a property and one for their mean."""
        found: list[Row] = []
        whole = np.empty((0, 0))
        for size in self.sizes:
            draws = REPEATS if size < len(self.train) else 1
            predicted = [
                self._predict(self.train[draw_of(len(self.train), size, seed)], self.config)
                for seed in range(draws)
            ]
            whole = predicted[-1]
            parts = [self._part(self.test, values) for values in predicted]
            found += self._points("trials", self.config.name, size, parts)
        found += list(self._over_repeats(self.config.name, whole))
        oracle = self._oracle()
        if oracle is not None:
            found += list(self._over_repeats("oracle", oracle))
            found += self._points(
                "trials", "oracle", len(self.train), [self._part(self.test, oracle)]
            )
        for count in self.voxels:
            config = self.config.model_copy(update={"n_selected_voxels": count})
            predicted_ = self._predict(self.train, config)
            found += self._points(
                "voxels", config.name, count, [self._part(self.test, predicted_)]
            )
        return found + self._ceiling()

    def _predict(self, rows: Rows, config: ModelConfig) -> NDArray[np.float64]:
        material = self.material
        self.report(Progress(self.done, self.total, f"fitting on {len(rows):,} trials"))
        self.done += 1
        model = build_linear(config, material.store.mask)
        X, Y = material.responses, material.answers
        fitted = model.fit(X, rows, Y[rows], material.concepts[rows])
        return material.scale.to_ratings(fitted.predict(X, self.test))

    def _part(self, rows: Rows, predicted: NDArray[np.float64]) -> RatedPart:
        m = self.material
        return part(m.ratings[rows], predicted, m.rating_sd[rows], m.concepts[rows])

    def _over_repeats(self, name: str, single: NDArray[np.float64]) -> Iterator[Row]:
        """Average the predictions of 1, 2 … all repeats; beside it what one repeat predicts."""
        most = int(np.bincount(self.images).min())
        rng = np.random.default_rng(6)
        rows = self.test[self.first]
        rho = reliability(single, self.images)
        r_single = pearson(self.material.ratings[self.test], single)
        for k in range(1, most + 1):
            draws = [
                mean_of_repeats(single, self.images, k, rng)
                for _ in range(REPEATS if k < most else 1)
            ]
            yield from self._points("repeats", name, k, [self._part(rows, d) for d in draws])
            yield from self._predicted(name, k, predicted_r(r_single, rho, k))

    def _predicted(self, name: str, k: int, r: NDArray[np.float64]) -> Iterator[Row]:
        targets = self.material.config.targets
        values = {MEAN: float(np.nanmean(r)), **dict(zip(targets, map(float, r), strict=True))}
        for target, value in values.items():
            yield {"curve": "repeats", "model": f"{name}, predicted", "x": k, "target": target} | {
                "value": value
            }

    def _points(self, curve: str, name: str, x: int, parts: list[RatedPart]) -> list[Row]:
        """Score the draws of one point: means over draws of value and interval, largest p."""
        where = ScorePlace(curve, str(x), self.material.config.targets)
        tables = [
            pd.DataFrame(model_rows(name, where, p, chance=True, n_draws=DRAWS_A_POINT))
            for p in parts
        ]
        both = pd.concat([t[t["metric"] == "r"] for t in tables])
        own = both[both["model"] == name].groupby("target", sort=False)
        chance = both[both["model"] == "chance"].groupby("target", sort=False)
        value = own[["value", "low", "high"]].mean().assign(p=own["p"].max())
        value["chance"] = chance["value"].mean()
        value["chance_low"], value["chance_high"] = chance["low"].mean(), chance["high"].mean()
        about = {"curve": curve, "model": name, "x": x, "draws": len(parts)}
        counts = {"n_trials": parts[0].n_trials, "n_concepts": parts[0].n_concepts}
        rows = value.astype(float).reset_index().to_dict("records")
        return [{**about, **counts, **{str(k): v for k, v in row.items()}} for row in rows]

    def _oracle(self) -> NDArray[np.float64] | None:
        """Return the oracle's single-trial predictions of the test; None for measured data."""
        values = self.material.oracle(self.test, 1)
        return values if values is not None and np.isfinite(values).all() else None

    def _ceiling(self) -> list[Row]:
        where = ScorePlace("test", "single", self.material.config.targets)
        data = self._part(self.test, self.material.ratings[self.test])
        rows = ceiling_rows(where, data, self.material.n_raters[self.test])
        return [
            {
                "curve": "all",
                "model": "ceiling",
                "x": 0,
                "target": r["target"],
                "value": r["value"],
            }
            for r in rows
            if r["metric"] == "r"
        ]


main = partial(run_command, "learning-curves")

if __name__ == "__main__":
    sys.exit(main())
