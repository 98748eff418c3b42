import json
import os
import signal
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import torch

from tests.explain.conftest import decoders, jobs  # noqa: F401
from thingsviz.analysis.maps.auc_gap import EVEN, above
from thingsviz.analysis.regions import parcellation
from thingsviz.commands import maps
from thingsviz.core.errors import ConfigError, DataError
from thingsviz.explain import map_methods, map_session, tests_of_maps
from thingsviz.explain import planted_truth as map_truth
from thingsviz.explain.compute import compute, to_mass
from thingsviz.explain.map_files import MapSet, map_sets


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(tests_of_maps, "BUDGET_S", 2.0)


@pytest.fixture
def run(capfd):
    """Run the command; its exit code and what it said on stderr."""

    def call(*arguments) -> tuple[int, str]:
        capfd.readouterr()
        code = maps.main([str(a) for a in arguments])
        return code, capfd.readouterr().err.strip().splitlines()[-1:]

    return call


def said(result) -> str:
    code, lines = result
    assert code == 2
    return lines[0]


def test_maps_of_a_part_are_kept_judged_and_read_again(jobs, decoders, run, tmp_path):  # noqa: F811
    bar = tmp_path / "progress.json"
    order = "attention,attention_gradient,occlusion"
    code, _ = run(jobs["cls"].path, "--methods", order, "--judge", "--progress", bar)
    assert code == 0
    there = MapSet(jobs["cls"], "test")
    assert "test" in [s.part for s in map_sets(jobs["cls"])]
    assert there.methods() == sorted(order.split(","))
    decoder, facts = decoders["cls"], there.facts()
    values = there.load("attention", decoder.fingerprint())
    wanted = compute(decoder, "attention", decoder.material.split.test)
    np.testing.assert_allclose(values, wanted.values, atol=1e-6)
    mass = there.tokens().to_voxels(values)
    np.testing.assert_allclose(mass, to_mass(decoder, wanted), atol=1e-7)
    assert (facts["n_layers"], facts["n_heads"]) == (2, 2)
    assert facts["read_out"].startswith("from the CLS token")
    assert set(facts["faithfulness"]["areas"]) == {*order.split(","), tests_of_maps.CEILING}
    assert {s["what"] for s in facts["sanity"]["occlusion"]} >= {"head", "embedding"}
    assert 0 <= facts["truth"]["attention"]["auc"] <= 1
    assert len(facts["truth"]["attention"]["heads"]) == 4
    assert facts["made"]["attention"]["n_trials"] == len(decoder.material.split.test)
    row = json.loads(bar.read_text())
    assert row["done"] == row["total"]
    assert row["message"] == "3 maps of test are made"


def test_a_second_run_keeps_what_the_first_one_judged(jobs, run):  # noqa: F811
    there = MapSet(jobs["ridge"], "validation")
    there.forget()
    order = (jobs["ridge"].path, "--part", "validation", "--judge", "--methods")
    assert run(*order, "weights,occlusion")[0] == 0
    first = there.facts()
    assert run(*order, "pattern,occlusion")[0] == 0
    second = there.facts()
    curves = second["faithfulness"]
    assert set(curves["areas"]) == {"weights", "occlusion", "pattern", tests_of_maps.CEILING}
    assert curves["n_trials"] == first["faithfulness"]["n_trials"]
    for key in ("areas", "deletion", "insertion"):
        assert curves[key]["weights"] == first["faithfulness"][key]["weights"]
        assert set(curves[key]) >= {"weights", "occlusion", "pattern"}
    # by the same trials: random order is that of the first run, to which its areas belong
    np.testing.assert_allclose(
        curves["deletion"][tests_of_maps.RANDOM],
        first["faithfulness"]["deletion"][tests_of_maps.RANDOM],
    )
    for key in ("truth", "sanity"):
        assert set(second[key]) >= {"weights", "occlusion", "pattern"}
        assert second[key]["weights"] == first[key]["weights"]


def test_a_judgement_of_other_weights_or_of_another_map_is_not_kept(jobs, run):  # noqa: F811
    there = MapSet(jobs["ridge"], "validation")
    there.forget()
    order = (jobs["ridge"].path, "--part", "validation", "--methods")
    assert run(*order, "weights,occlusion", "--judge")[0] == 0
    assert run(*order, "weights,occlusion", "--anew")[0] == 0
    assert set(there.facts()["sanity"]) == {"weights", "occlusion"}  # the same maps again
    there.save("weights", 2 * there.load("weights")[::-1], there.facts()["fingerprint"])
    assert run(*order, "weights", "--anew")[0] == 0
    facts = there.facts()
    assert set(facts["sanity"]) == {"occlusion"}
    assert "weights" not in facts["truth"]
    assert set(facts["faithfulness"]["areas"]) == {"occlusion", tests_of_maps.CEILING}
    there.add_facts(fingerprint="another")
    assert run(*order, "weights", "--judge")[0] == 0
    facts = there.facts()
    assert set(facts["faithfulness"]["areas"]) == {"weights", tests_of_maps.CEILING}
    assert set(facts["sanity"]) == {"weights"}
    assert there.methods() == ["weights"]


def test_one_trial_and_one_concept(jobs, decoders, run):  # noqa: F811
    material = decoders["pooled"].material
    row = int(material.split.test[0])
    concept = material.concepts[row]
    assert run(jobs["pooled"].path, "--part", f"row-{row}", "--methods", "rollout")[0] == 0
    assert run(jobs["pooled"].path, "--part", f"concept-{concept}", "--methods", "rollout")[0] == 0
    one = MapSet(jobs["pooled"], f"row-{row}")
    assert one.facts()["made"]["rollout"]["n_trials"] == 1
    several = MapSet(jobs["pooled"], f"concept-{concept}").facts()["made"]["rollout"]["n_trials"]
    assert several == (material.concepts[material.split.test] == concept).sum()


def test_one_property(jobs, run):  # noqa: F811
    assert run(jobs["ridge"].path, "--target", "heavy", "--methods", "weights,pattern")[0] == 0
    heavy = MapSet(jobs["ridge"], "test", "heavy")
    assert run(jobs["ridge"].path, "--methods", "weights")[0] == 0
    every = MapSet(jobs["ridge"], "test")
    assert not np.allclose(heavy.load("weights"), every.load("weights"))
    assert heavy.load("pattern").shape == heavy.load("weights").shape


def test_what_matters_for_a_category(jobs, decoders, run):  # noqa: F811
    names = decoders["classes"].output_names()
    assert names == list(decoders["classes"].material.outputs)
    assert len(names) == decoders["classes"].n_outputs > 1
    methods = "attention_gradient,occlusion"
    for name in names[:2]:
        assert run(jobs["classes"].path, "--target", name, "--methods", methods)[0] == 0
    first, second = (MapSet(jobs["classes"], "test", name) for name in names[:2])
    assert first.facts()["outputs"] == names
    assert not np.allclose(first.load("occlusion"), second.load("occlusion"))


def test_maps_of_other_weights_are_refused_and_replaced(jobs, run):  # noqa: F811
    there = MapSet(jobs["pooled"], "validation")
    assert run(jobs["pooled"].path, "--part", "validation", "--methods", "rollout")[0] == 0
    with pytest.raises(DataError, match=r"made with other weights or data \(.*\): make it again"):
        there.load("rollout", "another")
    there.save("occlusion", np.ones(3), "another")
    there.add_facts(fingerprint="another")
    assert run(jobs["pooled"].path, "--part", "validation", "--methods", "rollout")[0] == 0
    assert there.methods() == ["rollout"]


def test_broken_files(jobs, tmp_path):  # noqa: F811
    there = MapSet(jobs["ridge"], "exemplars")
    with pytest.raises(DataError, match="'weights' of exemplars is not made yet"):
        there.load("weights")
    there.save("weights", np.array([1.0, np.nan]), "x")
    with pytest.raises(DataError, match="1 values that are no number"):
        there.load("weights")
    with pytest.raises(DataError, match="is missing: make the maps again"):
        there.tokens()
    there.forget()
    assert there.methods() == []


@pytest.mark.parametrize("part", ["../evil", "row-x", "concept-", "test/..", "row-12345678"])
def test_parts_that_are_no_folder(jobs, part):  # noqa: F811
    with pytest.raises(ConfigError, match="choose test, validation"):
        MapSet(jobs["ridge"], part)


def test_bad_input_is_one_sentence(jobs, run, tmp_path, monkeypatch):  # noqa: F811
    ridge = jobs["ridge"].path
    assert "'attention' needs a model with attention" in said(run(ridge, "--methods", "attention"))
    assert "no output 'taste': choose all or one of" in said(run(ridge, "--target", "taste"))
    assert "trial row 99999 was asked for" in said(run(ridge, "--part", "row-99999"))
    assert "no test trial of this job shows 'yeti'" in said(run(ridge, "--part", "concept-yeti"))
    assert "a job folder needs the recipe" in said(run(tmp_path / "none"))
    monkeypatch.setattr(map_methods.MapMethod, "peak_bytes", lambda *_: 2**60)
    assert "GB are free: choose another method" in said(run(ridge, "--methods", "occlusion"))
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path))
    assert "maps: " in said(run(ridge))


def test_ctrl_c_keeps_what_was_made(jobs, run, monkeypatch):  # noqa: F811
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(map_session, "compute", stop)
    code, lines = run(jobs["ridge"].path)
    assert (code, lines) == (130, ["maps: interrupted; the maps that were made are kept"])


@pytest.mark.parametrize("name", ["integrated_gradients", "occlusion", "occlusion_region"])
def test_ctrl_c_in_the_middle_of_a_method(jobs, run, monkeypatch, name):  # noqa: F811
    """A real signal between two batches: what was made stays, no half of a map is kept."""
    there = MapSet(jobs["cls"], "validation")
    there.forget()
    order = (jobs["cls"].path, "--part", "validation", "--methods", f"attention,{name}")
    monkeypatch.setattr(map_methods, "GRADIENT_BATCH", 2)
    plain, seen = map_session.within, []

    def within(report, n, of):
        def tell(progress):
            plain(report, n, of)(progress)
            seen.append((n, progress.done))
            if n == 1 and progress.done > 0:
                os.kill(os.getpid(), signal.SIGINT)

        return tell

    monkeypatch.setattr(map_session, "within", within)
    code, lines = run(*order)
    assert (code, lines) == (130, ["maps: interrupted; the maps that were made are kept"])
    assert max(done for n, done in seen if n == 1) > 0  # it was in the middle
    assert there.methods() == ["attention"]
    assert set(there.facts()["made"]) == {"attention"}
    kept, written = there.load("attention"), there.file("attention").stat().st_mtime_ns
    monkeypatch.setattr(map_session, "within", plain)
    assert run(*order)[0] == 0  # goes on from there
    assert there.file("attention").stat().st_mtime_ns == written
    again = there.load(name)
    there.forget()
    assert run(*order)[0] == 0
    np.testing.assert_array_equal(there.load(name), again)
    np.testing.assert_array_equal(there.load("attention"), kept)
    there.forget()


def test_maps_that_are_there_are_used_again_while_they_are_the_same(jobs, run, monkeypatch):  # noqa: F811
    there = MapSet(jobs["ridge"], "validation")
    there.forget()
    order = (jobs["ridge"].path, "--part", "validation", "--methods", "weights,occlusion")
    plain, made = map_session.compute, []

    def counted(decoder, name, *more):
        made.append(name)
        return plain(decoder, name, *more)

    def asked(*more):
        made.clear()
        assert run(*order, *more)[0] == 0
        return made

    monkeypatch.setattr(map_session, "compute", counted)
    assert asked() == ["weights", "occlusion"]
    facts, whole = there.facts(), there.file("occlusion").read_bytes()
    judged = asked("--judge")
    assert judged == []
    assert set(there.facts()["sanity"]) == {"weights", "occlusion"}
    assert there.facts()["made"] == facts["made"]
    assert asked("--anew") == ["weights", "occlusion"]
    # what cannot be read, has another shape, or is of another version is made again
    there.file("occlusion").write_bytes(whole[: len(whole) // 2])
    (there.path / "tokens.arrays").unlink()
    assert asked() == ["occlusion"]
    assert there.tokens().n_tokens
    values = there.load("weights")
    there.save("weights", values[..., 1:], facts["fingerprint"])
    assert asked() == ["weights"]
    np.testing.assert_allclose(there.load("weights"), values)
    monkeypatch.setattr("thingsviz.__version__", "0.0.9")
    assert asked() == ["weights", "occlusion"]
    there.forget()


def test_regions_of_ones_own_are_left_out(jobs, decoders, run, tmp_path, monkeypatch):  # noqa: F811
    store = decoders["ridge"].material.store
    path = tmp_path / "halves.nii.gz"
    labels = np.zeros(store.mask.shape, np.float32)
    labels[: labels.shape[0] // 2], labels[labels.shape[0] // 2 :] = 1, 2
    nib.save(nib.Nifti1Image(labels, store.grid.matrix), path)
    path.with_name("halves.tsv").write_text("index\tname\n1\tleft\n2\tright\n")
    monkeypatch.setattr(parcellation, "parcellations", lambda _: {"halves": path})
    order = ("--methods", "occlusion_region", "--part", "validation", "--regions")
    assert run(jobs["ridge"].path, *order, "halves")[0] == 0
    there = MapSet(jobs["ridge"], "validation")
    values = there.load("occlusion_region")
    assert len(np.unique(values)) == 2
    about = there.facts()["made"]["occlusion_region"]
    assert about["regions"] == "halves (your parcellation)"
    found = said(run(jobs["ridge"].path, *order, "thirds"))
    assert "no parcellation 'thirds' lies beside the dataset: choose one of them (halves)" in found


def test_the_mark_for_maps_voxel_by_voxel(decoders):  # noqa: F811
    found = {"weights": compute(decoders["ridge"], "weights", np.arange(1))}
    found["occlusion_region"] = found["weights"]
    rows = map_truth.truth_rows(decoders["ridge"], found)
    assert 0.5 < rows[map_truth.TRUE_RATINGS]["auc"] <= 1
    assert 0.5 < rows[map_truth.CLEANED]["auc"] <= 1
    assert rows[map_truth.PLANTED]["auc"] == 1
    assert 0.5 < rows[map_truth.PLANTED]["auc_smooth"] < 1  # smoothing blurs the truth as well
    # the data's regions are the planted ones: to find those by them proves nothing
    assert set(rows) == {*map_truth.LIMITS, EVEN, "weights"}


def test_an_even_map_over_what_is_read_stands_beside_the_others(decoders):  # noqa: F811
    """Ridge reads 500 voxels, the transformer its tokens: that alone finds what was planted."""
    even = map_truth.even_map(decoders["ridge"])
    assert (even > 0).sum() == 500
    assert set(even) == {0, 1}
    tokens = decoders["pooled"].tokens
    np.testing.assert_array_equal(map_truth.even_map(decoders["pooled"]) > 0, tokens.covered)
    found = compute(decoders["ridge"], "weights", np.arange(1))
    store = decoders["ridge"].material.store
    for name, values in {"even": even, "ones": np.ones(len(even))}.items():
        same = {"weights": found._replace(values=values)}
        row = map_truth.truth_rows(decoders["ridge"], same)
        gap = row["weights"]["auc"] - row[EVEN]["auc"]
        assert row["weights"]["over_even"]["auc"][0] == pytest.approx(gap)
        assert (gap == 0) == (name == "even")
        assert above(row["weights"]["over_even"]) == ()
    assert row["weights"]["auc"] == 0.5
    root = decoders["ridge"].material.dataset.root / "derivatives" / "planted" / "sub-01"
    truth = map_truth.read_truth(root / "truth.npz", store.shape[1])
    best = map_truth.over(store, truth.signal, even, truth)
    assert above(best) == ("by voxel", "smoothed")


def test_what_a_network_without_tokens_reads(decoders):  # noqa: F811
    network = torch.nn.Identity()
    dense = replace(decoders["ridge"], linear=None, network=network)
    assert map_truth.even_map(dense).all()
    network.voxels = torch.tensor([3, 5])
    assert np.flatnonzero(map_truth.even_map(dense)).tolist() == [3, 5]


def test_permuted_labels_on_request(jobs, run):  # noqa: F811
    there = MapSet(jobs["cls"], "validation")
    order = (jobs["cls"].path, "--part", "validation", "--methods", "rollout")
    assert run(*order)[0] == 0
    assert run(*order, "--permuted")[0] == 0
    assert set(there.facts()["permuted"]) == {"rollout"}
    kept = there.facts()["fingerprint"]
    there.add_facts(fingerprint="another")
    found = said(run(*order, "--permuted"))
    assert "the maps of validation were made with other weights or data" in found
    there.add_facts(fingerprint=kept)
    found = said(run(jobs["ridge"].path, "--permuted"))
    assert "permuted labels are asked of a network whose maps are made" in found
