"""A split and a single trial, as a notebook sees them."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.data.trials import splits

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


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
    kind, seed, fractions
        What drew it: the same three draw the same split of the same data.
    """

    train: Rows
    validation: Rows
    test: Rows
    kind: str
    seed: int
    fractions: tuple[float, float, float]
    groups: NDArray[np.str_] = field(repr=False)
    exemplars: Rows = field(repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """How many trials each part has."""
        parts = ("train", "validation", "test", "exemplars")
        return {part: len(getattr(self, part)) for part in parts}

    def __repr__(self) -> str:
        counts = ", ".join(f"{n:,} {part}" for part, n in self.counts.items() if n)
        return f"Split({self.kind!r}, seed {self.seed}: {counts})"

    def _repr_html_(self) -> str:
        table = pd.DataFrame({"trials": self.counts}).T
        return f"<b>{html.escape(self.kind)}</b>, seed {self.seed}{table.to_html()}"

    def rows(self) -> splits.Split:
        """Return it as jobs keep it."""
        extra = {"exemplars": self.exemplars} if len(self.exemplars) else {}
        parts = (self.train, self.validation, self.test)
        return splits.Split(*parts, self.kind, self.seed, extra)


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
