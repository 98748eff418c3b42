import json
import subprocess
import sys

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from thingsviz.analysis.regions.region_kernels import FEWEST_VOXELS, WHOLE, kernels, regions
from thingsviz.commands import leaderboard
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset
from thingsviz.jobs import result_cache

# what data/planted/regions.tsv plants strongly, where `tiny` has the voxels for it
PLANTED = {
    "lives": {"temporal_occipital_fusiform", "occipital_fusiform", "temporo_occipital_mtg"},
    "moves": {"temporal_occipital_fusiform", "occipital_fusiform", "temporo_occipital_mtg"},
    "heavy": {"parahippocampal", "loc_superior"},
    "grasp": {"parietal", "pre_postcentral", "loc_superior", "loc_inferior"},
    "hold": {"parietal", "pre_postcentral", "loc_superior", "loc_inferior"},
    "be-moved": {"parietal", "pre_postcentral"},
}


@pytest.fixture(scope="module")
def root(tiny, tmp_path_factory):
    """A jobs folder in which the leaderboard of `tiny` was computed by the command."""
    jobs = tmp_path_factory.mktemp("jobs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINGSVIZ_JOBS", str(jobs))
        progress = jobs / "progress.json"
        code = leaderboard.main([str(tiny / "tiny"), "--progress", str(progress)])
        assert code == 0
        assert json.loads(progress.read_text())["message"] == "done"
        yield jobs


@pytest.fixture
def store(tiny):
    return BetaStore.open(Dataset(tiny / "tiny"), "sub-01")


@pytest.fixture
def board(root, store):
    path = result_cache.newest("leaderboards", store.fingerprint)
    found = result_cache.read_kept(path)
    assert found["simulated"] is True
    return pd.DataFrame(found["rows"])


def test_every_region_and_property_has_a_row(board, store):
    names = {place.name for place in regions(store)}
    assert set(board["region"]) == names
    assert set(board["n_averaged"]) == {"single", "mean of 4"}
    assert len(board) == 2 * len(names) * 14
    assert board["n_concepts"].eq(8).all()
    assert board[["r", "p", "q", "chance"]].notna().all(axis=None)
    assert (board["q"] >= board["p"] - 1e-12).all()


def test_the_planted_regions_come_out_on_top(board):
    """A property planted in a region is told there better than elsewhere; 8 test concepts."""
    best = board[board["n_averaged"].eq("mean of 4") & board["region"].ne(WHOLE)]
    for target, planted in PLANTED.items():
        own = best[best["property"] == target].sort_values("r", ascending=False)
        assert planted & set(own["region"].head(3)), target
        inside = own["region"].isin(planted)
        assert own[inside]["r"].max() > own[~inside]["r"].mean() + 0.2, target


def test_regions_of_ones_own(tiny, root, store, board, tmp_path, capsys):
    """A parcellation of two halves: two regions, and the data's own leaderboard stays."""
    path = tmp_path / "halves.nii.gz"
    labels = np.ones(store.mask.shape, np.float32)
    labels[labels.shape[0] // 2 :] = 2
    nib.save(nib.Nifti1Image(labels, store.grid.matrix), path)
    path.with_name("halves.tsv").write_text("index\tname\n1\tleft\n2\tright\n")
    assert leaderboard.main([str(tiny / "tiny"), "--regions", str(path)]) == 0
    found = result_cache.read_kept(result_cache.newest("leaderboards", store.fingerprint))
    assert set(found["regions"]) == {WHOLE, "left", "right"}
    assert found["source"] == "halves (your parcellation)"
    own, old = pd.DataFrame(found["rows"]), board.set_index(["n_averaged", "region", "property"])
    whole = own[own["region"] == WHOLE].set_index(["n_averaged", "region", "property"])
    np.testing.assert_allclose(whole["r"], old.loc[whole.index, "r"])  # the brain is the same
    n = {name: size for name, size in found["regions"].items() if name != WHOLE}
    assert sum(n.values()) == store.shape[1]
    assert (
        len(list(result_cache.newest("leaderboards", store.fingerprint).parent.glob("*.json")))
        == 2
    )
    result_cache.newest("leaderboards", store.fingerprint).unlink()


def test_a_parcellation_that_is_not_there(tiny, tmp_path, capsys):
    assert leaderboard.main([str(tiny / "tiny"), "--regions", "thirds"]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "no parcellation 'thirds' lies beside the dataset" in said
    assert leaderboard.main([str(tiny / "tiny"), "--regions", str(tmp_path / "no.nii.gz")]) == 2
    assert "no.nii.gz is no NIfTI image" in capsys.readouterr().err


def test_means_of_repeats_do_better_than_single_trials(board):
    best = board.pivot_table(index="property", columns="n_averaged", values="r", aggfunc="max")
    assert (best["mean of 4"] > best["single"]).mean() > 0.8


def test_kernels_are_those_of_concept_means(store, rng):
    class Plain:
        shape = (30, store.shape[1])
        data = rng.standard_normal(shape).astype("f4")

        def batch(self, rows):
            return self.data[rows]

    places = regions(store)[:3]
    train, test = np.arange(20), np.arange(20, 30)
    concepts = np.arange(20) % 5
    found = kernels(Plain(), train, concepts, test, places, lambda _: None)
    means = np.stack([Plain.data[:20][concepts == c].mean(0) for c in range(5)])
    for place, kernel in zip(places, found, strict=True):
        own = means[:, place.voxels]
        np.testing.assert_allclose(kernel.between, own @ own.T, rtol=1e-3, atol=1e-2)
        expected = Plain.data[20:][:, place.voxels] @ own.T
        np.testing.assert_allclose(kernel.to_test, expected, rtol=1e-3, atol=1e-2)
        assert len(place.voxels) >= FEWEST_VOXELS


def test_another_subject_without_data_is_one_sentence(tiny, root, capsys):
    assert leaderboard.main([str(tiny / "tiny"), "--subject", "sub-09"]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("leaderboard: ")
    assert "\n" not in error


def test_what_is_damaged_is_as_good_as_missing(root, store, tmp_path):
    path = tmp_path / "a.json"
    assert result_cache.read_kept(path) is None
    path.write_text("{half")
    assert result_cache.read_kept(path) is None
    path.write_text('{"rows": 3}')
    assert result_cache.read_kept(path) is None
    assert result_cache.newest("curves", store.fingerprint) is None


def test_the_command_explains_itself():
    command = [sys.executable, "-m", "thingsviz.commands.leaderboard", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "how well each region" in shown.stdout
