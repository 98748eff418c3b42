"""Folds: each trial tested once, validation inside training, nothing shared; sensible defaults."""

import numpy as np
import pandas as pd
import pytest

from thingsviz.core.errors import ConfigError, DataError
from thingsviz.data.things.trials import live_rows
from thingsviz.data.trials.folds import (
    audit_folds,
    default_choice,
    fold_names,
    make_chosen,
    make_folds,
)
from thingsviz.data.trials.split_choice import EACH, FOLD_COLUMNS, MOST_FOLDS, SplitChoice
from thingsviz.data.trials.splits import make_split

SHARES = (0.8, 0.1, 0.1)


def block_trials(n_sessions=1, n_runs=12, n_classes=8, shown=2) -> pd.DataFrame:
    """Each run shows each class `shown` times, always a new image; the last trial is a catch."""
    rows, image = [], 0
    for session in range(1, n_sessions + 1):
        for run in range(1, n_runs + 1):
            for trial in range(n_classes * shown):
                image += 1
                concept = f"c{trial % n_classes}"
                rows.append((session, run, trial + 1, concept, f"{concept}_{image:03d}s.jpg"))
            rows.append((session, run, n_classes * shown + 1, None, "catch001.jpg"))
    table = pd.DataFrame(rows, columns=["session", "run", "trial", "concept", "image_filename"])
    kinds = np.where(table["concept"].isna(), "catch", "train")
    return table.assign(trial_type=kinds, uniqueID=table["concept"])


def groups(trials, rows, kind):
    columns = ["session", "run"] if kind == "run" else [FOLD_COLUMNS[kind] or "trial"]
    return set(map(tuple, trials.iloc[rows][columns].to_numpy()))


@pytest.mark.parametrize(
    ("kind", "folds"),
    [
        ("session", EACH),
        ("run", EACH),
        ("run", 3),
        ("run", 5),
        ("image", 4),
        ("concept", 3),
        ("trial", 7),
    ],
)
def test_each_trial_is_tested_once_and_no_group_is_shared(kind, folds):
    trials = block_trials(n_sessions=3, n_runs=4)
    choice = SplitChoice(kind, SHARES, 1, folds)
    splits = make_folds(trials, choice)
    tested = np.sort(np.concatenate([split.test for split in splits]))
    np.testing.assert_array_equal(tested, live_rows(trials))
    for split in splits:
        parts = (split.train, split.validation, split.test)
        assert all(len(part) for part in parts)
        np.testing.assert_array_equal(np.sort(np.concatenate(parts)), tested)
        if kind != "trial":
            train, validation, test = (groups(trials, part, kind) for part in parts)
            assert not (train & validation) | (train & test) | (validation & test)
    checked = audit_folds(trials, splits)
    assert (checked.n_tested, checked.n_twice, checked.leaking) == (len(tested), 0, 0)
    assert checked.together.test_trials == len(tested)


def test_leave_one_run_out_goes_in_the_order_of_the_runs():
    trials = block_trials(n_sessions=2, n_runs=3)
    choice = SplitChoice("run", SHARES, 0, EACH)
    for split, name in zip(make_folds(trials, choice), fold_names(trials, choice), strict=True):
        shown = trials.iloc[split.test][["session", "run"]].drop_duplicates().to_numpy()
        assert name == f"session {shown[0, 0]}, run {shown[0, 1]}"
        assert len(shown) == 1
    assert fold_names(block_trials(), choice)[6] == "run 7"
    assert fold_names(trials, SplitChoice("session", SHARES, 0, EACH)) == [
        "session 1",
        "session 2",
    ]
    assert fold_names(trials, SplitChoice("image", SHARES, 0, 2)) == ["fold 1", "fold 2"]


def test_one_fold_is_the_same_alone():
    trials = block_trials()
    choice = SplitChoice("run", SHARES, 3, EACH)
    for n, split in enumerate(make_folds(trials, choice), 1):
        alone = make_chosen(trials, choice._replace(fold=n))
        for part in ("train", "validation", "test"):
            np.testing.assert_array_equal(getattr(alone, part), getattr(split, part))
    with pytest.raises(ConfigError):
        make_chosen(trials, choice._replace(fold=13))


def test_without_folds_the_split_is_the_one_it_always_was():
    trials = block_trials()
    ours, theirs = (
        make_chosen(trials, SplitChoice("image", SHARES, 5)),
        make_split(trials, "image", SHARES, 5),
    )
    np.testing.assert_array_equal(ours.test, theirs.test)
    np.testing.assert_array_equal(ours.train, theirs.train)


def test_a_seed_decides_the_folds():
    trials = block_trials()
    first, again, other = (
        make_folds(trials, SplitChoice("image", SHARES, seed, 4)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first[0].test, again[0].test)
    assert not np.array_equal(first[0].test, other[0].test)


def test_validation_can_be_left_out():
    splits = make_folds(block_trials(2), SplitChoice("session", (0.9, 0, 0.1), 0, EACH))
    assert [len(split.validation) for split in splits] == [0, 0]


@pytest.mark.parametrize(
    ("choice", "error"),
    [
        (SplitChoice("test_images", SHARES, 0, 5), ConfigError),
        (SplitChoice("session", SHARES, 0, EACH), DataError),  # there is one session
        (SplitChoice("concept", SHARES, 0, 9), DataError),
        (SplitChoice("trial", SHARES, 0, MOST_FOLDS + 1), DataError),
        (SplitChoice("run", SHARES, 0), ConfigError),
    ],
)
def test_folds_that_cannot_be_are_refused(choice, error):
    with pytest.raises(error):
        make_folds(block_trials(n_classes=8), choice)


def test_a_single_group_to_train_on_leaves_none_for_validation():
    with pytest.raises(DataError):
        make_folds(block_trials(2), SplitChoice("session", SHARES, 0, EACH))


def test_an_image_of_two_sessions_leaks_and_is_counted():
    trials = block_trials(n_sessions=3, n_runs=2)
    own = trials.index[(trials["run"] == 1) & (trials["trial"] == 1)]
    trials.loc[own, "image_filename"] = "c0_900s.jpg"
    checked = audit_folds(trials, make_folds(trials, SplitChoice("session", SHARES, 0, EACH)))
    assert checked.leaking == 3
    assert [one.shared_images for one in checked.folds] == [1, 1, 1]
    assert checked.fewest == checked.most == 32


def test_data_open_with_a_split_that_suits_them():
    assert default_choice(block_trials())[0::3] == ("run", EACH)
    assert default_choice(block_trials(n_sessions=3))[0::3] == ("session", EACH)
    assert default_choice(block_trials(n_runs=2)).kind == "image"
    tested = block_trials(n_sessions=2)
    tested.loc[tested["concept"] == "c0", "trial_type"] = "test"
    assert default_choice(tested).kind == "unseen_concepts"
