"""Which trials train, validate and test, drawn once by a seed and reused by every model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from typing_extensions import TypedDict

from thingsviz.core.arrays import Rows
from thingsviz.core.errors import ConfigError, DataError
from thingsviz.core.json_files import OPEN, JsonFile, Refusal, read_json, write_sealed
from thingsviz.core.trial_key import TEST, TRAIN
from thingsviz.data.things.trials import live_rows

PARTS = ("train", "validation", "test")
FORMAT = 1


Row = Annotated[int, Field(strict=True, ge=0, lt=2**31)]


class SplitRecord(TypedDict):
    """What the file of a split holds."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    kind: str
    seed: int
    train: list[Row]
    validation: list[Row]
    test: list[Row]
    extra: dict[str, list[Row]]


ANEW = Refusal(DataError, "make it anew")
SPLIT: JsonFile[dict[str, Any]] = JsonFile("split", SplitRecord, refusal=ANEW)


class Split(NamedTuple):
    """Rows of the trials table, sorted; `extra` holds parts that are scored besides."""

    train: Rows
    validation: Rows
    test: Rows
    kind: str
    seed: int
    extra: dict[str, Rows]

    def save(self, path: Path) -> None:
        """Write the split as JSON."""
        rows = {part: getattr(self, part).tolist() for part in PARTS}
        extra = {name: part.tolist() for name, part in self.extra.items()}
        facts = {"format": FORMAT, "kind": self.kind, "seed": self.seed}
        write_sealed(path, {**facts, **rows, "extra": extra})

    @classmethod
    def load(cls, path: Path) -> Split:
        """Read what `save` wrote."""
        data = read_json(path, ANEW)
        if data is None:
            msg = f"the split {str(path)!r} is gone: make it anew"
            raise DataError(msg)
        found = SPLIT.checked(data, path)
        train, validation, test = (np.array(found[part], np.int64) for part in PARTS)
        extra = {name: np.array(part, np.int64) for name, part in found["extra"].items()}
        return cls(train, validation, test, found["kind"], found["seed"], extra)


def make_split(
    trials: pd.DataFrame, kind: str, fractions: tuple[float, float, float], seed: int
) -> Split:
    """Draw a split of the live, rated trials.

    trial | image | concept | session | run: whole groups go to one part, in the given fractions
    (train, validation, test); an image or concept seen in training is then never in the test.

    test_images: the field's protocol. The test trials (100 images, 12 repeats each) are the test;
    of the train trials the validation takes fractions[1] / (fractions[0] + fractions[1]), by
    trial. unseen_concepts: the same test, but train and validation hold no trial of its
    concepts (7,440 remain of 8,640), the validation has concepts of its own, and the train
    trials of the test concepts are `extra["exemplars"]`.
    """
    if kind not in KINDS:
        msg = f"split {kind!r} is not one of {', '.join(KINDS)}"
        raise ConfigError(msg)
    rows = live_rows(trials)
    if not len(rows):
        msg = "there are no rated trials to split: check the ratings of this dataset"
        raise DataError(msg)
    rng = np.random.default_rng(seed)
    train, validation, test, extra = KINDS[kind](trials, rows, fractions, rng)
    return Split(np.sort(train), np.sort(validation), np.sort(test), kind, seed, extra)


Parts = tuple[Rows, Rows, Rows, dict[str, Rows]]


def _by(column: str | None) -> Callable[..., Parts]:
    """Return the rule that deals groups of equal `column` (or single trials) to the parts."""

    def rule(
        trials: pd.DataFrame,
        rows: Rows,
        fractions: tuple[float, float, float],
        rng: np.random.Generator,
    ) -> Parts:
        labels = group_labels(trials, rows, column)
        train, validation, test = deal(labels, rows, fractions, rng, column or "trial")
        return train, validation, test, {}

    return rule


def group_labels(trials: pd.DataFrame, rows: Rows, column: str | None) -> NDArray[np.int64]:
    """Return a group number for each row, (len(rows),), in order of first appearance."""
    if column is None:
        return np.arange(len(rows))
    if column == "run":  # runs are counted anew in each session
        runs = trials.iloc[rows].groupby(["session", "run"], sort=False)
        numbers: NDArray[np.int64] = runs.ngroup().to_numpy().astype(np.int64)
        return numbers
    return pd.factorize(trials[column].iloc[rows])[0].astype(np.int64)


def deal(
    labels: NDArray[np.int64],
    rows: Rows,
    fractions: Sequence[float],
    rng: np.random.Generator,
    what: str,
) -> list[Rows]:
    """Deal shuffled groups to parts; a part with a fraction above 0 gets at least one group."""
    groups = rng.permutation(np.unique(labels))
    wanted = [f > 0 for f in fractions]
    if len(groups) < sum(wanted):
        msg = f"a split by {what} into {sum(wanted)} parts needs as many {what}s"
        raise DataError(f"{msg}, there are {len(groups)}: choose another split")
    counts = np.array(
        [max(round(f * len(groups)), w) for f, w in zip(fractions, wanted, strict=True)]
    )
    counts[np.argmax(counts)] += len(groups) - counts.sum()
    ends = np.cumsum(counts)
    parts = np.split(groups, ends[:-1])
    return [rows[np.isin(labels, part)] for part in parts]


def _protocol(trials: pd.DataFrame, rows: Rows) -> tuple[Rows, Rows]:
    """Return train-type and test-type rows; both must be there."""
    kinds = trials["trial_type"].to_numpy()[rows]
    train, test = rows[kinds == TRAIN], rows[kinds == TEST]
    if not (len(train) and len(test)):
        counts = f"{len(train)} train and {len(test)} test trials"
        msg = f"the test-image protocol needs trials of both types, there are {counts}"
        raise DataError(f"{msg}: choose another split, such as folds over runs")
    return train, test


def validation_share(fractions: Sequence[float]) -> tuple[float, float]:
    """Return which shares train and validation take of what is not tested."""
    share = fractions[1] / (fractions[0] + fractions[1])
    return 1 - share, share


def _test_images(
    trials: pd.DataFrame, rows: Rows, fractions: Sequence[float], rng: np.random.Generator
) -> Parts:
    train, test = _protocol(trials, rows)
    labels = group_labels(trials, train, None)
    fit, validation = deal(labels, train, validation_share(fractions), rng, "trial")
    return fit, validation, test, {}


def _unseen_concepts(
    trials: pd.DataFrame, rows: Rows, fractions: Sequence[float], rng: np.random.Generator
) -> Parts:
    train, test = _protocol(trials, rows)
    concepts = trials["concept"]
    shown = concepts.iloc[train].isin(concepts.iloc[test].unique()).to_numpy()
    rest, exemplars = train[~shown], train[shown]
    if not len(rest):
        msg = "all train trials show concepts of the test images: choose the split 'test_images'"
        raise DataError(msg)
    labels = group_labels(trials, rest, "concept")
    fit, validation = deal(labels, rest, validation_share(fractions), rng, "concept")
    return fit, validation, test, {"exemplars": exemplars}


KINDS: dict[str, Callable[..., Parts]] = {
    "trial": _by(None),
    "image": _by("image_filename"),
    "concept": _by("concept"),
    "session": _by("session"),
    "run": _by("run"),
    "test_images": _test_images,
    "unseen_concepts": _unseen_concepts,
}


class Audit(NamedTuple):
    """What a score on the test part can mean, known before anything is trained."""

    shared_trials: int
    shared_images: int
    test_images: int
    shared_concepts: int
    test_concepts: int
    known_trials: int = 0
    """Test trials of which a training trial shows the same concept."""
    test_trials: int = 0
    repeated_images: int = 0
    """Test images that more than one test trial shows."""

    @property
    def learnable(self) -> float:
        """The share of test trials whose concept the training part showed, 0 to 1."""
        return self.known_trials / max(1, self.test_trials)

    @property
    def leaks(self) -> bool:
        """Whether the test holds images that were seen in training."""
        return self.shared_trials + self.shared_images > 0


def audit(trials: pd.DataFrame, split: Split) -> Audit:
    """Count what train and validation share with the test part."""
    seen = np.concatenate([split.train, split.validation])

    def common(column: str) -> tuple[int, int]:
        test = set(trials[column].iloc[split.test])
        return len(test & set(trials[column].iloc[seen])), len(test)

    trained = set(trials["concept"].iloc[split.train])
    images = trials["image_filename"].iloc[split.test].value_counts()
    return Audit(
        len(np.intersect1d(seen, split.test)),
        *common("image_filename"),
        *common("concept"),
        known_trials=int(trials["concept"].iloc[split.test].isin(trained).sum()),
        test_trials=len(split.test),
        repeated_images=int((images > 1).sum()),
    )


class ClassBalance(NamedTuple):
    """How the trials of a part are spread over classes."""

    n_classes: int
    n_trained: int
    fewest: int
    most: int
    largest_share: float
    """The share of training trials in the largest class: what always naming it would score."""


def class_balance(classes: NDArray[np.integer], split: Split, n_classes: int) -> ClassBalance:
    """Count the training trials of each class; `classes` (n_trials,), −1 for none."""
    own = np.asarray(classes)[split.train]
    counts = np.bincount(own[own >= 0], minlength=n_classes)
    there = counts[counts > 0]
    fewest, most = (int(there.min()), int(there.max())) if len(there) else (0, 0)
    return ClassBalance(n_classes, len(there), fewest, most, most / max(1, int(counts.sum())))


def check_fitted_on(split: Split, fitted: Rows, what: str) -> None:
    """Refuse a scaling or voxel selection that was fitted on other than training trials."""
    foreign = np.setdiff1d(fitted, split.train)
    if len(foreign):
        msg = f"{what} was fitted on {len(foreign)} trials outside the training part (first: row"
        raise DataError(f"{msg} {foreign[0]}): fit it on split.train, or its scores mean nothing")
