"""Command: how well each region of one subject's brain tells each property, kept for the page."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from thingsviz.analysis.curves.leaderboard import fit_kernel, region_rows, with_q
from thingsviz.analysis.regions.parcellation import ENDINGS, by_name, read_parcellation
from thingsviz.analysis.regions.region_kernels import WHOLE, RegionOf, kernels, regions
from thingsviz.analysis.regions.regions import Regions
from thingsviz.analysis.scores.concept_sums import part
from thingsviz.commands.cli import run_command
from thingsviz.commands.folders import dataset_path
from thingsviz.core.progress import Progress, Report
from thingsviz.core.trial_key import parse_subject
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset, open_dataset
from thingsviz.data.things.ratings import available
from thingsviz.data.trials.splits import make_split
from thingsviz.jobs.recipe import JobConfig
from thingsviz.jobs.result_cache import keep, kept_file
from thingsviz.pipeline.tasks.ratings import Ratings
from thingsviz.pipeline.training_data import open_store
from thingsviz.queue.progress_bar import ProgressBar

VERSION = 1
Row = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    """Make the leaderboard, and say where it is."""
    dataset, subject = open_dataset(dataset_path(options.dataset)), parse_subject(options.subject)
    store = open_store(dataset, subject)
    with ProgressBar("leaderboard", options.progress) as console:
        own = own_regions(dataset, store, options.regions)
        path = make_leaderboard(dataset, subject, store, options.split, console, own)
    print(path)
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "dataset", type=Path, help="name or folder of a dataset with a prepared subject"
    )
    parser.add_argument("--subject", default="sub-01", help="label of the subject")
    parser.add_argument(
        "--split",
        default="unseen_concepts",
        choices=("unseen_concepts", "test_images", "concept"),
        help="which trials are the test (default: those of concepts never trained)",
    )
    parser.add_argument(
        "--regions",
        default="",
        help="a parcellation of your own in the place of the data's regions: its name beside the "
        "dataset, or a NIfTI with its table of labels beside it",
    )
    parser.add_argument("--progress", type=Path, help=argparse.SUPPRESS)


def own_regions(dataset: Dataset, store: BetaStore, wanted: str) -> Regions | None:
    """Return a user's parcellation, by name or by path; None when none is wanted."""
    if not wanted:
        return None
    if wanted.endswith(ENDINGS):
        return read_parcellation(Path(wanted), store.grid, store.mask, store.space)
    return by_name(dataset, store, wanted)


def make_leaderboard(
    dataset: Dataset,
    subject: str,
    store: BetaStore,
    kind: str,
    report: Report,
    own: Regions | None = None,
) -> Path:
    """Score all regions and properties, single trials and means of repeats; keep the rows."""
    started = time.time()
    settings: dict[str, Any] = {"version": VERSION, "split": kind}
    if own is not None:
        settings["parcellation"] = f"{own.source} {zlib.crc32(own.labels.tobytes()):08x}"
    places = regions(store, own)
    with tempfile.TemporaryDirectory() as scratch:
        material = material_of(dataset, subject, store, kind, Path(scratch))
        report(Progress(0, 1, "z-scoring sessions"))
        rows, names = board_rows(material, report, places), material.config.targets
    path = kept_file("leaderboards", store, settings)
    about = {
        **settings,
        "fingerprint": store.fingerprint,
        "simulated": store.simulated,
        "targets": list(names),
        "source": own.source if own else "",
        "regions": {place.name: len(place.voxels) for place in places},
        "seconds": time.time() - started,
    }
    keep(path, dataset, subject, rows, about)
    report(Progress(1, 1, "done"))
    return path


def material_of(
    dataset: Dataset, subject: str, store: BetaStore, kind: str, scratch: Path
) -> Ratings:
    """Open a subject with all its properties and a split of seed 0; z-scores go to `scratch`."""
    targets = tuple(available(store.trials.columns))
    config = JobConfig.model_validate(
        {"dataset": str(dataset.root), "subject": subject, "targets": targets}
    )
    split = make_split(store.trials, kind, (0.8, 0.0 if kind == "concept" else 0.1, 0.2), 0)
    return Ratings(config, dataset, store, split, scratch / "scaler.safetensors")


def board_rows(material: Ratings, report: Report, places: list[RegionOf]) -> list[Row]:
    """Return rows subject × averaging × region × property with q over each averaging's rows."""
    train, test = material.split.train, material.split.test
    _, first, index = np.unique(material.concepts[train], return_index=True, return_inverse=True)
    found = kernels(material.responses, train, index, test, places, report)
    ratings = material.ratings[train][first]
    rows: dict[str, list[Row]] = {}
    for place, kernel in zip(places, found, strict=True):
        predicted = fit_kernel(kernel.between, ratings).predict(kernel.to_test)
        for averaged, chosen, values in _averagings(material, predicted):
            at = test[chosen]
            data = part(
                material.ratings[at], values, material.rating_sd[at], material.concepts[at]
            )
            scored = region_rows(data, material.config.targets, material.n_raters[at])
            where: Row = {"subject": material.config.subject, "n_averaged": averaged}
            where |= {"region": place.name, "n_voxels": len(place.voxels)}
            rows.setdefault(averaged, []).extend({**where, **row} for row in scored)
    return [row for group in rows.values() for row in corrected(group)]


def corrected(rows: list[Row]) -> list[Row]:
    """Correct p over regions × properties; the whole brain is a reference, not a region of it."""
    own = iter(with_q([row for row in rows if row["region"] != WHOLE]))
    whole = iter(with_q([row for row in rows if row["region"] == WHOLE]))
    return [next(whole if row["region"] == WHOLE else own) for row in rows]


def _averagings(
    material: Ratings, predicted: np.ndarray
) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return (words, places in the test, predictions) of single trials and means of repeats."""
    images = material.store.trials["image_filename"].to_numpy(str)[material.split.test]
    found = [("single", np.arange(len(images)), predicted)]
    _, first, index, counts = np.unique(
        images, return_index=True, return_inverse=True, return_counts=True
    )
    if counts.min() > 1:
        mean = np.zeros((len(first), predicted.shape[1]))
        np.add.at(mean, index, predicted)
        few, many = int(counts.min()), int(counts.max())
        words = f"mean of {few}" if few == many else f"mean of {few} to {many}"
        found.append((words, first, mean / counts[:, None]))
    return found


main = partial(run_command, "leaderboard")

if __name__ == "__main__":
    sys.exit(main())
