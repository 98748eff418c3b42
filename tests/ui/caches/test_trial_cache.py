from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from thingsviz.core.errors import ThingsvizError
from thingsviz.core.trial_key import TrialKey
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import open_dataset
from thingsviz.ui.caches.trial_cache import repeats, trial_index
from thingsviz.ui.trials.pickers import parse_key


def store(name, *rows):
    """A store of (session, run, trial, image, concept) rows, without betas."""
    columns = ["session", "run", "trial", "image_filename", "concept"]
    table = pd.DataFrame(rows, columns=columns).assign(trial_type="train")
    return SimpleNamespace(trials=table, fingerprint=name)


@pytest.fixture
def small():
    return store(
        "small",
        (1, 1, 1, "dog/dog_01b.jpg", "dog"),
        (1, 1, 2, "catch008.jpg", None),
        (1, 2, 1, "cat/cat_02s.jpg", "cat"),
        (3, 2, 1, "ferris/dog_01b.jpg", "dog"),
        (3, 2, 2, "dog/dog_04s.jpg", "dog"),
    )


def test_every_way_leads_to_the_row(small):
    index = trial_index(small)
    assert index.keys[3] == TrialKey(3, 2, 1)
    assert index.sessions == (1, 3)
    assert index.runs == {1: (1, 2), 3: (2,)}
    assert index.trials == {(1, 1): (1, 2), (1, 2): (1,), (3, 2): (1, 2)}
    assert index.of_concept == {"cat": (2,), "dog": (0, 3, 4)}
    assert list(index.of_image) == ["cat_02s.jpg", "catch008.jpg", "dog_01b.jpg", "dog_04s.jpg"]


def test_repeats_are_found_by_the_file_name_alone(small):
    index = trial_index(small)
    assert repeats(index, 0) == repeats(index, 3) == (0, 3)
    assert repeats(index, 1) == (1,)


def test_a_catch_trial_has_no_concept(small):
    index = trial_index(small)
    assert index.concepts[1] == ""
    assert "" not in index.of_concept


def test_each_subject_has_its_own(small):
    other = store("other", (1, 1, 1, "axe/axe_01b.jpg", "axe"))
    assert len(trial_index(other).keys) == 1
    assert len(trial_index(small).keys) == 5


def test_the_planted_subject_against_its_table(tiny_env):
    opened = BetaStore.open(open_dataset("tiny"), "sub-01")
    index = trial_index(opened)
    for row in range(0, len(index.keys), 7):
        assert opened.key(row) == index.keys[row]
        assert row in repeats(index, row)
    tests = opened.trials.query("trial_type == 'test'")
    assert {len(repeats(index, row)) for row in tests.index} == {4}


def test_an_address_names_a_trial():
    assert parse_key({"session": "01", "run": "02", "trial": "3"}) == TrialKey(1, 2, 3)
    assert parse_key({"session": "12"}) == TrialKey(12, 1, 1)


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "１", "123456", "1;drop", "<b>", " 1"])
def test_nonsense_in_an_address_is_refused_in_one_sentence(text):
    with pytest.raises(ThingsvizError, match="run should be a number counted from 1, not"):
        parse_key({"run": text})
