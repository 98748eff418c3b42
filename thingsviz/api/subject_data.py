"""What a prepared subject holds: trials, responses, ratings, mask and grid."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.base.arrays import TrialView
from thingsviz.api.parts import Floats, Split
from thingsviz.core.errors import ConfigError
from thingsviz.core.space import Grid
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset, find_datasets
from thingsviz.data.things.ratings import available, mean_column
from thingsviz.data.trials.standardise import SessionScaler, StandardisedBetas


class SubjectData:
    """One prepared subject, read but for what is drawn from it (thingsviz.api.subject)."""

    def __init__(self, dataset: Dataset, name: str) -> None:
        self.dataset, self.name = dataset, name
        self.store = BetaStore.open(dataset, name)

    def __repr__(self) -> str:
        n, v = self.shape
        marks = ", simulated" if self.simulated else ""
        sizes = f"{n:,} trials × {v:,} voxels, {len(self.properties)} properties"
        return f"Subject('{self.dataset_name}/{self.name}': {sizes}{marks})"

    def _repr_html_(self) -> str:
        kinds = self.trials["trial_type"].value_counts().to_frame("trials")
        return f"<p>{html.escape(repr(self))}</p>{kinds.to_html()}"

    @property
    def dataset_name(self) -> str:
        """The dataset's folder name."""
        return self.dataset.name

    @property
    def address(self) -> str:
        """How a recipe names the dataset: its folder's name below THINGSVIZ_DATA, else a path."""
        here = {dataset.root.resolve(): dataset.name for dataset in find_datasets()}
        root = self.dataset.root.resolve()
        return here.get(root, str(root))

    @property
    def shape(self) -> tuple[int, int]:
        """(n_trials, n_voxels)."""
        return self.store.shape

    @property
    def trials(self) -> pd.DataFrame:
        """A row a trial, in the order of `betas()`; a copy."""
        return self.store.trials.copy()

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Which voxels of the grid are brain, (X, Y, Z)."""
        return self.store.mask

    @property
    def grid(self) -> Grid:
        """Shape (X, Y, Z) and affine of the volumes, mm."""
        return self.store.grid

    @property
    def simulated(self) -> bool:
        """Whether the responses are planted, not measured."""
        return self.store.simulated

    @cached_property
    def concepts(self) -> NDArray[np.str_]:
        """What each trial shows, (n_trials,); '' for catch trials."""
        return self.store.trials["concept"].fillna("").to_numpy(str)

    @property
    def properties(self) -> list[str]:
        """The properties that are rated."""
        return available(self.store.trials.columns)

    def betas(self) -> NDArray[np.float16]:
        """Return all single-trial responses, mapped from disk.

        Returns
        -------
        (n_trials, n_voxels) float16, read-only
            % signal change, voxels in C order of `mask`. Nothing is read until it is used.
            float16 is how they are kept (3 digits, as many as the noise leaves): decoders read
            blocks of it as float32, and your own sums should too (`X[rows].astype("float32")`),
            because a float16 sum overflows at 65,504.

        Examples
        --------
        >>> sub.betas().dtype, sub.betas().shape
        (dtype('float16'), (176, 5798))
        """
        return self.store.betas

    def responses(self, split: Split | None = None) -> TrialView:
        """Return responses as jobs read them: z-scored in each session by the training trials.

        Parameters
        ----------
        split : Split, optional
            Whose training trials give each voxel's mean and SD. None: no z-scores, % signal
            change as in `betas()`, and every row is compared with its checksum when it is read.

        Returns
        -------
        TrialView, (n_trials, n_voxels) float32
            Read when asked for: `view[rows]` for estimators, `np.asarray(view[rows])` for numbers.
        """
        rows = None if split is None else split.train
        scaler = None if rows is None else SessionScaler.fit(self.store, rows)
        return TrialView(StandardisedBetas(self.store, scaler))

    def ratings(self, targets: Sequence[str] | None = None) -> Floats:
        """Return the ratings of what each trial shows.

        Parameters
        ----------
        targets : sequence of str, optional
            Which of `properties`; None: all of them.

        Returns
        -------
        (n_trials, n_targets) float32
            Means over raters on their own scales (1 to 7 of most); NaN where nothing was rated.

        Raises
        ------
        ConfigError
            A property is not rated in these data.

        Examples
        --------
        >>> sub.ratings(["heavy", "lives"]).shape
        (176, 2)
        """
        wanted = self.properties if targets is None else list(targets)
        lacking = [name for name in wanted if name not in self.properties]
        if lacking:
            there = ", ".join(self.properties)
            msg = f"{self.dataset_name} has no ratings of {', '.join(lacking)}: it has {there}"
            raise ConfigError(msg)
        return self.store.trials[[mean_column(name) for name in wanted]].to_numpy(np.float32)
