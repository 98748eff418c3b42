import gzip
import json

import nibabel as nib
import numpy as np
import pytest

from thingsviz.analysis.regions.parcellation import (
    declared_space,
    keep_parcellation,
    nearest,
    parcellations,
    read_names,
    read_parcellation,
)
from thingsviz.core.errors import DataError
from thingsviz.core.space import Grid
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset

SHAPE = (6, 5, 4)
AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])
GRID = Grid.of(SHAPE, AFFINE)


@pytest.fixture
def mask(rng):
    return rng.random(SHAPE) < 0.7


@pytest.fixture
def labels(rng):
    return rng.integers(0, 4, SHAPE)


def write(folder, labels, affine=AFFINE, name="mine", rows="1\tone\n2\ttwo\n3\tthree\n", space=""):
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.nii.gz"
    nib.save(nib.Nifti1Image(np.asarray(labels, np.float32), affine), path)
    (folder / f"{name}.tsv").write_text(f"index\tname\n{rows}", encoding="utf-8")
    if space:
        (folder / f"{name}.json").write_text(json.dumps({"Space": space}))
    return path


def named(found):
    return [found.names[label - 1] if label else "" for label in found.labels]


def test_labels_on_the_same_grid_are_taken_as_they_are(tmp_path, mask, labels):
    found = read_parcellation(write(tmp_path, labels), GRID, mask, "T1w")
    words = ["", "one", "two", "three"]
    assert named(found) == [words[label] for label in labels[mask]]
    assert found.source == "mine (your parcellation)"


def test_a_finer_grid_of_the_same_space_is_looked_up_and_called_approximate(
    tmp_path, mask, labels
):
    fine = np.repeat(np.repeat(np.repeat(labels, 2, 0), 2, 1), 2, 2)
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, 3] = -0.5  # the corners of the coarse voxels are those of the fine ones
    affine[:3, 3] += 0.1  # no ties at a voxel's border
    path = write(tmp_path, fine, affine, space="T1w")
    found = read_parcellation(path, GRID, mask, "T1w")
    words = ["", "one", "two", "three"]
    assert named(found) == [words[label] for label in labels[mask]]
    assert "approximate" in found.source


def test_another_kind_of_mni_space_is_approximate(tmp_path, mask, labels):
    path = write(tmp_path, labels, name="a_space-MNI152NLin6Asym_dseg")
    assert declared_space(path) == "MNI152NLin6Asym"
    found = read_parcellation(path, GRID, mask, "MNI152NLin2009cAsym")
    assert "approximate: MNI152NLin6Asym is not quite" in found.source


def test_places_outside_the_image_have_no_label(labels):
    far = np.array([[-9.0, 0, 0], [100, 2, 2], [2, 2, 2]])
    assert nearest(labels, GRID, far).tolist() == [0, 0, labels[1, 1, 1]]


def test_a_flipped_axis_finds_the_same_places(tmp_path, mask, labels):
    affine = AFFINE.copy()
    affine[0, 0], affine[0, 3] = -2.0, 2.0 * (SHAPE[0] - 1)
    path = write(tmp_path, labels[::-1], affine, space="T1w")
    found = read_parcellation(path, GRID, mask, "T1w")
    plain = read_parcellation(write(tmp_path, labels, name="plain"), GRID, mask, "T1w")
    assert named(found) == named(plain)


def test_both_folders_are_looked_into(tmp_path, monkeypatch, labels):
    monkeypatch.setenv("THINGSVIZ_DERIVATIVES", str(tmp_path / "out"))
    dataset = Dataset(tmp_path / "data")
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "parcellations", labels, name="placed")
    kept = tmp_path / "out" / "data" / "thingsviz" / "parcellations"
    kept.parent.mkdir(parents=True)
    write(kept, labels, name="brought")
    assert set(parcellations(dataset)) == {"placed", "brought"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"space": "MNI152"}, "is in the space MNI152, but these data are in T1w: bring it"),
        ({"affine": np.diag([1.0, 1, 1, 1])}, "another grid .* does not say its space"),
        (
            {"labels": np.ones((3, 3, 3))},
            r"another grid \(3 × 3 × 3\) than these data \(",
        ),
        ({"labels": np.ones((*SHAPE, 2))}, "shape 6 × 5 × 4 × 2, but one label a voxel"),
        ({"labels": np.full(SHAPE, 0.5)}, "120 voxels whose value is no label"),
        ({"labels": np.full(SHAPE, np.nan)}, "120 voxels whose value is no label"),
        ({"labels": np.full(SHAPE, -1)}, "whose value is no label"),
        ({"labels": np.zeros(SHAPE)}, "has no label inside the brain"),
        ({"rows": "1\tone\n"}, r"2 of 3 labels .* have no name in mine\.tsv \(2, 3\)"),
        ({"rows": "1\tone\n1\ttwo\n"}, "names the index 1 twice"),
        ({"rows": "one\tone\n"}, "has the index 'one': write a whole number"),
        ({"rows": "1\t\n"}, "gives no name to the index 1"),
    ],
)
def test_bad_parcellations_are_one_sentence(tmp_path, mask, labels, change, words):
    path = write(tmp_path, **({"labels": labels} | change))
    with pytest.raises(DataError, match=words):
        read_parcellation(path, GRID, mask, "T1w")


def test_a_flat_affine_is_one_sentence(tmp_path, mask, labels):
    path = write(tmp_path, labels)
    image = nib.Nifti1Image(labels.astype(np.float32), AFFINE)
    path.with_name("mine.nii").write_bytes(image.to_bytes())
    raw = bytearray(path.with_name("mine.nii").read_bytes())
    raw[280:296] = np.zeros(4, np.float32).tobytes()  # the first row of the sform
    path.with_name("mine.nii").write_bytes(raw)
    with pytest.raises(DataError, match="affine without volume"):
        read_parcellation(path.with_name("mine.nii"), GRID, mask, "T1w")


def test_files_that_are_none_are_one_sentence(tmp_path, mask, labels):
    path = write(tmp_path, labels)
    whole = path.read_bytes()
    path.write_bytes(b"no image")
    with pytest.raises(DataError, match="no NIfTI image that can be read"):
        read_parcellation(path, GRID, mask, "T1w")
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"ends too early|no NIfTI image"):
        read_parcellation(path, GRID, mask, "T1w")
    path.write_bytes(whole)
    path.with_name("mine.json").write_text("[]")
    with pytest.raises(DataError, match=r'should hold \{"Space"'):
        read_parcellation(path, GRID, mask, "T1w")


def test_bad_tables_of_names_are_one_sentence(tmp_path):
    path = tmp_path / "names.tsv"
    with pytest.raises(DataError, match=r"names\.tsv is missing"):
        read_names(path)
    path.write_text("label,region\n1,one\n")
    with pytest.raises(DataError, match="columns index and name, but it has label,region"):
        read_names(path)
    path.write_bytes(b"index\tname\n1\t\xff\n")
    with pytest.raises(DataError, match="no table that can be read"):
        read_names(path)
    path.write_text("index\tname\n" + "".join(f"{n}\tr\n" for n in range(2001)))
    with pytest.raises(DataError, match="names 2,001 regions"):
        read_names(path)


@pytest.fixture
def store(tiny):
    return BetaStore.open(Dataset(tiny / "tiny"), "sub-01")


def test_what_came_by_the_page_is_checked_and_kept(tmp_path, store):
    halves = np.where(np.arange(store.mask.shape[0]) < store.mask.shape[0] // 2, 1, 2)
    labels = np.broadcast_to(halves[:, None, None], store.mask.shape)
    path = write(tmp_path / "came", labels, store.grid.matrix, rows="1\tleft\n2\tright\n")
    image, table = path.read_bytes(), path.with_name("mine.tsv").read_bytes()
    kept = keep_parcellation(store, tmp_path / "kept", "mine.nii.gz", image, table, "T1w")
    assert declared_space(kept) == "T1w"
    assert read_parcellation(kept, store.grid, store.mask, store.space).names == ("left", "right")
    with pytest.raises(DataError, match="there is a parcellation mine"):
        keep_parcellation(store, tmp_path / "kept", "mine.nii.gz", image, table, "")
    for name in ("../mine.nii.gz", "mine.txt", ".nii.gz"):
        with pytest.raises(DataError, match="is no name for a parcellation"):
            keep_parcellation(store, tmp_path / "kept", name, image, table, "")
    with pytest.raises(DataError, match="index and name"):
        keep_parcellation(store, tmp_path / "kept", "b.nii.gz", image, b"a\tb\n", "")
    assert sorted(p.name for p in (tmp_path / "kept").iterdir()) == [
        "mine.json",
        "mine.nii.gz",
        "mine.tsv",
    ]


@pytest.mark.parametrize("at", [0.3, 0.6, 0.9, 0.999])
def test_a_flipped_bit_in_a_packed_image_is_found(tmp_path, mask, labels, at):
    path = write(tmp_path, labels)
    raw = bytearray(path.read_bytes())
    raw[int(at * len(raw))] ^= 4
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"is damaged|ends too early|foreign bytes"):
        read_parcellation(path, GRID, mask, "T1w")


def test_a_bomb_is_not_unpacked(tmp_path, mask, monkeypatch):
    monkeypatch.setattr("thingsviz.analysis.regions.parcellation.MOST_BYTES", 2**20)
    path = write(tmp_path, np.ones(SHAPE))
    path.write_bytes(gzip.compress(bytes(2**22)))
    with pytest.raises(DataError, match="holds more than 1,048,576 bytes"):
        read_parcellation(path, GRID, mask, "T1w")


@pytest.mark.parametrize(("at", "value"), [(108, np.inf), (280, np.nan), (284, np.inf)])
def test_a_header_that_says_no_number(tmp_path, mask, labels, at, value):
    path = write(tmp_path, labels)
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[at : at + 4] = np.float32(value).tobytes()
    path.write_bytes(gzip.compress(bytes(raw)))
    with pytest.raises(DataError, match=r"no NIfTI image that can be read|without volume"):
        read_parcellation(path, GRID, mask, "T1w")


def test_a_column_of_names_that_comes_twice_is_refused(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("index\tindex\tname\n1\t2\tV1\n")
    with pytest.raises(DataError, match="names the column 'index' twice"):
        read_names(path)
