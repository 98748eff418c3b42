import numpy as np
import pandas as pd
import pytest

from thingsviz.core.errors import DataError
from thingsviz.data.planted.design import COLUMNS, make_design, read_design
from thingsviz.data.planted.presets import PRESETS

TINY = PRESETS["tiny"]


@pytest.fixture
def design(rng):
    names = [f"thing_{n:02d}" for n in range(TINY.n_concepts)]
    return make_design(TINY, names, rng)


def test_counts_are_those_of_the_preset(design):
    assert list(design.columns) == COLUMNS
    counts = design.groupby(["session", "run", "trial_type"])["trial"].count().unstack()  # noqa: PD010
    assert len(counts) == TINY.n_sessions * TINY.n_runs
    assert (counts["train"] == TINY.n_train).all()
    assert (counts["test"] == TINY.n_test).all()
    assert (counts["catch"] == TINY.n_catch).all()
    for _, run in design.groupby(["session", "run"]):
        assert run["trial"].tolist() == list(range(1, len(run) + 1))


def test_a_block_design_shows_each_class_equally_often_in_each_run(rng):
    preset, names = PRESETS["runs"], list("abcdefgh")
    design = make_design(preset, names, rng)
    assert design["image_filename"].is_unique
    assert len(design) == 12 * 32
    counts = design.groupby(["run", "concept"]).size()
    assert (counts == 4).all()
    assert len(counts) == 12 * 8
    for _, run in design.groupby("run"):
        assert run["trial"].tolist() == list(range(1, 33))
        # a class is shown in one block
        assert (run["concept"] != run["concept"].shift()).sum() == 8


def test_each_session_shows_each_concept_and_each_test_image_once(design):
    test_images = set(design.loc[design["trial_type"] == "test", "image_filename"])
    assert len(test_images) == TINY.n_test_images
    for _, session in design.groupby("session"):
        train = session[session["trial_type"] == "train"]
        assert train["concept"].nunique() == len(train) == TINY.n_concepts
        tests = session.loc[session["trial_type"] == "test", "image_filename"]
        assert sorted(tests) == sorted(test_images)


def test_train_images_are_new_and_test_concepts_are_trained(design):
    train = design[design["trial_type"] == "train"]
    tests = design[design["trial_type"] == "test"]
    assert train["image_filename"].is_unique
    assert not set(train["image_filename"]) & set(tests["image_filename"])
    assert set(tests["concept"]) <= set(train["concept"])
    assert (design.loc[design["trial_type"] == "catch", "concept"] == "").all()


def test_trials_are_mixed(design):
    first = design[(design["session"] == 1) & (design["run"] == 1)]["trial_type"]
    assert (first.iloc[: TINY.n_train] != "train").any()


def write_conditions(folder, names, session=1, run=1):
    path = folder / f"ses-things{session:02d}"
    path.mkdir(parents=True, exist_ok=True)
    stem = f"sub-01_ses-things{session:02d}_run-{run:02d}_conditions.tsv"
    pd.DataFrame({"image_filename": names}).to_csv(path / stem, sep="\t")
    return path / stem


def test_a_design_is_read_back(tmp_path, design):
    for (session, run), rows in design.groupby(["session", "run"]):
        write_conditions(tmp_path, rows["image_filename"].tolist(), session, run)
    pd.testing.assert_frame_equal(read_design(tmp_path), design)


def test_the_concept_comes_from_the_file_name(tmp_path):
    names = ["ferris/ferris_wheel_20s.jpg", "catch001.jpg", "dog/dog_01b.jpg"]
    write_conditions(tmp_path, names)
    assert read_design(tmp_path)["concept"].tolist() == ["ferris_wheel", "", "dog"]


def test_the_published_design(real):
    design = read_design(real / "conditions" / "sub-01")
    assert len(design) == 11_040
    counts = design["trial_type"].value_counts()
    assert counts.to_dict() == {"train": 8640, "test": 1200, "catch": 1200}
    assert design.loc[design["concept"] != "", "concept"].nunique() == 720


def test_a_folder_without_conditions_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no ses-"):
        read_design(tmp_path)


def test_conditions_without_the_column_are_refused(tmp_path):
    path = write_conditions(tmp_path, ["dog/dog_01s.jpg"])
    path.write_text("\tpicture\n0\tdog/dog_01s.jpg\n")
    with pytest.raises(DataError, match="lacks the column 'image_filename'"):
        read_design(tmp_path)


def test_an_empty_name_is_refused(tmp_path):
    path = write_conditions(tmp_path, ["dog/dog_01s.jpg"])
    path.write_text("\timage_filename\n0\tdog/dog_01s.jpg\n1\t\n")
    with pytest.raises(DataError, match="empty image_filename in trial 2"):
        read_design(tmp_path)


def test_binary_conditions_are_refused(tmp_path):
    path = write_conditions(tmp_path, ["dog/dog_01s.jpg"])
    path.write_bytes(np.arange(256, dtype=np.uint8).tobytes())
    with pytest.raises(DataError, match="no text table"):
        read_design(tmp_path)
