"""The folds of a cross-validation: every trial is tested once, by a decoder that never saw it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.arrays import Rows
from thingsviz.core.errors import ConfigError, DataError
from thingsviz.core.trial_key import TEST, TRAIN
from thingsviz.data.things.trials import live_rows
from thingsviz.data.trials.split_choice import EACH, FOLD_COLUMNS, MOST_FOLDS, SplitChoice
from thingsviz.data.trials.splits import (
    Audit,
    Split,
    audit,
    deal,
    group_labels,
    make_split,
    validation_share,
)


def make_folds(trials: pd.DataFrame, choice: SplitChoice) -> list[Split]:
    """Draw all folds: their test parts hold each live, rated trial exactly once.

    folds 'each': every session (or run) is the test of one fold, in their order. A number k: the
    groups (trials, images, concepts, sessions, runs), shuffled by the seed, are dealt to k folds.
    Of what a fold leaves, the validation takes fractions[1] / (fractions[0] + fractions[1]), again
    whole groups: nothing is tuned on a group that the fold tests or trains on.
    """
    rows = live_rows(trials)
    fold_of = _fold_of(trials, rows, choice)
    return [_fold(trials, rows, fold_of, n, choice) for n in range(int(fold_of.max()) + 1)]


def make_chosen(trials: pd.DataFrame, choice: SplitChoice) -> Split:
    """Draw the split of a training: the only one, or one fold."""
    if choice.folds is None:
        return make_split(trials, choice.kind, choice.fractions, choice.seed)
    rows = live_rows(trials)
    fold_of, wanted = _fold_of(trials, rows, choice), choice.fold or 1
    if wanted > fold_of.max() + 1:
        msg = f"fold {wanted} is not there: split.fold goes from 1 to {fold_of.max() + 1} here"
        raise ConfigError(msg)
    return _fold(trials, rows, fold_of, wanted - 1, choice)


def fold_names(trials: pd.DataFrame, choice: SplitChoice) -> list[str]:
    """Say what each fold tests: 'session 3', 'run 7', 'session 2, run 7', 'fold 2'."""
    rows = live_rows(trials)
    fold_of = _fold_of(trials, rows, choice)
    if choice.folds != EACH:
        return [f"fold {n + 1}" for n in range(int(fold_of.max()) + 1)]
    first = trials.iloc[rows[np.unique(fold_of, return_index=True)[1]]]
    runs = [f"run {run}" for run in first["run"]]
    if choice.kind == "session":
        return [f"session {session}" for session in first["session"]]
    if len(trials["session"].unique()) == 1:
        return runs
    pairs = zip(first["session"], runs, strict=True)
    return [f"session {session}, {run}" for session, run in pairs]


def _fold_of(trials: pd.DataFrame, rows: Rows, choice: SplitChoice) -> NDArray[np.int64]:
    """Return in which fold each live row is tested, (len(rows),), from 0."""
    if choice.kind not in FOLD_COLUMNS or choice.folds is None:
        kinds = ", ".join(FOLD_COLUMNS)
        msg = f"split {choice.kind!r} has no folds: folds are over one of {kinds}"
        raise ConfigError(msg)
    if not len(rows):
        msg = "there are no rated trials to split: check the ratings of this dataset"
        raise DataError(msg)
    labels = group_labels(trials, rows, FOLD_COLUMNS[choice.kind])
    n_groups = int(labels.max()) + 1
    n_folds = n_groups if choice.folds == EACH else choice.folds
    if not 2 <= n_folds <= min(n_groups, MOST_FOLDS):
        most = min(n_groups, MOST_FOLDS)
        msg = f"{n_folds} folds over {n_groups} {choice.kind}s cannot be made"
        raise DataError(f"{msg}: give 2 to {most} folds, or hold out something else")
    if choice.folds == EACH:
        return labels
    dealt = np.empty(n_groups, np.int64)
    dealt[np.random.default_rng(choice.seed).permutation(n_groups)] = np.arange(n_groups) % n_folds
    return dealt[labels]


def _fold(
    trials: pd.DataFrame, rows: Rows, fold_of: NDArray[np.int64], n: int, choice: SplitChoice
) -> Split:
    """Return one fold, from 0, with a validation part of its own."""
    rest, test = rows[fold_of != n], rows[fold_of == n]
    labels = group_labels(trials, rest, FOLD_COLUMNS[choice.kind])
    shares = validation_share(choice.fractions)
    if shares[1] > 0 and labels.max() < 1:
        msg = (
            f"a fold leaves a single {choice.kind} to train on, none for validation: set the "
            "validation's share to 0"
        )
        raise DataError(msg)
    rng = np.random.default_rng([choice.seed, n])
    train, validation = deal(labels, rest, shares, rng, choice.kind)
    parts = (np.sort(train), np.sort(validation), np.sort(test))
    return Split(*parts, choice.kind, choice.seed, {})


class FoldsAudit(NamedTuple):
    """What all folds together test, and what each fold's test shares with its training."""

    folds: tuple[Audit, ...]
    n_tested: int
    """Different trials that some fold tests."""
    n_twice: int
    """Trials that more than one fold tests; 0 where folds partition the trials."""

    @property
    def fewest(self) -> int:
        """Test trials of the smallest fold."""
        return min(one.test_trials for one in self.folds)

    @property
    def most(self) -> int:
        """Test trials of the largest fold."""
        return max(one.test_trials for one in self.folds)

    @property
    def leaking(self) -> int:
        """How many folds test images that their own training saw."""
        return sum(one.leaks for one in self.folds)

    @property
    def together(self) -> Audit:
        """The folds' counts added up: of test images, concepts and trials, fold by fold."""
        return Audit(*np.sum([tuple(one) for one in self.folds], axis=0).tolist())


def audit_folds(trials: pd.DataFrame, splits: Sequence[Split]) -> FoldsAudit:
    """Count what each fold's training and validation share with its test part."""
    tested = np.concatenate([split.test for split in splits])
    times = np.unique(tested, return_counts=True)[1]
    folds = tuple(audit(trials, split) for split in splits)
    return FoldsAudit(folds, len(times), int((times > 1).sum()))


def default_choice(trials: pd.DataFrame) -> SplitChoice:
    """Return the split that suits a subject's trials, for a form that is opened for them.

    The field's protocol where the data bring test images; else leave-one-run-out, the usual
    choice for a single session, or leave-one-session-out where that would be too many folds.
    """
    rows = live_rows(trials)
    live = trials.iloc[rows]
    kinds, shares = live["trial_type"], (0.8, 0.1, 0.1)
    train, test = live[kinds == TRAIN], live[kinds == TEST]
    if len(train) and len(test):
        unseen = ~train["concept"].isin(test["concept"].unique())
        return SplitChoice("unseen_concepts" if unseen.any() else "test_images", shares, 0)
    n_sessions = live["session"].nunique()
    n_runs = len(live[["session", "run"]].drop_duplicates())
    if n_sessions > 2:  # with two a fold has a single one to train on
        return SplitChoice("session", shares, 0, EACH)
    if 3 <= n_runs <= MOST_FOLDS:
        return SplitChoice("run", shares, 0, EACH)
    return SplitChoice("image", shares, 0)
