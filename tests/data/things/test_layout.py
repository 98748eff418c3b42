import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data import published
from thingsviz.core.errors import DataError
from thingsviz.data.things.layout import Dataset, find_datasets, is_dataset, open_dataset


def test_runs_are_found_in_order(little):
    runs = little.runs("sub-01")
    assert [(f.session, f.run) for f in runs] == [(s, r) for s in (1, 2, 3) for r in (1, 2)]
    assert all(f.betas and f.conditions for f in runs)
    assert str(runs[3]) == "ses-02 run-02"


def test_the_plain_tree_works_too(tmp_path):
    dataset = published.write_subject(tmp_path / "plain", tree=".")
    assert len(dataset.runs("1")) == 6


def test_scalematched_comes_first(little):
    other = published.run_path(little.root, 1, 1, "conditions.tsv", tree=".")
    published.write_conditions(other, ["dog/dog_01b.jpg"])
    assert little.run_tree("sub-01").parent.name == "scalematched"


def test_subjects_from_all_trees_and_the_table_release(little):
    (little.root / "betas_csv").mkdir()
    (little.root / "betas_csv" / "sub-03_ResponseData.h5").touch()
    (little.root / "betas_vol" / "sub-02").mkdir()
    assert little.subjects() == ["sub-01", "sub-02", "sub-03"]


def test_two_files_for_one_run_are_refused(little):
    first = published.run_path(little.root, 1, 1, "betas.nii.gz")
    first.with_name("sub-01_ses-things01_run-1_betas.nii.gz").write_bytes(first.read_bytes())
    with pytest.raises(DataError, match="two files claim to be the betas of one run"):
        little.runs("sub-01")


def test_files_of_another_subject_and_other_files_are_passed_over(little):
    folder = published.run_path(little.root, 1, 1, "x").parent
    (folder / "sub-02_ses-things01_run-03_betas.nii.gz").touch()
    (folder / "notes.txt").touch()
    assert len(little.runs("sub-01")) == 6


def test_picture_is_found_although_its_folder_is_wrong(little):
    folder = little.root / "image/_image_database_things/images/sim_card"
    folder.mkdir(parents=True)
    (folder / "sim_card_13s.jpg").touch()
    assert little.image_file("sim/sim_card_13s.jpg") == folder / "sim_card_13s.jpg"
    assert little.image_file("sim/sim_card_14s.jpg") is None


def test_picture_in_object_images(little):
    folder = little.root / "image/_image_database_things/object_images/dog"
    folder.mkdir(parents=True)
    (folder / "dog_01b.jpg").touch()
    assert little.image_file("dog/dog_01b.jpg") == folder / "dog_01b.jpg"


@given(st.text(max_size=40))
def test_no_image_name_leads_out_of_the_image_folders(text):
    found = Dataset(published.Path("/nowhere")).image_file(text)
    assert found is None


def test_image_names_cannot_climb(little):
    (little.root / "image/images").mkdir(parents=True)
    (little.root / "image/.._01b.jpg").touch()
    assert little.image_file("../.._01b.jpg") is None
    assert little.image_file("catch001.jpg") is None


def test_the_description_says_space_and_simulated(little):
    assert (little.space, little.simulated) == ("T1w", False)
    little.description_file.write_text('{"Simulated": true, "Space": "MNI152"}')
    assert (little.space, little.simulated) == ("MNI152", True)
    assert little.brain_mask("1").name == "sub-01_space-T1w_brainmask.nii.gz"
    little.brain_mask("1").unlink()
    assert little.brain_mask("1").name == "sub-01_space-MNI152_brainmask.nii.gz"


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_broken_description_is_one_sentence(little, text):
    little.description_file.write_text(text)
    with pytest.raises(DataError, match=r"dataset_description\.json.*mend or remove it"):
        little.description()


def test_results_go_where_they_are_told(little, monkeypatch, tmp_path):
    assert little.store_dir("1") == little.root / "derivatives/thingsviz/sub-01"
    monkeypatch.setenv("THINGSVIZ_DERIVATIVES", str(tmp_path / "env"))
    assert little.store_dir("1") == tmp_path / "env/little/thingsviz/sub-01"
    told = Dataset(little.root, tmp_path / "told")
    assert told.store_dir("1") == tmp_path / "told/little/thingsviz/sub-01"


def test_datasets_are_folders_of_the_root(little, monkeypatch):
    (little.root.parent / "other").mkdir()
    monkeypatch.setenv("THINGSVIZ_DATA", str(little.root.parent))
    assert [d.name for d in find_datasets()] == ["little"]
    assert open_dataset("little").root == little.root


def test_the_root_itself_may_be_the_dataset(little, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_DATA", str(little.root))
    assert [d.root for d in find_datasets()] == [little.root]


def test_no_root_is_no_datasets(tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path / "none"))
    assert find_datasets() == []


@pytest.mark.parametrize("name", ["..", "../little", "/etc", "", ".", "little/../little", "nix"])
def test_a_name_from_a_url_cannot_leave_the_root(little, monkeypatch, name):
    monkeypatch.setenv("THINGSVIZ_DATA", str(little.root.parent))
    with pytest.raises(DataError, match=r"there is no dataset .* those there: little"):
        open_dataset(name)


def test_a_missing_folder_says_what_to_give(tmp_path):
    with pytest.raises(DataError, match="does not exist: give the folder that holds betas_vol/"):
        open_dataset(tmp_path / "none")


def test_a_folder_of_another_kind_says_what_is_missing(tmp_path):
    assert not is_dataset(tmp_path)
    with pytest.raises(DataError, match="holds no betas_vol/, betas_csv/ or conditions/"):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    "text", ['{"Simulated": "true"}', '{"Simulated": 1}', '{"Space": ["T1w"]}']
)
def test_planted_data_are_never_taken_for_measured_by_a_slip(little, text):
    little.description_file.write_text(text)
    with pytest.raises(DataError, match=r"(Simulated|Space) should be .*: mend or remove it"):
        little.simulated  # noqa: B018
