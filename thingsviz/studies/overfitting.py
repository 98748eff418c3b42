"""What an overfitting study is: its recipe, its trainings in order, its rows as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from models.base.arrays import ArrayTrials
from models.base.settings import sentence
from models.catalog.config import ModelConfig
from models.classify.config import CNN3DConfig, LogisticConfig
from models.classify.projection import gathered
from models.classify.voxel_choice import STRIDE, voxels_read
from models.presets.report import MODELS, report_fit
from models.training.config import FitConfig
from thingsviz.core import json_files
from thingsviz.core.errors import ConfigError
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import open_dataset
from thingsviz.data.trials.folds import make_chosen
from thingsviz.data.trials.labels import label_map
from thingsviz.jobs.job_folder import jobs_root
from thingsviz.jobs.recipe import SplitConfig, Strict, parse_config
from thingsviz.pipeline.tasks.classes import Classes
from thingsviz.pipeline.tasks.labels import check_classes, labelled
from thingsviz.pipeline.training_data import open_store

ROWS = "rows.jsonl"
Row = dict[str, Any]
Task = Literal["concepts", "categories27", "categories53"]


class OverfittingConfig(Strict):
    """The recipe of a study; the defaults are 12 trainings."""

    version: Literal[1] = 1
    dataset: str = Field(min_length=1, max_length=4096)
    subject: str = "sub-01"
    learns: Task = "concepts"
    split: SplitConfig = SplitConfig(kind="image", fractions=(0.7, 0.1, 0.2), seed=0)
    n_sessions: int | None = Field(None, ge=1, le=1000)
    """Only the first sessions: originally it was one, in which every concept is shown once."""
    models: tuple[Literal["logistic", "mlp", "cnn3d"], ...] = ("logistic", "mlp", "cnn3d")
    shares: tuple[float, ...] = (0.25, 0.5, 1.0)
    l2: tuple[float, ...] = (0.0, 0.01)
    epochs: int = Field(15, ge=2, le=1000)
    batch_size: int = Field(16, ge=1, le=65_536)
    most_trials: int = Field(1200, ge=8, le=1_000_000)
    most_validation: int = Field(400, ge=2, le=1_000_000)
    cnn_stride: int = Field(2, ge=1, le=8)
    """Every n-th voxel of the volume that is already halved."""
    seed: int = Field(0, ge=0, le=2**31 - 1)


class OverfittingCell(NamedTuple):
    """One training of a study."""

    model: str
    share: float
    l2: float


def cells_of(config: OverfittingConfig) -> Iterator[OverfittingCell]:
    """Walk over the trainings: sizes without L2 first, then L2 on all trials."""
    for model in config.models:
        yield from (OverfittingCell(model, share, 0.0) for share in sorted(config.shares))
        yield from (OverfittingCell(model, max(config.shares), l2) for l2 in config.l2 if l2)


def study_folder(dataset_fingerprint: str, learns: str, n_sessions: int | None) -> Path:
    """Return where the study of one question on one subject's data is kept."""
    end = f"-{n_sessions}-sessions" if n_sessions else ""
    return jobs_root() / ".overfitting" / f"{dataset_fingerprint[:16]}-{learns}{end}"


def read_study(folder: Path) -> OverfittingConfig | None:
    """Return a study's recipe, None where there is no study."""
    data = json_files.read_json(folder / "config.json")
    return None if data is None else parse_study(data, str(folder / "config.json"))


def parse_study(data: Any, where: str = "study") -> OverfittingConfig:  # noqa: ANN401
    """Turn a dict into a recipe, or raise one sentence."""
    try:
        found = OverfittingConfig.model_validate(data)
    except ValidationError as error:
        raise ConfigError(sentence(error, where, OverfittingConfig.model_fields)) from None
    if not found.shares or not all(0 < share <= 1 for share in found.shares):
        msg = f"{where}: shares {found.shares} must lie above 0 and up to 1, such as 0.25, 0.5, 1"
        raise ConfigError(msg)
    if not found.models or any(l2 < 0 for l2 in found.l2):
        msg = f"{where}: name a model or more, and an l2 of 0 or more"
        raise ConfigError(msg)
    return found


def rows_of(folder: Path) -> list[Row]:
    """Return the finished trainings of a study, one row each."""
    return json_files.read_lines(folder / ROWS)[0]


def seconds_left(config: OverfittingConfig, rows: Sequence[Row]) -> float | None:
    """Estimate how long the trainings without a row take, from those with one; None without any.

    A training's time grows with its share of the trials. A classifier that was not trained yet is
    taken to be as fast as those that were, which is the best guess there is and may be far off.
    """
    done = {(row["model"], row["share"], row["l2"]): row for row in rows if row.get("seconds")}
    if not done:
        return None
    todo = [cell for cell in cells_of(config) if tuple(cell) not in done]
    return sum(cell.share * _rate(cell.model, list(done.values())) for cell in todo)


def _rate(model: str, rows: Sequence[Row]) -> float:
    """Return the seconds that all trials would take, of the same classifier if it is known."""
    own = [row for row in rows if row["model"] == model] or rows
    return float(sum(r["seconds"] for r in own) / sum(r["share"] for r in own))


def model_of(config: OverfittingConfig, name: str) -> ModelConfig:
    """Return the original study's classifier for the halved volume that `halved` makes.

    The CNN reads a coarser one still, cropped, so that a study ends in minutes.
    """
    model = MODELS[name][1]
    if isinstance(model, CNN3DConfig):
        return model.model_copy(update={"stride": config.cnn_stride, "crop": True})
    return model.model_copy(update={"input": "brain"})


def fit_of(config: OverfittingConfig, cell: OverfittingCell) -> FitConfig:
    """Return the original study's training of a classifier with the study's length and L2."""
    return report_fit(cell.model, config.epochs).model_copy(
        update={
            "batch_size": config.batch_size,
            "weight_decay": cell.l2,
            "optimiser": "adam",
            "seed": config.seed,
        }
    )


def study_material(config: OverfittingConfig, folder: Path) -> Classes:
    """Open the data and draw the split: every training of the study shares both."""
    data = config.dataset
    dataset = open_dataset(Path(data) if "/" in data or "\\" in data else data)
    store = open_store(dataset, config.subject)
    labels = label_map(dataset, config.subject, config.learns, store.trials)
    trials = labelled(_first_sessions(store, config.n_sessions), labels)
    wish = config.split
    split = make_chosen(trials, wish.choice)
    check_classes(split, labels, store.trials)
    recipe: Row = {"dataset": config.dataset, "subject": config.subject, "learns": config.learns}
    recipe |= {"model": {"name": "logistic"}, "split": wish.model_dump()}
    job = parse_config(recipe)
    return Classes(job, dataset, store, split, folder / "scaler.safetensors", labels)


def _first_sessions(store: BetaStore, n_sessions: int | None) -> pd.DataFrame:
    trials = store.trials
    if n_sessions is None:
        return trials
    first = sorted(trials["session"].unique())[:n_sessions]
    return trials.assign(uniqueID=trials["uniqueID"].where(trials["session"].isin(first)))


class HalvedTrials(NamedTuple):
    """What all trainings of a study read: `[::2, ::2, ::2]` of some trials, in memory."""

    X: ArrayTrials
    answers: NDArray[np.float32]  # (n_trials, n_classes)
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    mask: NDArray[np.bool_]  # of the halved volume


def halved(material: Classes, config: OverfittingConfig) -> HalvedTrials:
    """Read the study's trials once: a full subject's take 0.2 GB, and no training reads a disk.

    The same voxels that the networks read: those of the halved volume in the brain.
    """
    train = drawn(material.split.train, 1.0, config)
    order = np.random.default_rng([config.seed, 8]).permutation(material.split.validation)
    validation = np.sort(order[: config.most_validation])
    rows = np.concatenate([train, validation])
    mask = material.store.mask
    voxels = voxels_read(LogisticConfig(), mask, None)
    block = gathered(material.responses, rows, voxels)
    at = np.arange(len(rows))
    n = len(train)
    small = np.ascontiguousarray(mask[::STRIDE, ::STRIDE, ::STRIDE])
    return HalvedTrials(ArrayTrials(block), material.answers[rows], at[:n], at[n:], small)


def drawn(train: NDArray[np.int64], share: float, config: OverfittingConfig) -> NDArray[np.int64]:
    """Draw a share of the training trials; a smaller share is part of a larger one."""
    order = np.random.default_rng([config.seed, 7]).permutation(train)
    n = max(2, round(share * min(len(train), config.most_trials)))
    return np.sort(order[:n])
