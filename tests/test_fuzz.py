"""Spoilt inputs for every parser: a few of each here, 1,000 of each by `benchmarks fuzz`."""

import json
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import fuzz
from benchmarks._fuzz import damage, judge
from benchmarks._fuzz.judge import Target, fuzz_apart, fuzz_here
from benchmarks._fuzz.place import made
from thingsviz.core.errors import ConfigError, DataError
from thingsviz.jobs.recipe import parse_config

MUTATIONS, SLOW = 60, 6
# what reads a whole store or opens SQLite each time: 10 to 50 ms
SLOWLY = ("store, ", "SQLite", "image-paths", "planted oracle", "weights", "parcellation, fields")


@pytest.fixture(scope="module")
def targets(tiny, tmp_path_factory):
    root = tmp_path_factory.mktemp("fuzz")
    before = dict(os.environ)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("thingsviz.analysis.scores.resampling.N_DRAWS", 100)
        yield list(fuzz.all_targets(made(root, tiny), root / "scratch"))
    os.environ.clear()
    os.environ.update(before)


def test_no_spoilt_input_crashes_or_is_read_wrongly(targets):
    assert len(targets) >= 70
    assert len({target.name for target in targets}) == len(targets)
    outcomes = []
    for target in targets:
        n = SLOW if any(words in target.name for words in SLOWLY) else MUTATIONS
        outcomes.append(fuzz_here(target, n, seed=2))
    faults = [fault for one in outcomes for fault in one.faults]
    assert faults == []
    nothing = [one.parser for one in outcomes if one.harmless == one.mutations]
    assert nothing == [], "spoilt as little as never"


def test_a_flipped_bit_in_any_file_is_found_or_harmless(targets):
    files = [target for target in targets if target.sound]
    assert len(files) >= 50
    faults, found = [], 0
    for target in files:
        rng = random.Random(target.name)
        for _ in range(6):
            raw = bytearray(target.sound)
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
            verdict, words = judge.verdict_on(target, bytes(raw))
            found += verdict == "refused"
            if verdict in judge.FAULTS:
                faults.append(f"{target.name}: {verdict}: {words}")
    assert faults == []
    assert found > len(files)


def number(text):
    if text == "nothing":
        raise DataError("it says nothing: say a number")
    return float(text)


def target(**more):
    plain = {"name": "a", "draw": lambda rng: "1", "read": number, "whole": 1.0}
    return Target(**{**plain, **more})


FAULTY = [
    (target(draw=lambda rng: "x"), "crashes", "ValueError at test_fuzz.py"),
    (target(draw=lambda rng: "2"), "silent", "'2' gave '2.0'"),
    (target(draw=lambda rng: "2", agrees=lambda m, v: 1 / 0), "silent", "ZeroDivisionError"),
    (target(read=lambda m: os._exit(3)), "crashes", "the process died or hung"),
    (target(read=lambda m: bytearray(2**31)), "crashes", "more than 1,024 MB"),
    (target(read=lambda m: [*range(10**9)]), "crashes", "more than"),
]


@pytest.mark.parametrize(("one", "kind", "words"), FAULTY)
def test_each_kind_of_fault_is_counted(one, kind, words, monkeypatch):
    monkeypatch.setattr(judge, "DEADLINE_S", 1.0)
    found = fuzz_apart(one, 2, seed=1)
    assert (found.mutations, getattr(found, kind)) == (2, 2)
    assert words in found.faults[0]


def test_what_is_no_fault_is_counted_apart():
    refused = fuzz_here(target(draw=lambda rng: "nothing"), 3, 1)
    harmless = fuzz_here(target(), 3, 1)
    changed = fuzz_here(target(draw=lambda rng: "2", agrees=lambda m, v: v == float(m)), 3, 1)
    assert (refused.refused, harmless.harmless, changed.changed) == (3, 3, 3)
    assert refused.faults == harmless.faults == changed.faults == []


def test_a_sentence_of_several_lines_is_a_fault():
    error = DataError("x")
    error.args = ("two\nlines",)

    def read(_):
        raise error

    assert fuzz_here(target(read=read), 1, 1).crashes == 1


def test_the_same_seed_spoils_alike(targets):
    for one in targets[:3]:
        assert judge.drawn(one, 5, 7) == judge.drawn(one, 5, 7)
    drawn = {repr(judge.drawn(targets[0], 5, i)) for i in range(30)}
    assert len(drawn) > 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
RECIPE = {
    "dataset": "tiny",
    "targets": ["heavy"],
    "model": {"name": "vit3d", "patch_size": [6, 7, 5], "embed_dim": 16},
    "fit": {"epochs": 3, "learning_rate": 0.001},
    "split": {"kind": "trial", "fractions": [0.8, 0.1, 0.1]},
}


@settings(deadline=None, max_examples=40)
@given(part=st.sampled_from([None, "model", "fit", "split"]), name=st.text(max_size=8), value=JSON)
def test_any_value_anywhere_in_a_recipe_is_kept_or_refused(part, name, value):
    recipe = json.loads(json.dumps(RECIPE))
    place = recipe if part is None else recipe[part]
    for key in (name, *place):
        changed = {**place, key: value}
        asked = changed if part is None else {**recipe, part: changed}
        refused_or_kept(asked, part, key, value)


def refused_or_kept(asked, part, key, value):
    try:
        found = parse_config(asked).model_dump(mode="json")
    except ConfigError:
        return
    kept = found[key] if part is None else found[part][key]
    # null for a whole part stands for its usual settings
    assert kept == value or value is None or (isinstance(value, dict) and set(value) <= set(kept))


@given(st.binary(max_size=60), st.randoms(use_true_random=False))
def test_spoilt_bytes_are_bytes(raw, rng):
    assert isinstance(damage.spoil_bytes(rng, raw), bytes)
    assert len(damage.spoil_header(rng, raw, 8)) >= min(8, len(raw))
