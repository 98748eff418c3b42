import warnings

import h5py
import numpy as np
import pandas as pd
import pytest

from tests.data import published
from thingsviz.core.errors import DataError
from thingsviz.core.space import Grid
from thingsviz.data.prepare import table_release
from thingsviz.data.prepare.build import BuildOptions, build_store
from thingsviz.data.prepare.table_release import find_responses
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.image_names import base_name
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.stimuli import read_stimuli
from thingsviz.data.volumes.masks import BrainMask

RUNS = [(s, r) for s in range(1, published.N_SESSIONS + 1) for r in range(1, published.N_RUNS + 1)]
LIVE = published.N_TRAIN + published.N_TEST
N_LIVE = len(RUNS) * LIVE


def write_stimuli(path):
    rows = []
    for session, run in RUNS:
        for k, image in enumerate(published.images_of(session, run)[:LIVE]):
            kind = "test" if k >= published.N_TRAIN else "train"
            rows.append((kind, session, run, 1, len(rows), base_name(image), image.split("/")[0]))
    columns = ["trial_type", "session", "run", "subject_id", "trial_id", "stimulus", "concept"]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)


def write_release(dataset, *, order="F", voxel_id=int, labels=int, dtype=np.float32):
    """Write the same responses as the volumes, as `DataFrame.to_hdf` writes them."""
    responses, stimuli, metadata = dataset.table_release("sub-01")
    responses.parent.mkdir(exist_ok=True)
    write_stimuli(stimuli)
    mask = BrainMask(published.brain(), Grid.of(published.GRID, published.AFFINE))
    ijk = mask.ijk if order == "C" else mask.ijk[np.argsort(mask.fortran_positions)]
    at = tuple(ijk.T)
    blocks = [published.values_of(s, r)[at][:, :LIVE] for s, r in RUNS]
    table = pd.DataFrame(np.concatenate(blocks, 1).astype(dtype))
    table.columns = [labels(name) for name in table.columns]
    table.insert(0, "voxel_id", np.arange(len(ijk)).astype(voxel_id))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table.to_hdf(responses, key="ResponseData", mode="w")
    columns = {"voxel_id": np.arange(len(ijk)), "subject_id": 1}
    columns |= {f"voxel_{axis}": ijk[:, a] for a, axis in enumerate("xyz")}
    columns |= {"nc_singletrial": ijk[:, 1] * 3.0, "nc_testset": 50.0, "splithalf_corrected": 0.5}
    columns |= {"V1": (ijk[:, 0] == 1) * 1, "glasser-a\nb": (ijk[:, 2] == 2) * 1}
    pd.DataFrame(columns).to_csv(metadata, index=False)


def live(store) -> np.ndarray:
    rows = np.flatnonzero(store.trials["trial_type"] != "catch")
    return np.asarray(store.betas[rows])


FROM_TABLE = BuildOptions(release="table")


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"order": "C"},
        {"labels": str},
        {"voxel_id": float},
        {"dtype": np.float64},
        {"dtype": np.float64, "voxel_id": float},
    ],
)
def test_both_releases_fill_the_same_store(little, monkeypatch, form):
    """Whatever the order of voxels and the way pandas grouped the columns."""
    monkeypatch.setattr(table_release, "VOXELS_AT_ONCE", 16)
    build_store(little, "sub-01")
    volumes = BetaStore.open(little, "sub-01")
    write_release(little, **form)
    build_store(little, "sub-01", FROM_TABLE)
    table = BetaStore.open(little, "sub-01")
    assert table.manifest["kind"] == "responses"
    assert table.shape == (N_LIVE, published.N_BRAIN_VOXELS)
    np.testing.assert_array_equal(table.betas, live(volumes))
    np.testing.assert_array_equal(table.mask, volumes.mask)
    assert table.grid == volumes.grid
    same = ["session", "run", "trial", "trial_type", "image_filename", "concept", "uniqueID"]
    rows = volumes.trials["trial_type"] != "catch"
    pd.testing.assert_frame_equal(
        table.trials[same], volumes.trials.loc[rows, same].reset_index(drop=True)
    )
    assert table.damaged_rows() == []


def test_one_column_of_floats_first(little):
    """All float64: pandas then keeps voxel_id in the same block as the responses."""
    write_release(little, dtype=np.float64, voxel_id=float)
    with h5py.File(little.table_release("1").responses) as file:
        blocks = [name for name in file["ResponseData"] if name.endswith("_values")]
    found = find_responses(little.table_release("1").responses, N_LIVE)
    assert found.first_column == (1 if len(blocks) == 1 else 0)
    assert found.voxel_id.tolist() == list(range(published.N_BRAIN_VOXELS))


def test_regions_and_noise_ceilings_come_along(little):
    write_release(little)
    build_store(little, "sub-01", FROM_TABLE)
    voxels = BetaStore.open(little, "sub-01").voxels
    np.testing.assert_array_equal(voxels["V1"], voxels["i"] == 1)
    np.testing.assert_array_equal(voxels["glasser-a b"], voxels["k"] == 2)
    np.testing.assert_array_equal(voxels["nc_singletrial"], voxels["j"] * 3)


def test_the_table_release_alone_is_a_dataset(little, tmp_path):
    write_release(little)
    root = tmp_path / "alone"
    root.mkdir()
    for part in ("betas_csv", "brainmasks", "image"):
        (little.root / part).rename(root / part)
    alone = Dataset(root)
    assert alone.subjects() == ["sub-01"]
    state = build_store(alone, "sub-01")
    assert state.state == "ready"
    assert (state.counts["train"], state.counts["test"], state.counts["catch"]) == (36, 6, 0)
    assert "6 runs have no conditions: their trials are counted without" in state.warnings[0]
    store = BetaStore.open(alone, "sub-01")
    assert store.trials["trial"].tolist() == list(range(1, LIVE + 1)) * len(RUNS)
    assert store.trials["concept"].iloc[LIVE - 1] == "sim_card"
    expected = published.expected_betas().reshape(len(RUNS), -1, published.N_BRAIN_VOXELS)
    np.testing.assert_array_equal(store.betas, expected[:, :LIVE].reshape(N_LIVE, -1))


def test_without_a_mask_positions_are_not_in_mm(little):
    write_release(little)
    little.brain_mask("sub-01").unlink()
    state = build_store(little, "sub-01", FROM_TABLE)
    assert any("positions in mm are not those of the scanner" in note for note in state.warnings)
    assert BetaStore.open(little, "sub-01").shape[1] == published.N_BRAIN_VOXELS


def test_volumes_are_preferred_where_both_are(little):
    write_release(little)
    build_store(little, "sub-01")
    assert BetaStore.open(little, "sub-01").manifest["kind"] == "volumes"


def test_an_interrupted_table_goes_on(little, monkeypatch):
    monkeypatch.setattr(table_release, "VOXELS_AT_ONCE", 16)
    write_release(little)
    original, calls = table_release._read, []

    def read(table, rows):
        calls.append(len(rows))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(table, rows)

    monkeypatch.setattr(table_release, "_read", read)
    options = BuildOptions(release="table", workers=1)
    with pytest.raises(KeyboardInterrupt):
        build_store(little, "sub-01", options)
    assert build_store(little, "sub-01", options).state == "ready"
    assert len(calls) < 3 + 4
    assert BetaStore.open(little, "sub-01").damaged_rows() == []


def test_missing_values_are_zero_and_said(little):
    write_release(little)
    with h5py.File(little.table_release("1").responses, "r+") as file:
        file["ResponseData/block0_values"][3, 5] = np.nan
    state = build_store(little, "sub-01", FROM_TABLE)
    assert "1 values of voxels 0 … are not finite, stored as 0" in state.warnings
    assert np.isfinite(BetaStore.open(little, "sub-01").betas).all()


def no_stimuli(files):
    files.stimuli.unlink()


def cut(files):
    files.responses.write_bytes(files.responses.read_bytes()[:-3000])


def no_hdf5(files):
    files.responses.write_bytes(b"text")


def other_key(files):
    with h5py.File(files.responses, "r+") as file:
        file.move("ResponseData", "Other")


def fewer_trials(files):
    table = pd.read_csv(files.stimuli)
    table.iloc[:-1].to_csv(files.stimuli, index=False)


def other_voxels(files):
    table = pd.read_csv(files.voxels)
    table.assign(voxel_id=table["voxel_id"] + 9).to_csv(files.voxels, index=False)


def lost_trial(files):
    with h5py.File(files.responses, "r+") as file:
        file["ResponseData/block0_values"][:, 5] = np.nan


def constant_trial(files):
    with h5py.File(files.responses, "r+") as file:
        file["ResponseData/block0_values"][:, 5] = 3


def huge(files):
    with h5py.File(files.responses, "r+") as file:
        file["ResponseData/block0_values"][0, 0] = 1e9


def twice(files):
    table = pd.read_csv(files.stimuli)
    table.assign(trial_id=0).to_csv(files.stimuli, index=False)


def odd_type(files):
    table = pd.read_csv(files.stimuli)
    table.assign(trial_type="exp").to_csv(files.stimuli, index=False)


def huge_run(files):
    table = pd.read_csv(files.stimuli)
    table.assign(run="9" * 5000).to_csv(files.stimuli, index=False)


def odd_run(files):
    table = pd.read_csv(files.stimuli)
    table.assign(run="first").to_csv(files.stimuli, index=False)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_stimuli, r"the table release lacks .*StimulusMetadata\.csv"),
        (cut, "is not the published table"),
        (no_hdf5, "is not the published table"),
        (other_key, r"has no group 'ResponseData' but \['Other'\]"),
        (fewer_trials, r"no block of 41 trials.*block0_values \(50, 42\)"),
        (other_voxels, "50 voxels, .* knows 41 of them"),
        (lost_trial, "trial 5 is mostly not finite"),
        (constant_trial, "trial 5 has one value everywhere"),
        (huge, "expected % signal change"),
        (twice, "trial_id should run from 0 to 41, each once"),
        (odd_type, "the trial_type 'exp', expected train or test"),
        (odd_run, "'first' in column 'run' is no whole number"),
        (huge_run, "'9999999999.*' in column 'run' is no whole number"),
    ],
)
def test_bad_tables_are_one_sentence_and_leave_nothing(little, spoil, message):
    write_release(little)
    spoil(little.table_release("sub-01"))
    with pytest.raises(DataError, match=message) as caught:
        build_store(little, "sub-01", FROM_TABLE)
    assert "\n" not in str(caught.value)
    assert not (little.root / "derivatives").exists()


def test_sessions_may_be_written_in_words(tmp_path):
    write_stimuli(tmp_path / "s.csv")
    table = pd.read_csv(tmp_path / "s.csv")
    words = table.assign(session=table["session"].map("things{:02d}".format), run=1.0)
    words.to_csv(tmp_path / "s.csv", index=False)
    found = read_stimuli(tmp_path / "s.csv")
    assert found["session"].tolist() == table["session"].tolist()
    assert set(found["run"]) == {1}
