import numpy as np
import pandas as pd
import pytest

from tests.data.published import AFFINE, GRID, brain
from thingsviz.core.errors import DataError
from thingsviz.core.space import Grid
from thingsviz.data.things.voxel_metadata import (
    read_metadata,
    read_voxels,
    region_columns,
    voxel_table,
)
from thingsviz.data.volumes.masks import BrainMask


@pytest.fixture
def mask():
    return BrainMask(brain(), Grid.of(GRID, AFFINE))


def metadata(mask, rng, n_columns=222) -> pd.DataFrame:
    """A table like the published one, in another order of voxels than ours."""
    ijk = mask.ijk[rng.permutation(mask.n_voxels)]
    columns = {"voxel_id": np.arange(len(ijk)) + 7, "subject_id": 1}
    columns |= {f"voxel_{axis}": ijk[:, a] for a, axis in enumerate("xyz")}
    columns |= {"nc_singletrial": rng.uniform(0, 40, len(ijk)), "nc_testset": ijk[:, 0] * 10.0}
    columns |= {"splithalf_corrected": rng.uniform(0, 1, len(ijk)), "prf-eccentricity": ijk[:, 2]}
    columns |= {
        "V1": (ijk[:, 0] == 0) * 1,
        "LO1 (prf)": (ijk[:, 1] == 2) * 1.0,
        "lEBA": ijk[:, 2] == 3,
    }
    columns |= {"glasser-a\n": (ijk[:, 0] == 1) * 1, "glasser\n-b": 0}
    for number in range(n_columns - len(columns)):
        columns[f"glasser-{number:03d}"] = rng.integers(0, 2, len(ijk))
    return pd.DataFrame(columns)


@pytest.fixture
def path(mask, rng, tmp_path):
    metadata(mask, rng).to_csv(tmp_path / "v.csv", index=False)
    return tmp_path / "v.csv"


def test_regions_and_ceilings_in_store_order(mask, path):
    voxels, notes = read_voxels(path, mask)
    assert notes == []
    np.testing.assert_array_equal(voxels[["i", "j", "k"]], mask.ijk)
    np.testing.assert_array_equal(voxels["V1"], mask.ijk[:, 0] == 0)
    np.testing.assert_array_equal(voxels["lEBA"], mask.ijk[:, 2] == 3)
    np.testing.assert_array_equal(voxels["nc_testset"], mask.ijk[:, 0] * 10)


def test_names_with_a_newline_stand_on_one_line(mask, path):
    voxels, _ = read_voxels(path, mask)
    assert {"glasser-a", "glasser -b"} <= set(voxels.columns)
    np.testing.assert_array_equal(voxels["glasser-a"], mask.ijk[:, 0] == 1)


def test_only_zero_one_columns_are_regions(mask, path):
    regions = region_columns(read_voxels(path, mask)[0])
    assert len(regions) == 222 - 9
    assert not {"nc_testset", "prf-eccentricity", "splithalf_corrected", "subject_id"} & set(
        regions
    )


def test_without_metadata_there_are_positions_only(mask, tmp_path):
    voxels, notes = read_voxels(tmp_path / "none.csv", mask)
    assert list(voxels.columns) == ["i", "j", "k"]
    assert notes == []


def test_voxels_that_are_not_listed_have_no_region(mask, rng, tmp_path):
    metadata(mask, rng).iloc[:-5].to_csv(tmp_path / "v.csv", index=False)
    voxels, notes = read_voxels(tmp_path / "v.csv", mask)
    assert notes == ["v.csv does not list 5 of 50 brain voxels"]
    assert voxels["V1"].dtype == bool
    assert voxels["nc_testset"].isna().sum() == 5


def test_voxels_of_another_grid_are_refused(mask, rng, tmp_path):
    metadata(mask, rng).assign(voxel_x=99).to_csv(tmp_path / "v.csv", index=False)
    with pytest.raises(DataError, match=r"voxels outside the grid \(5, 6, 4\)"):
        read_voxels(tmp_path / "v.csv", mask)


@pytest.mark.parametrize(
    ("text", "message"), [("a,b\n1,2\n", "lacks the columns"), ("", "No columns")]
)
def test_another_table_is_refused(tmp_path, text, message):
    (tmp_path / "v.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_metadata(tmp_path / "v.csv")


def spoilt(mask, rng, path, change):
    """Write metadata, change their text, and read them."""
    plain = metadata(mask, rng).rename(columns=lambda name: name.replace("\n", " "))
    plain.to_csv(path, index=False)
    lines = path.read_text().splitlines()
    change(lines)
    path.write_text("\n".join(lines) + "\n")
    return read_metadata(path)


def cell(row, column, value):
    def change(lines):
        at = lines[0].split(",").index(column)
        cells = lines[row].split(",")
        cells[at] = value
        lines[row] = ",".join(cells)

    return change


def without(row, part):
    def change(lines):
        lines[row] = lines[row].rsplit(",", 1)[0] if part == "cell" else lines[row] + ",7"

    return change


SPOILT = [
    (cell(3, "voxel_x", "1.5"), "column 'voxel_x' should hold whole numbers"),
    (cell(3, "voxel_y", ""), "column 'voxel_y' should hold whole numbers"),
    (cell(3, "voxel_z", "b"), "column 'voxel_z' should hold whole numbers"),
    (cell(3, "V1", "O"), "'O' in column 'V1' is not a number"),
    (cell(3, "V1", "9" * 40), "'9999.*' in column 'V1' is not a number"),
    (cell(3, "V1", "9"), "9 in column 'V1', row 4 should be 0 or 1"),
    (cell(0, "V1", "nc_testset"), "names the column 'nc_testset' twice"),
    (cell(3, "voxel_id", "7"), "lists the voxel_id 7 twice"),
    (without(3, "cell"), "table row 4 has .* cells where the header has"),
    (without(3, "more"), "table row 4 has .* cells where the header has"),
]


@pytest.mark.parametrize(("change", "words"), SPOILT)
def test_a_spoilt_row_is_not_read_as_other_numbers(mask, rng, tmp_path, change, words):
    spoilt(mask, rng, tmp_path / "v.csv", lambda lines: None)  # sound as it is
    with pytest.raises(DataError, match=words):
        spoilt(mask, rng, tmp_path / "v.csv", change)


def test_a_voxel_that_comes_twice_is_refused(mask, rng, tmp_path):
    def twice(lines):
        lines.append(",".join(["9999", *lines[1].split(",")[1:]]))

    table = spoilt(mask, rng, tmp_path / "v.csv", twice)
    with pytest.raises(DataError, match="lists a voxel twice"):
        voxel_table(mask, table, tmp_path / "v.csv")
