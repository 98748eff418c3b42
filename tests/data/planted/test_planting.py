"""The whole of it: what is planted lies in the published layout and can be read back."""

import hashlib
import json

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.data.planted.conftest import (
    N_CATCH,
    N_CONCEPTS,
    N_RUNS,
    N_SESSIONS,
    N_TEST,
    N_TRAIN,
    N_TRIALS,
    N_VOLUMES,
)
from thingsviz.analysis.scores.metrics import pearson
from thingsviz.core.errors import ConfigError, DataError
from thingsviz.data.planted import SimulationOrder, Sources, is_planted, plant, planting
from thingsviz.data.planted.concepts import PROPERTIES
from thingsviz.data.planted.writer import STEP
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.ratings import mean_column, read_ratings
from thingsviz.data.things.trials import build_trials


@pytest.fixture(scope="module")
def dataset(planted):
    return Dataset(planted)


@pytest.fixture(scope="module")
def truth(dataset):
    with np.load(dataset.planted_dir("sub-01") / "truth.npz", allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def brain(dataset):
    return np.asarray(nib.load(dataset.brain_mask("sub-01")).dataobj).astype(bool)


def hashes(root):
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_equal_seeds_give_equal_bytes_on_any_number_of_threads(planted, tmp_path, monkeypatch):
    monkeypatch.setattr(planting, "MOST_THREADS", 1)
    plant(tmp_path / "again", SimulationOrder("nano", seed=3))
    assert hashes(tmp_path / "again") == hashes(planted)


def test_another_seed_gives_another_subject(planted, tmp_path):
    plant(tmp_path / "other", SimulationOrder("nano", seed=4))
    one, other = hashes(planted), hashes(tmp_path / "other")
    betas = [name for name in one if name.endswith("betas.nii.gz")]
    assert len(betas) == N_SESSIONS * N_RUNS
    assert all(one[name] != other[name] for name in betas)


def test_the_layout_is_the_published_one(dataset, nano):
    assert dataset.simulated
    assert dataset.space == "T1w"
    assert dataset.subjects() == ["sub-01"]
    runs = dataset.runs("sub-01")
    assert len(runs) == N_SESSIONS * N_RUNS
    for run in runs:
        assert "betas_vol/scalematched/sub-01/ses-things" in run.betas.as_posix()
        image = nib.load(run.betas)
        assert image.shape == (*nano.shape, N_VOLUMES)
        assert image.header["descrip"].tobytes().startswith(b"SIMULATED")
        np.testing.assert_allclose(image.affine, nano.grid.matrix)
        lines = run.conditions.read_text().splitlines()
        assert lines[0] == "\timage_filename"
        assert [line.split("\t")[0] for line in lines[1:]] == [str(n) for n in range(N_VOLUMES)]


def test_the_trials_table_is_complete(dataset):
    table = build_trials(dataset, "sub-01").table
    assert len(table) == N_TRIALS
    counts = table["trial_type"].value_counts().to_dict()
    n_runs = N_SESSIONS * N_RUNS
    assert counts == {
        "train": n_runs * N_TRAIN,
        "test": n_runs * N_TEST,
        "catch": n_runs * N_CATCH,
    }
    live = table[table["trial_type"] != "catch"]
    assert live["property_lives_mean"].notna().all()
    assert live["concept"].nunique() == N_CONCEPTS
    assert live["filepath"].notna().all()


def test_every_live_trial_has_its_picture(dataset):
    table = build_trials(dataset, "sub-01").table
    live = table[table["trial_type"] != "catch"]["image_filename"].unique()
    for name in live:
        with Image.open(dataset.image_file(name)) as image:
            image.load()
    listed = dataset.image_paths_file.read_text().splitlines()
    assert sorted(listed) == sorted(f"images/{name}" for name in live)


def test_voxel_metadata_tell_the_truth(dataset, truth, brain):
    table = pd.read_csv(dataset.voxel_metadata("sub-01"))
    ijk = table[["voxel_x", "voxel_y", "voxel_z"]].to_numpy()
    np.testing.assert_array_equal(ijk, np.argwhere(brain))
    np.testing.assert_allclose(table["nc_singletrial"], 100 * truth["noise_ceiling"], atol=1e-3)
    for index, name in enumerate(truth["region_names"]):
        np.testing.assert_array_equal(table[name] == 1, truth["region"] == index)
    c = truth["noise_ceiling"].astype(float)
    expected = 100 * c / (c + (1 - c) / N_SESSIONS)
    np.testing.assert_allclose(table["nc_testset"], expected, atol=1e-3)


def responses(dataset, brain):
    """All betas read back with nibabel: (n_trials, n_voxels), and the session of each."""
    parts, sessions = [], []
    for run in dataset.runs("sub-01"):
        parts.append(nib.load(run.betas).get_fdata()[brain].T)
        sessions += [run.session] * len(parts[-1])
    return np.vstack(parts), np.array(sessions)


def test_nothing_lies_outside_the_brain(dataset, brain):
    data = nib.load(dataset.runs("sub-01")[0].betas).get_fdata()
    assert (data[~brain] == 0).all()
    assert (data[brain] == 0).mean() < 0.1


def test_the_planted_signal_and_sessions_are_in_the_betas(dataset, truth, brain):
    y, sessions = responses(dataset, brain)
    at = np.searchsorted(truth["sessions"], sessions)
    flat = (y - truth["session_offset"][at]) / truth["session_scale"][at]
    weights = np.zeros((54, y.shape[1]))
    weights[:, truth["signal_voxels"]] = truth["weights"]
    signal = truth["trial_latents"] @ weights
    left = flat - signal
    noise = (
        truth["noise_white_sd"].astype(float) ** 2
        + truth["noise_smooth_sd"].astype(float) ** 2
        + (truth["noise_wide"].astype(float) ** 2).sum(0)
    )
    assert left.var() == pytest.approx(noise.mean(), rel=0.1)
    inside = truth["signal_voxels"]
    assert (flat * signal)[:, inside].sum() / (signal**2).sum() == pytest.approx(1, abs=0.06)


def test_betas_are_what_the_generator_gave_within_half_a_step(tmp_path, monkeypatch, dataset):
    """Planted once more with the writer's input caught: reading back errs by half a step."""
    given = {}
    write = planting.LayoutWriter.run

    def catch(self, session, run, betas, names):
        given[session, run] = betas.copy()
        write(self, session, run, betas, names)

    monkeypatch.setattr(planting.LayoutWriter, "run", catch)
    plant(tmp_path / "caught", SimulationOrder("nano", seed=3))
    caught = Dataset(tmp_path / "caught")
    brain = np.asarray(nib.load(caught.brain_mask("sub-01")).dataobj).astype(bool)
    for run in caught.runs("sub-01"):
        read = nib.load(run.betas).get_fdata()[brain].T
        assert np.abs(read - given[run.session, run.run]).max() <= STEP / 2 + 1e-6


def test_truth_is_complete_and_without_pickle(truth):
    assert truth["trial_latents"].shape == (N_TRIALS, 54)
    assert truth["concept_latents"].shape == (N_CONCEPTS, 34)
    assert truth["true_ratings"].shape == (N_CONCEPTS, 14)
    assert truth["weights"].dtype == np.float16
    assert list(truth["latent_names"][:14]) == list(PROPERTIES)
    assert set(truth["concept_kinds"]) <= {"mammal", "bird", "insect", "fish"} | set(
        truth["concept_kinds"]
    )


def test_the_oracle_predicts_ratings_on_their_own_scale(dataset):
    folder = dataset.planted_dir("sub-01")
    table = pd.read_parquet(folder / "oracle.parquet")
    trials = build_trials(dataset, "sub-01").table
    live = trials[trials["trial_type"] != "catch"]
    single = table[table["n_averaged"] == 1]
    averaged = table[table["n_averaged"] == N_SESSIONS]
    assert len(single) == len(live)
    assert len(averaged) == N_TEST * N_RUNS
    assert len(table) == len(single) + len(averaged)
    keys = ["session", "run", "trial"]
    joined = single.merge(live, on=keys)
    assert len(joined) == len(single)
    columns = [mean_column(name) for name in PROPERTIES]
    predicted = joined[[f"pred_{name}" for name in PROPERTIES]].to_numpy()
    r = pearson(predicted, joined[columns].to_numpy(float))
    assert r.mean() > 0.45
    np.testing.assert_allclose(predicted.mean(0), joined[columns].mean(), rtol=0.15)
    first = averaged.merge(trials, on=keys)
    assert (first["trial_type"] == "test").all()
    assert (first["session"] == 1).all()


def test_the_oracles_summary(dataset):
    summary = json.loads((dataset.planted_dir("sub-01") / "oracle.json").read_text())
    assert summary["signal"] is True
    assert summary["best_possible"] is True
    scores = summary["scores"]
    assert set(scores) == {
        "train trials, single",
        "test trials, single",
        f"test images, mean of {N_SESSIONS}",
    }
    train = scores["train trials, single"]
    assert train["n"] == N_SESSIONS * N_RUNS * N_TRAIN
    assert train["mean_r"] == pytest.approx(train["expected_mean_r"], abs=0.15)
    averaged = scores[f"test images, mean of {N_SESSIONS}"]
    assert averaged["expected_mean_r"] > train["expected_mean_r"]


def test_simulated_is_said_everywhere(planted):
    about = json.loads((planted / "dataset_description.json").read_text())
    assert about["Simulated"] is True
    assert about["Name"].startswith("SIMULATED")
    assert about["Planted"]["preset"] == "nano"
    assert (planted / "README").read_text().startswith("SIMULATED")


def test_null_holds_no_signal(tmp_path):
    plant(tmp_path / "null", SimulationOrder("nano", seed=3, snr=0))
    dataset = Dataset(tmp_path / "null")
    folder = dataset.planted_dir("sub-01")
    with np.load(folder / "truth.npz") as truth:
        assert truth["weights"].size == 0
        assert not truth["noise_ceiling"].any()
    summary = json.loads((folder / "oracle.json").read_text())
    assert summary["signal"] is False
    assert summary["scores"]["train trials, single"]["mean_r"] is None
    table = pd.read_parquet(folder / "oracle.parquet")
    predicted = table.filter(like="pred_").to_numpy()
    assert (predicted == predicted[0]).all()


def test_snr_scales_the_noise_ceilings(tmp_path, truth):
    plant(tmp_path / "weak", SimulationOrder("nano", seed=3, snr=0.1))
    with np.load(Dataset(tmp_path / "weak").planted_dir("sub-01") / "truth.npz") as weak:
        strong = truth["noise_ceiling"]
        free = (strong > 0) & (strong < 0.44)
        ratio = weak["noise_ceiling"][free] / strong[free]
        np.testing.assert_allclose(ratio, 0.1, rtol=1e-4)


@pytest.mark.parametrize("response", ["gain", "saturation", "product"])
def test_other_responses_are_planted_and_named(tmp_path, response):
    plant(tmp_path / "data", SimulationOrder("nano", seed=3, response=response))
    path = Dataset(tmp_path / "data").planted_dir("sub-01") / "oracle.json"
    summary = json.loads(path.read_text())
    assert summary["response"] == response
    assert summary["best_possible"] is False


def test_real_design_ratings_and_pictures_are_taken(real, tmp_path):
    design = tmp_path / "design" / "ses-things01"
    design.mkdir(parents=True)
    for n in (1, 2):
        name = f"sub-01_ses-things01_run-0{n}_conditions.tsv"
        source = real / "conditions" / "sub-01" / "ses-things01" / name
        (design / name).write_bytes(source.read_bytes())
    sources = Sources(real / "tiles", tmp_path / "design", real / "property-ratings.tsv")
    plant(tmp_path / "data", SimulationOrder("nano", seed=1, sources=sources))
    dataset = Dataset(tmp_path / "data")
    trials = build_trials(dataset, "sub-01").table
    assert len(trials) == 2 * 92
    published = read_ratings(real / "property-ratings.tsv").table
    planted = trials[trials["trial_type"] != "catch"]
    expected = published.loc[planted["concept"], "property_lives_mean"].to_numpy()
    np.testing.assert_allclose(planted["property_lives_mean"].to_numpy(float), expected)
    about = dataset.description()["Planted"]
    assert about["simulated_ratings"] == ["nameability", "consistency"]
    assert about["design"] == "given"
    tile = real / "tiles" / f"{planted['concept'].iloc[0]}.jpg"
    picture = dataset.image_file(planted["image_filename"].iloc[0])
    assert picture.read_bytes() == tile.read_bytes()


def test_photographs_give_the_names(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    names = ["dog", "cat", *(f"thing{n}" for n in range(N_CONCEPTS))]
    for name in names:
        Image.new("RGB", (8, 8)).save(folder / f"{name}.jpg")
    plant(tmp_path / "data", SimulationOrder("nano", seed=1, sources=Sources(images=folder)))
    concepts = set(read_ratings(Dataset(tmp_path / "data").ratings_file).table.index)
    assert {"dog", "cat"} < concepts <= set(names)


def test_an_unreadable_photograph_leaves_nothing_behind(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(N_CONCEPTS):
        (folder / f"thing{n}.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match="cannot be read"):
        plant(tmp_path / "data", SimulationOrder("nano", sources=Sources(images=folder)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]


def test_impossible_orders_are_refused_before_any_work(tmp_path):
    with pytest.raises(ConfigError, match="response 'cubic'"):
        plant(tmp_path / "data", SimulationOrder("nano", response="cubic"))
    with pytest.raises(ConfigError, match="seed -1"):
        plant(tmp_path / "data", SimulationOrder("nano", seed=-1))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.txt").write_text("")
    with pytest.raises(DataError, match="holds other files"):
        plant(tmp_path / "data", SimulationOrder("nano"))
    assert not is_planted(tmp_path / "data")


def test_progress_rises_to_the_end(tmp_path):
    seen = []
    plant(tmp_path / "data", SimulationOrder("nano"), seen.append)
    done = [progress.done for progress in seen]
    assert done == sorted(done)
    assert seen[-1].done == seen[-1].total
    assert any("ses-02" in progress.message for progress in seen)
