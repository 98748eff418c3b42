"""A split and a single trial, as a notebook sees them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.data.trials import splits

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
RECIPE = ("kind", "fractions", "seed", "folds", "fold")


@dataclass(frozen=True)
class Split:
    """Which trials train, validate and test, drawn once by a seed.

    Attributes
    ----------
    train, validation, test : (n,) int
        Rows of the trials table, sorted.
    exemplars : (n,) int
        Trials that show concepts of the test images; only of "unseen_concepts".
    groups : (len(train),) str
        The concept of each training trial: `fit(X[split.train], Y[split.train], split.groups)`.
    kind, seed, fractions, folds, fold
        What drew it: the same ones draw the same split of the same data.
    """

    train: Rows
    validation: Rows
    test: Rows
    kind: str
    seed: int
    fractions: tuple[float, float, float]
    groups: NDArray[np.str_] = field(repr=False)
    exemplars: Rows = field(repr=False)
    folds: int | Literal["each"] | None = None
    fold: int | None = None

    @property
    def recipe(self) -> dict[str, object]:
        """How a recipe says it."""
        return {name: getattr(self, name) for name in RECIPE}

    @property
    def counts(self) -> dict[str, int]:
        """How many trials each part has."""
        parts = ("train", "validation", "test", "exemplars")
        return {part: len(getattr(self, part)) for part in parts}

    def __repr__(self) -> str:
        counts = ", ".join(f"{n:,} {part}" for part, n in self.counts.items() if n)
        fold = "" if self.fold is None else f", fold {self.fold}"
        return f"Split({self.kind!r}, seed {self.seed}{fold}: {counts})"

    def _repr_html_(self) -> str:
        table = pd.DataFrame({"trials": self.counts}).T
        return f"<b>{html.escape(self.kind)}</b>, seed {self.seed}{table.to_html()}"

    def rows(self) -> splits.Split:
        """Return it as jobs keep it."""
        extra = {"exemplars": self.exemplars} if len(self.exemplars) else {}
        parts = (self.train, self.validation, self.test)
        return splits.Split(*parts, self.kind, self.seed, extra)


@dataclass(frozen=True)
class Folds(Sequence[Split]):
    """The folds of a cross-validation: each trial is tested once, by a decoder that never saw it.

    Attributes
    ----------
    splits : tuple of Split
        One a fold; `len(folds)`, `folds[0]` and `for split in folds` work as well.
    names : tuple of str
        What each fold tests: "session 3", "run 7", "fold 2".
    """

    splits: tuple[Split, ...] = field(repr=False)
    names: tuple[str, ...]

    @overload
    def __getitem__(self, index: int) -> Split: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Split]: ...
    def __getitem__(self, index: int | slice) -> Split | Sequence[Split]:
        return self.splits[index]

    def __len__(self) -> int:
        return len(self.splits)

    def __repr__(self) -> str:
        tested = sum(len(split.test) for split in self.splits)
        kind, n = self.splits[0].kind, len(self)
        return f"Folds({kind!r}: {n} folds, {tested:,} trials tested once)"

    @property
    def pairs(self) -> list[tuple[Rows, Rows]]:
        """(train, test) rows a fold, as scikit-learn's `cv=` takes them; validation trains too."""
        both = [np.sort(np.concatenate([s.train, s.validation])) for s in self.splits]
        return [(rows, split.test) for rows, split in zip(both, self.splits, strict=True)]

    @property
    def recipe(self) -> dict[str, object]:
        """How a recipe says all of them."""
        return self.splits[0].recipe | {"fold": None}


@dataclass(frozen=True)
class Trial:
    """One trial: what was seen, how the brain answered, how people rate what was seen.

    Attributes
    ----------
    row : int
        Its row of the trials table.
    session, run, trial : int
        The scanner's name of it; each counts from 1.
    concept, image : str
        What was shown; the concept of a catch trial is ''.
    response : (n_voxels,) float32
        % signal change of each brain voxel, in C order of the mask.
    ratings : mapping
        Each rated property's mean over raters, NaN where there is none.
    image_file : Path or None
        The picture, if it is there.
    """

    row: int
    session: int
    run: int
    trial: int
    concept: str
    image: str
    response: Floats = field(repr=False)
    ratings: Mapping[str, float] = field(repr=False)
    image_file: Path | None = field(repr=False, default=None)
