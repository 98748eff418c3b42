"""A subject, as a notebook sees it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.base.arrays import TrialView
from thingsviz.api.parts import Floats, Split, Trial
from thingsviz.core.errors import ConfigError
from thingsviz.core.space import Grid
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset, find_datasets
from thingsviz.data.things.ratings import available, mean_column
from thingsviz.data.trials import splits
from thingsviz.data.trials.indexing import Index, row_of
from thingsviz.data.trials.standardise import SessionScaler, StandardisedBetas

if TYPE_CHECKING:
    from thingsviz.data.trials.torch_dataset import TrialDataset


class Subject:
    """One prepared subject; nothing large is read before it is asked for.

    Attributes
    ----------
    name, dataset_name : str
        "sub-01", and the dataset's folder.
    trials : pandas.DataFrame
        A row a trial: session, run, trial, trial_type, concept, image_filename, ratings, …
    mask : (X, Y, Z) bool
        Which voxels are brain; in C order they are the columns of `betas()`.
    grid : Grid
        Shape of the volumes and affine from voxel index to mm.
    concepts : (n_trials,) str
        What each trial shows; '' for catch trials.
    properties : list of str
        Which ratings there are.
    simulated : bool
        Whether the responses are planted, not measured.
    """

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

    def split(
        self,
        kind: str = "unseen_concepts",
        seed: int = 0,
        fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
    ) -> Split:
        """Draw which trials train, validate and test.

        Parameters
        ----------
        kind : {"unseen_concepts", "test_images", "concept", "image", "session", "trial"}
            unseen_concepts: the published test trials, and training on none of their concepts;
            test_images: the same test, training on all train trials; the others deal whole
            concepts, images, sessions or single trials to the parts.
        seed : int
            Equal seeds draw equal splits.
        fractions : (train, validation, test)
            Shares; of the first two kinds the test trials are given.

        Returns
        -------
        Split

        Raises
        ------
        ConfigError, DataError
            There is no such kind, or the data have too few trials for it.

        Examples
        --------
        >>> sub.split("unseen_concepts", seed=0)
        Split('unseen_concepts', seed 0: 84 train, 12 validation, 32 test, 32 exemplars)
        """
        drawn = splits.make_split(self.store.trials, kind, fractions, seed)
        nothing = np.empty(0, np.int64)
        extra = np.asarray(drawn.extra.get("exemplars", nothing), np.int64)
        parts = (drawn.train, drawn.validation, drawn.test)
        return Split(*parts, kind, seed, fractions, self.concepts[drawn.train], extra)

    def trial(
        self,
        row: Index | None = None,
        *,
        session: int = 1,
        run: int | None = None,
        trial: int | None = None,
    ) -> Trial:
        """Return one trial, named by its row or as the scanner names it.

        Parameters
        ----------
        row : int, (run, trial) or (session, run, trial), optional
            A row of the trials table, or the scanner's numbers; two of them mean session 1.
        session, run, trial : int
            The same by name; each counts from 1.

        Returns
        -------
        Trial

        Raises
        ------
        IndexError
            There is no such trial; the sentence says which there are.

        Examples
        --------
        >>> one = sub.trial(session=1, run=2, trial=3)
        >>> one.row == sub.trial((2, 3)).row == sub.trial((1, 2, 3)).row
        True
        >>> one.response.shape
        (5798,)
        """
        if row is None:
            if run is None or trial is None:
                msg = "name a trial: trial(17), trial((2, 3)) or trial(session=1, run=2, trial=3)"
                raise IndexError(msg)
            row = (session, run, trial)
        at = row_of(self.store, row)
        key, shown = self.store.key(at), self.store.trials.iloc[at]
        names = self.properties
        ratings = {name: float(shown[mean_column(name)]) for name in names}
        image = str(shown["image_filename"])
        return Trial(
            at,
            *(key.session, key.run, key.trial),
            concept=str(self.concepts[at]),
            image=image,
            response=self.store.vector(at),
            ratings=ratings,
            image_file=self.dataset.image_file(image),
        )

    def torch_dataset(
        self,
        split: Split | None = None,
        targets: Sequence[str] | None = None,
        *,
        dense: bool = False,
    ) -> TrialDataset:
        """Return pairs (response, ratings) for torch's DataLoader.

        Parameters
        ----------
        split : Split, optional
            Z-score responses in each session by its training trials.
        targets : sequence of str, optional
            Which of `properties`; None: all of them.
        dense : bool
            Give volumes (X, Y, Z) instead of (n_voxels,).

        Returns
        -------
        TrialDataset
            `ds[i]`, `ds[run, trial]` and `ds[session, run, trial]` give float32 tensors.
        """
        from thingsviz.data.trials.torch_dataset import TrialDataset

        scaler = None if split is None else SessionScaler.fit(self.store, split.train)
        wanted = self.properties if targets is None else list(targets)
        return TrialDataset(self.store, scaler, wanted, dense=dense)
