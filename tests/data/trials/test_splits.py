import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thingsviz.core.errors import ConfigError, DataError
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.trials import build_trials, live_rows
from thingsviz.data.trials.splits import (
    KINDS,
    PARTS,
    Split,
    audit,
    check_fitted_on,
    class_balance,
    make_split,
)

REPORT = (0.8, 0.1, 0.1)
GROUPED = {"image": "image_filename", "concept": "concept", "session": "session"}


@pytest.fixture(scope="module")
def trials(real):
    return build_trials(Dataset(real), "sub-01").table


def little_trials(n_sessions=4, n_concepts=8) -> pd.DataFrame:
    """Each concept once a session; the first two concepts have a test image besides; one catch."""
    rows = []
    for session in range(1, n_sessions + 1):
        names = [(f"c{c}", f"c{c}_{session:02d}s.jpg", "train") for c in range(n_concepts)]
        names += [(f"c{c}", f"c{c}_13s.jpg", "test") for c in range(2)]
        names += [(None, "catch001.jpg", "catch")]
        rows += [(session, 1, k + 1, *name) for k, name in enumerate(names)]
    columns = ["session", "run", "trial", "concept", "image_filename", "trial_type"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(uniqueID=table["concept"])


def parts(split) -> list[np.ndarray]:
    return [split.train, split.validation, split.test]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_parts_are_disjoint_sorted_and_live(trials, kind, seed):
    split = make_split(trials, kind, REPORT, seed)
    rows = np.concatenate(parts(split))
    assert len(np.unique(rows)) == len(rows)
    assert np.isin(rows, live_rows(trials)).all()
    assert all((np.diff(part) > 0).all() for part in parts(split))
    assert all(part.dtype == np.int64 and len(part) for part in parts(split))


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_decides_all(trials, kind):
    first, again = (make_split(trials, kind, REPORT, 5) for _ in range(2))
    other = make_split(trials, kind, REPORT, 6)
    for part in PARTS:
        np.testing.assert_array_equal(getattr(first, part), getattr(again, part))
    assert not np.array_equal(first.train, other.train)


@pytest.mark.parametrize(
    ("fractions", "sizes"),
    [(REPORT, (7872, 984, 984)), ((0.7, 0.1, 0.2), (6888, 984, 1968))],
)
def test_the_reports_two_splits_by_trial(trials, fractions, sizes):
    split = make_split(trials, "trial", fractions, 0)
    assert tuple(map(len, parts(split))) == sizes


@pytest.mark.parametrize("kind", GROUPED)
def test_no_group_stands_on_both_sides(trials, kind):
    split = make_split(trials, kind, REPORT, 0)
    groups = [set(trials[GROUPED[kind]].iloc[part]) for part in parts(split)]
    assert len(set.union(*groups)) == sum(map(len, groups))
    assert sum(map(len, parts(split))) == 9840


def test_the_fields_protocol(trials):
    split = make_split(trials, "test_images", REPORT, 0)
    assert len(split.train) + len(split.validation) == 8640
    assert len(split.validation) == 960
    images = trials["image_filename"].iloc[split.test].value_counts()
    assert len(images) == 100
    assert (images == 12).all()


def test_leave_concepts_out(trials):
    split = make_split(trials, "unseen_concepts", REPORT, 0)
    assert len(split.train) + len(split.validation) == 7440
    assert (len(split.test), len(split.extra["exemplars"])) == (1200, 1200)
    of = trials["concept"]
    fit, validation, test = (set(of.iloc[part]) for part in parts(split))
    assert (len(fit | validation), len(test)) == (620, 100)
    assert not fit & validation
    assert set(of.iloc[split.extra["exemplars"]]) == test
    assert (trials["trial_type"].iloc[split.extra["exemplars"]] == "train").all()


def test_all_live_trials_are_used_somewhere(trials):
    split = make_split(trials, "unseen_concepts", REPORT, 0)
    rows = np.concatenate([*parts(split), split.extra["exemplars"]])
    np.testing.assert_array_equal(np.sort(rows), live_rows(trials))


def test_unrated_trials_take_no_part():
    trials = little_trials()
    trials.loc[trials["concept"] == "c5", "uniqueID"] = None
    split = make_split(trials, "trial", REPORT, 0)
    assert "c5" not in set(trials["concept"].iloc[np.concatenate(parts(split))])


@pytest.mark.parametrize("kind", KINDS)
def test_a_split_survives_the_disk(tmp_path, kind):
    split = make_split(little_trials(), kind, REPORT, 3)
    split.save(tmp_path / "split.json")
    found = Split.load(tmp_path / "split.json")
    assert (found.kind, found.seed, found.extra.keys()) == (kind, 3, split.extra.keys())
    for part in PARTS:
        np.testing.assert_array_equal(getattr(found, part), getattr(split, part))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"train": "x"}', '{"train": [[1]]}'])
def test_a_damaged_split_is_one_sentence(tmp_path, text):
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(DataError, match=r"split\.json.*make it anew"):
        Split.load(tmp_path / "split.json")


def test_the_file_is_plain_json(tmp_path):
    make_split(little_trials(), "concept", REPORT, 3).save(tmp_path / "split.json")
    assert json.loads((tmp_path / "split.json").read_text())["kind"] == "concept"


@given(
    kind=st.sampled_from(sorted(KINDS)),
    shape=st.tuples(st.integers(3, 9), st.integers(4, 12)),
    first=st.floats(0.05, 0.9),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=60)
def test_any_design_is_dealt_without_loss(kind, shape, first, seed):
    trials = little_trials(*shape)
    rest = (1 - first) / 2
    try:
        split = make_split(trials, kind, (first, rest, rest), seed)
    except DataError:
        assert kind == "unseen_concepts"  # two concepts left, or fewer
        return
    rows = np.concatenate([*parts(split), *split.extra.values()])
    np.testing.assert_array_equal(np.sort(rows), live_rows(trials))


@pytest.mark.parametrize(
    ("kind", "trials", "message"),
    [
        (
            "session",
            little_trials(2),
            "by session into 3 parts needs as many sessions, there are 2",
        ),
        (
            "test_images",
            little_trials().query("trial_type != 'test'"),
            "32 train and 0 test trials",
        ),
        ("unseen_concepts", little_trials(3, 2), "all train trials show concepts of the test"),
        ("concept", little_trials().query("trial_type == 'catch'"), "no rated trials to split"),
    ],
)
def test_what_cannot_be_split_says_why(kind, trials, message):
    with pytest.raises(DataError, match=message):
        make_split(trials.reset_index(drop=True), kind, REPORT, 0)


def test_an_unknown_kind_lists_those_there_are():
    with pytest.raises(ConfigError, match="'random' is not one of trial, image, concept"):
        make_split(little_trials(), "random", REPORT, 0)


def test_no_validation_is_possible():
    split = make_split(little_trials(), "trial", (0.8, 0, 0.2), 0)
    assert len(split.validation) == 0


def test_the_audit_sees_leaked_images(trials):
    """By trial, repeats of one test image land on both sides; by image none does."""
    by_trial = audit(trials, make_split(trials, "trial", REPORT, 0))
    by_image = audit(trials, make_split(trials, "image", REPORT, 0))
    unseen = audit(trials, make_split(trials, "unseen_concepts", REPORT, 0))
    assert by_trial.leaks
    assert by_trial.shared_images > 50
    assert not by_image.leaks
    assert by_image.shared_concepts == by_image.test_concepts
    assert not unseen.leaks
    assert unseen.shared_concepts == 0


def test_the_audit_sees_a_planted_leak():
    trials = little_trials()
    split = make_split(trials, "concept", REPORT, 0)
    leaky = split._replace(train=np.append(split.train, split.test[0]))
    assert audit(trials, leaky).shared_trials == 1


def test_statistics_fitted_on_test_trials_are_refused():
    split = make_split(little_trials(), "concept", REPORT, 0)
    check_fitted_on(split, split.train[:5], "the scaling")
    for foreign in (split.test, split.validation):
        fitted = np.append(split.train, foreign[0])
        with pytest.raises(DataError, match="the scaling was fitted on 1 trials outside"):
            check_fitted_on(split, fitted, "the scaling")


def one_session() -> pd.DataFrame:
    """A session of THINGS-fMRI: each of 720 concepts once, and a test image of 100 of them."""
    return little_trials(1, 720).pipe(
        lambda t: pd.concat(
            [
                t[t["trial_type"] == "train"],
                pd.DataFrame(
                    {
                        "session": 1,
                        "run": 1,
                        "trial": range(1001, 1101),
                        "concept": [f"c{c}" for c in range(100)],
                        "image_filename": [f"c{c}_13s.jpg" for c in range(100)],
                        "trial_type": "test",
                        "uniqueID": [f"c{c}" for c in range(100)],
                    }
                ),
            ],
            ignore_index=True,
        )
    )


def test_of_the_report_s_case_17_percent_can_be_learned():
    """One session, trials drawn 7:1:2: over 20 draws; one draw of 164 test trials has SD 2.7 %."""
    trials = one_session()
    assert len(trials) == 820
    shares = [
        audit(trials, make_split(trials, "trial", (0.7, 0.1, 0.2), seed)).learnable
        for seed in range(20)
    ]
    assert np.mean(shares) == pytest.approx(0.17, abs=0.015)
    assert audit(trials, make_split(trials, "concept", (0.7, 0.1, 0.2), 0)).learnable == 0


def test_of_the_report_s_case_in_the_published_design(trials):
    first = trials[trials["session"] == 1].reset_index(drop=True)
    shares = [
        audit(first, make_split(first, "trial", (0.7, 0.1, 0.2), seed)).learnable
        for seed in range(10)
    ]
    assert np.mean(shares) == pytest.approx(0.17, abs=0.02)


def test_the_audit_counts_repeats_and_known_trials():
    table = little_trials()
    found = audit(table, make_split(table, "test_images", REPORT, 0))
    assert (found.repeated_images, found.test_trials, found.known_trials) == (2, 8, 8)
    unseen = audit(table, make_split(table, "unseen_concepts", REPORT, 0))
    assert (unseen.known_trials, unseen.learnable) == (0, 0.0)


def test_class_balance_counts_training_trials():
    split = Split(np.arange(6), np.array([6]), np.array([7]), "trial", 0, {})
    classes = np.array([0, 0, 0, 2, 2, -1, 1, 1])
    assert class_balance(classes, split, 4) == (4, 2, 2, 3, 0.6)
    nothing = class_balance(np.full(8, -1), split, 4)
    assert nothing == (4, 0, 0, 0, 0.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"train": [1.7]},
        {"train": [2**40]},
        {"test": [-1]},
        {"kind": 7},
        {"seed": 0.5},
        {"test": 3},
    ],
)
def test_a_split_edited_by_hand_is_not_bent_into_numbers(tmp_path, changes):
    path = tmp_path / "split.json"
    Split(np.arange(3), np.array([3]), np.array([4]), "trial", 0, {}).save(path)
    data = json.loads(path.read_text())
    del data["crc32"]
    path.write_text(json.dumps(data))
    assert Split.load(path).test.tolist() == [4]
    path.write_text(json.dumps({**data, **changes}))
    with pytest.raises(DataError, match="make it anew"):
        Split.load(path)
