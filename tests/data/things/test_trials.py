import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data import published
from thingsviz.core.errors import DataError
from thingsviz.data.things.layout import Dataset, RunFiles
from thingsviz.data.things.ratings import mean_column
from thingsviz.data.things.trials import (
    build_trials,
    live_rows,
    read_conditions,
    read_trials,
)


@pytest.fixture(scope="module")
def real_trials(real):
    return build_trials(Dataset(real), "sub-01")


def test_the_published_design(real_trials):
    """Point by point what THINGS-fMRI's sub-01 holds."""
    table = real_trials.table
    live = table[table["trial_type"] != "catch"]
    assert len(table) == 11_040
    assert table["trial_type"].value_counts().to_dict() == {
        "train": 8640,
        "test": 1200,
        "catch": 1200,
    }
    assert len(live) == 9840
    assert live["concept"].nunique() == table["concept"].nunique() == 720
    assert live["uniqueID"].notna().all()
    assert live[mean_column("lives")].notna().all()
    assert (table.groupby(["session", "run"]).size() == 92).all()
    assert table[table["trial_type"] == "test"]["image_filename"].nunique() == 100


def test_the_reports_columns_and_more(real_trials):
    columns = set(real_trials.table.columns)
    wanted = {"session", "run", "trial_number", "image_filename", "filepath", "uniqueID"}
    assert columns >= {*wanted, "fmri_path", "trial", "trial_type", "concept"}
    assert len(columns) >= 30


def test_trials_in_wrong_folders_are_not_lost(real_trials):
    """The original study lost 36 of them, and gave 24 the concept of another thing's folder."""
    table = real_trials.table
    folder = table["image_filename"].str.split("/").str[0]
    moved = table[(folder != table["concept"]) & (table["trial_type"] != "catch")]
    assert len(moved) == 60
    assert set(moved["concept"]) == {
        *("ferris_wheel", "sim_card", "hula_hoop", "mosquito_net", "coat_rack")
    }
    lost = {"ferris_wheel", "sim_card", "hula_hoop"}
    assert moved["concept"].isin(lost).sum() == 36
    assert moved["uniqueID"].equals(moved["concept"])


def test_types_agree_with_the_published_events(real, real_trials):
    paths = sorted((real / "events").glob("sub-01/*/func/*_events.tsv"))
    kinds = pd.concat([pd.read_csv(path, sep="\t") for path in paths])
    said = kinds["trial_type"].replace({"exp": "train"}).tolist()
    assert len(paths) == 120
    assert said == real_trials.table["trial_type"].tolist()


def test_volume_k_is_row_k_of_the_conditions(little):
    table = build_trials(little, "sub-01").table
    for (session, run), rows in table.groupby(["session", "run"]):
        assert rows["trial"].tolist() == list(range(1, published.N_VOLUMES + 1))
        assert rows["image_filename"].tolist() == published.images_of(session, run)
    assert table["trial_number"].equals(table["trial"])


def test_catch_trials_stay_and_have_no_concept(little):
    table = build_trials(little, "sub-01").table
    catch = table[table["trial_type"] == "catch"]
    assert len(catch) == 6
    assert catch[["concept", "uniqueID", "filepath", mean_column("lives")]].isna().all(axis=None)
    assert catch["fmri_path"].notna().all()


def test_paths_lead_to_the_files(little):
    row = build_trials(little, "sub-01").table.iloc[6]
    assert row["image_filename"] == "sim/sim_card_13s.jpg"
    assert row["filepath"] == "images/sim_card/sim_card_13s.jpg"
    assert (little.root / row["fmri_path"]).is_file()


def test_without_image_paths_the_usual_path_is_given(little):
    with_list = build_trials(little, "sub-01").table["filepath"]
    little.image_paths_file.unlink()
    pd.testing.assert_series_equal(build_trials(little, "sub-01").table["filepath"], with_list)


def test_pictures_that_are_not_listed_are_a_warning(little):
    little.image_paths_file.write_text("images/dog/dog_01s.jpg\n")
    assert "41 trials show a picture that image-paths.csv does not list" in (
        build_trials(little, "sub-01").warnings
    )


def test_concepts_without_ratings_are_a_warning_and_not_live(little):
    published.write_ratings(little.ratings_file, published.CONCEPTS[:-1])
    table, warnings = build_trials(little, "sub-01")
    assert "9 trials show concepts without ratings, left out of training: sim_card" in warnings
    assert len(live_rows(table)) == 42 - 9
    assert (table["concept"] == "sim_card").sum() == 9


def test_ratings_of_other_things_are_refused(little):
    published.write_ratings(little.ratings_file, ("zebra", "yacht"))
    with pytest.raises(DataError, match="rates none of the concepts shown"):
        build_trials(little, "sub-01")


def test_no_runs_says_who_is_there(little):
    with pytest.raises(DataError, match=r"no runs of sub-07 \(there: sub-01\)"):
        build_trials(little, "7")


def conditions(little, text: bytes):
    path = published.run_path(little.root, 1, 1, "conditions.tsv")
    path.write_bytes(text)
    return next(f for f in little.runs("sub-01") if f.conditions == path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\timage\n0\tdog/dog_01s.jpg\n", "lacks the column 'image_filename'"),
        (b"\timage_filename\n", "lists no trials"),
        (b"\timage_filename\n0\tdog/dog_01s.jpg\n1\t\n", "names no image for trial 2"),
        (b"\timage_filename\n0\ta_01s.jpg\n0\tb_01s.jpg\n", "lists row '0' twice"),
        (b"\timage_filename\n0\ta_01s.jpg\n1\ta_01s.jpg\n", "lists image 'a_01s.jpg' twice"),
    ],
)
def test_bad_conditions_are_one_sentence(little, text, message):
    with pytest.raises(DataError, match=message):
        read_conditions(conditions(little, text))


def test_conditions_with_windows_endings_and_umlauts(little):
    files = conditions(little, "\timage_filename\r\n0\tkäse/käse_01s.jpg\r\n".encode("cp1252"))
    table, warnings = read_conditions(files)
    assert table["image_filename"].tolist() == ["käse/käse_01s.jpg"]
    assert "not UTF-8" in warnings[0]


def test_conditions_without_the_index_column(little):
    files = conditions(little, b"image_filename\ndog/dog_01s.jpg\n")
    assert len(read_conditions(files).table) == 1


def test_a_damaged_table_is_one_sentence(tmp_path):
    (tmp_path / "trials.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(DataError, match=r"trials\.parquet' cannot be read .*run prepare again"):
        read_trials(tmp_path)


@given(
    images=st.lists(
        st.from_regex(r"[a-zé]{1,6}/[a-zé]{1,6}_[0-9]{2}s\.jpg", fullmatch=True), min_size=1
    ),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]),
)
@settings(deadline=None)
def test_any_conditions_are_read_or_refused_for_a_reason(
    tmp_path_factory, images, newline, encoding
):
    path = tmp_path_factory.mktemp("c") / "sub-01_ses-things01_run-01_conditions.tsv"
    lines = ["\timage_filename", *(f"{k}\t{image}" for k, image in enumerate(images)), ""]
    path.write_bytes(newline.join(lines).encode(encoding))
    files = RunFiles(1, 1, None, path)
    if len(set(images)) < len(images):
        with pytest.raises(DataError, match="twice: a run shows each image once"):
            read_conditions(files)
    else:
        table = read_conditions(files).table
        assert table["image_filename"].tolist() == images
        assert table["trial"].tolist() == list(range(1, len(images) + 1))
