"""A subject, as a notebook sees it: its data, single trials, splits and folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from thingsviz.api.parts import Folds, Split, Trial
from thingsviz.api.subject_data import SubjectData
from thingsviz.data.things.ratings import mean_column
from thingsviz.data.trials.folds import default_choice, fold_names, make_chosen
from thingsviz.data.trials.indexing import Index, row_of
from thingsviz.data.trials.split_choice import SplitChoice
from thingsviz.data.trials.standardise import SessionScaler

if TYPE_CHECKING:
    from thingsviz.data.trials.torch_dataset import TrialDataset

FRACTIONS = (0.8, 0.1, 0.1)


class Subject(SubjectData):
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

    def split(
        self,
        kind: str | None = None,
        seed: int = 0,
        fractions: tuple[float, float, float] = FRACTIONS,
    ) -> Split:
        """Draw which trials train, validate and test.

        Parameters
        ----------
        kind : {"unseen_concepts", "test_images", "concept", "image", "session", "run", "trial"}
            unseen_concepts: the published test trials, and training on none of their concepts;
            test_images: the same test, training on all train trials; the others deal whole
            concepts, images, runs, sessions or single trials to the parts. None: the first of
            them that suits the data.
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
        kind = kind or default_choice(self.store.trials).kind
        return self._split(SplitChoice(kind, fractions, seed))

    def folds(
        self, kind: str = "session", folds: int | Literal["each"] = "each", seed: int = 0
    ) -> Folds:
        """Draw the folds of a cross-validation, for `tv.train` or a loop of your own.

        Parameters
        ----------
        kind : {"session", "run", "concept", "image", "trial"}
            What is held out as a whole.
        folds : int or "each"
            "each": every session or run is left out once; a number: groups are dealt to so many.
        seed : int
            Deals groups, and draws the validation part of each fold.

        Returns
        -------
        Folds

        Raises
        ------
        ConfigError, DataError
            There are no such groups, or too few for so many folds.

        Examples
        --------
        >>> sub.folds("session")
        Folds('session': 4 folds, 160 trials tested once)
        >>> job = tv.train("ridge", sub, sub.folds("concept", 2), targets=["heavy", "lives"])
        >>> job.folds[["fold", "n_test"]].values.tolist()
        [['fold 1', 76], ['fold 2', 84]]
        """
        choice = SplitChoice(kind, FRACTIONS, seed, folds)
        names = fold_names(self.store.trials, choice)
        each = [choice._replace(fold=n + 1) for n in range(len(names))]
        return Folds(tuple(self._split(one) for one in each), tuple(names))

    def _split(self, choice: SplitChoice) -> Split:
        drawn = make_chosen(self.store.trials, choice)
        extra = np.asarray(drawn.extra.get("exemplars", np.empty(0, np.int64)), np.int64)
        return Split(
            *(drawn.train, drawn.validation, drawn.test),
            *(choice.kind, choice.seed, choice.fractions),
            groups=self.concepts[drawn.train],
            exemplars=extra,
            folds=choice.folds,
            fold=choice.fold,
        )

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
