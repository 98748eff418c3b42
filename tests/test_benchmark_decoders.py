"""The decoder table: its rows, its judgement of goals, and that a run ends with one."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from benchmarks import _subjects, decoders, ridge_peers
from benchmarks._measure import keep, kept, measure
from benchmarks._rows import BENT, CONCEPT, LINEAR, MEAN, QUADRATIC, RIDGE, networks
from benchmarks._subjects import chance_band, lettered, mean_r, open_bench
from models.linear.config import RidgeConfig
from models.subspace.config import ConceptDecoderConfig
from thingsviz.analysis.scores.concept_sums import part
from thingsviz.analysis.scores.score_table import ScorePlace
from thingsviz.data.planted.concepts import PROPERTIES
from thingsviz.pipeline.tasks.ratings import ScoredPart


@pytest.fixture(scope="module")
def bench(tiny, tmp_path_factory):
    root = tmp_path_factory.mktemp("bench")
    (root / "tiny").symlink_to(tiny / "tiny")
    return open_bench(root, "tiny", "linear")


def scored(guess, true, letter="A"):
    n = len(true)
    where = ScorePlace("test", "single", PROPERTIES[: true.shape[1]])
    data = part(true, guess, None, np.repeat(np.arange(n // 4), 4).astype(str))
    return {letter: ScoredPart(where, np.arange(n), data)}


@pytest.fixture
def three(rng):
    """Two decoders, one clearly better, and a third that is the first with new noise."""
    true = rng.standard_normal((40, 3))[np.repeat(np.arange(40), 4)]
    noise = [rng.standard_normal((160, 3)) for _ in range(3)]
    good, poor = true + noise[0], true + 3 * noise[1]
    return {
        "good": scored(good, true),
        "poor": scored(poor, true),
        "same": scored(good + 0.01 * noise[2], true),
    }


def test_a_goal_on_the_share_is_judged():
    entry = replace(RIDGE, goals={"A": 0.5})
    assert decoders._judge(entry, "A", 0.51, {}) == (["share ≥ 0.5"], [True])
    assert decoders._judge(entry, "A", 0.49, {}) == (["share ≥ 0.5"], [False])
    assert decoders._judge(entry, "B", 0.49, {}) == ([], [])


@pytest.mark.parametrize(("name", "met"), [("good", True), ("same", True), ("poor", False)])
def test_a_decoder_that_must_not_fall_behind_is_judged_by_a_paired_test(three, name, met):
    entry = replace(RIDGE, name=name, not_below="good" if name != "good" else "poor")
    assert decoders._judge(entry, "A", 0.5, three)[1] == [met]


@pytest.mark.parametrize(("name", "met"), [("good", True), ("poor", False)])
def test_a_decoder_that_must_win_is_judged_by_a_paired_test(three, name, met):
    other = {"good": "poor", "poor": "good"}[name]
    entry = replace(RIDGE, name=name, above=other)
    assert decoders._judge(entry, "A", 0.5, three)[1] == [met]


def test_no_difference_is_no_win(three):
    entry = replace(RIDGE, name="same", above="good")
    assert decoders._judge(entry, "A", 0.5, three)[1] == [False]


def test_names_are_unique_and_references_come_first():
    for study in decoders.studies(short=False) + decoders.studies(short=True):
        names = [entry.name for entry in study.entries]
        assert len(set(names)) == len(names)
        assert names[:2] == ["mean", "ridge"]
        for entry in study.entries:
            for other in (entry.above, entry.not_below):
                assert not other or names.index(other) < names.index(entry.name)


def test_bent_responses_ask_the_best_decoder_to_beat_ridge():
    asked = [
        (study.response, entry.name)
        for study in decoders.studies(short=False)
        for entry in study.entries
        if entry.above == "ridge"
    ]
    assert {r for r, _ in asked} >= {"gain", "saturation", "product"}
    assert {name for _, name in asked} == {QUADRATIC.name}
    assert CONCEPT in BENT
    assert MEAN in LINEAR
    assert all(entry.fit for entry in networks())


def test_a_decoder_is_measured_on_all_parts(bench):
    entry = replace(CONCEPT, model=ConceptDecoderConfig(phi=0.25, alpha=0.1))
    found = measure(bench, entry)
    parts = dict(lettered(found.predictions))
    assert set(parts) == {"A", "B", "C"}
    assert mean_r(parts["C"].data) > 0.2
    assert found.seconds > 0
    assert 0 < bench.oracle(parts["C"]) < 1
    low, high = chance_band(parts["C"].data)
    assert low < 0 < high


def test_the_oracle_is_the_planters(bench):
    """oracle.json holds the same scores over all test trials."""
    path = bench.dataset.planted_dir("sub-01") / "oracle.json"
    known = pd.read_json(path, typ="series")["scores"]["test trials, single"]["mean_r"]
    guess = measure(bench, MEAN).predictions
    assert bench.oracle(dict(lettered(guess))["C"]) == pytest.approx(known, abs=2e-3)


def test_linear_decoders_learn_from_all_trials_that_networks_get_or_stop_on(bench):
    every = bench.material(RidgeConfig(), 0)
    some = bench.material(RidgeConfig(), 0.1)
    assert not len(every.split.validation)
    both = np.concatenate([some.split.train, some.split.validation])
    np.testing.assert_array_equal(np.sort(both), every.split.train)
    np.testing.assert_array_equal(every.split.test, some.split.test)


def test_what_was_measured_is_kept_by_its_settings(bench):
    found = measure(bench, MEAN)
    assert kept(bench, replace(MEAN, validation=0.2)) is None
    keep(bench, MEAN, found)
    again = kept(bench, MEAN)
    pd.testing.assert_frame_equal(again.predictions, found.predictions)


def test_a_table_ends_with_the_goals(tiny, tmp_path, monkeypatch, capsys):
    (tmp_path / "tiny").symlink_to(tiny / "tiny")
    easy, hard = replace(RIDGE, goals={"A": -1.0}), replace(RIDGE, goals={"A": 2.0})
    for entry, code, words in ((easy, 0, "1 of 1 goals met"), (hard, 1, "0 of 1 goals met")):
        study = decoders.Study("tiny", "linear", [MEAN, entry], False)
        monkeypatch.setattr(decoders, "studies", lambda short, study=study: [study])
        assert decoders.main(["--data", str(tmp_path), "--keep"]) == code
        out = capsys.readouterr().out
        assert words in out
        assert "SIMULATED" in out
        for row in ("mean", "ridge", "oracle", "chance, 95 %"):
            assert f"\n{row}" in out


def test_the_benchmarks_subjects_are_planted_when_they_are_not_there(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(_subjects, "plant", lambda out, order: asked.append((out, order.seed)))
    monkeypatch.setattr(_subjects, "open_dataset", lambda folder: SimpleNamespace(root=folder))
    monkeypatch.setattr(_subjects, "build_store", lambda dataset, subject: None)
    monkeypatch.setattr(_subjects.BetaStore, "open", lambda dataset, subject: None)
    open_bench(tmp_path, "short", "gain")
    open_bench(tmp_path, "short", "gain", seed=2)
    assert asked == [(tmp_path / "short-gain", 1), (tmp_path / "short-gain-seed2", 2)]


def test_ridge_and_its_peers_find_the_same_weights(capsys):
    assert ridge_peers.main(["--trials", "240", "--voxels", "40", "--targets", "3"]) == 0
    out = capsys.readouterr().out
    assert "same weights: yes" in out
    assert "himalaya" in out
