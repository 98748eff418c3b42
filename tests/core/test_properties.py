"""What holds for any grid, label, file and lock, not only for the published ones."""

import json
import os
import re
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thingsviz.core.errors import DataError
from thingsviz.core.files import is_writable, write_atomically
from thingsviz.core.json_files import write_json
from thingsviz.core.locks import is_locked, passing_lock
from thingsviz.core.progress import Progress, silent
from thingsviz.core.space import Grid
from thingsviz.core.trial_key import TrialKey, parse_subject

few = settings(deadline=None, max_examples=25, derandomize=True)
SEEDS = st.integers(0, 10_000)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Lone surrogates are no text: the test below refuses them.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("aäb"), inner),
    max_leaves=8,
)


def oblique(seed) -> Grid:
    """A turned, sheared, perhaps mirrored grid with unequal voxels."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    shear = np.eye(3) + np.triu(rng.uniform(-0.4, 0.4, (3, 3)), 1)
    affine = np.eye(4)
    affine[:3, :3] = turn @ shear @ np.diag(rng.uniform(0.7, 4, 3))
    affine[:3, 3] = rng.uniform(-150, 150, 3)
    return Grid.of(tuple(rng.integers(1, 90, 3)), affine)


def inner_points(grid, rng, n=50):
    return rng.integers(0, grid.shape, (n, 3))


@contextmanager
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@few
@given(SEEDS)
def test_any_oblique_grid_goes_to_mm_and_back(seed):
    grid, rng = oblique(seed), np.random.default_rng(seed)
    ijk = inner_points(grid, rng)
    np.testing.assert_array_equal(grid.to_voxel(grid.to_mm(ijk)), ijk)
    off = ijk + rng.uniform(-0.49, 0.49, ijk.shape)
    np.testing.assert_array_equal(grid.to_voxel(grid.to_mm(off)), ijk)


@few
@given(SEEDS)
def test_points_outside_an_oblique_grid_are_clipped_by_axis(seed):
    grid, rng = oblique(seed), np.random.default_rng(seed)
    ijk = rng.integers(-200, 300, (50, 3))
    found = grid.to_voxel(grid.to_mm(ijk))
    np.testing.assert_array_equal(found, np.minimum(np.maximum(ijk, 0), np.array(grid.shape) - 1))
    assert found.dtype == np.intp


@few
@given(SEEDS)
def test_a_step_along_an_axis_is_a_voxel_long(seed):
    grid = oblique(seed)
    steps = grid.to_mm(np.eye(3)) - grid.to_mm(np.zeros(3))
    np.testing.assert_allclose(np.linalg.norm(steps, axis=1), grid.voxel_size, rtol=1e-9)
    assert grid.n_voxels == np.zeros(grid.shape).size


@few
@given(SEEDS, st.integers(0, 2), st.integers(0, 3))
def test_each_number_of_the_affine_tells_grids_apart(seed, row, column):
    grid = oblique(seed)
    for shift, same in ((0.0009, True), (0.01, False)):
        affine = grid.matrix
        affine[row, column] += shift
        other = Grid.of(grid.shape, affine)
        assert grid.same_as(other) is same
        assert other.same_as(grid) is same


@few
@given(st.text(max_size=24))
def test_any_subject_is_a_safe_label_or_refused(text):
    try:
        found = parse_subject(text)
    except DataError:
        assert not re.fullmatch(r"(sub-)?[A-Za-z0-9_]{1,16}", text.strip())
        return
    assert re.fullmatch(r"sub-[A-Za-z0-9_]{1,16}", found)
    assert parse_subject(found) == found


HOSTILE = [
    "/",
    "\\",
    ".",
    "..",
    "\0",
    "\n",
    "-",
    "~",
    "*",
    "$",
    " ",
    "%2e",
    "é",
    "٣",
    "１",
    "\u202e",
]


@pytest.mark.parametrize("bad", HOSTILE)
@settings(few, max_examples=8)
@given(
    before=st.text("xyz09", min_size=1, max_size=5), after=st.text("xyz", min_size=1, max_size=5)
)
def test_one_hostile_sign_spoils_a_subject(bad, before, after):
    for text in (before + bad + after, f"sub-{before}{bad}{after}"):
        with pytest.raises(DataError, match="letters and digits only"):
            parse_subject(text)


@few
@given(st.integers(0, 10**15), st.integers(0, 1))
def test_leading_zeros_name_no_other_subject(number, zeros):
    name = "0" * zeros + str(number)
    assert parse_subject(name) == parse_subject(f" sub-{number}\n") == f"sub-{number:02d}"


@few
@given(st.lists(st.tuples(*[st.integers(1, 120)] * 3), min_size=2, max_size=20, unique=True))
def test_keys_sort_as_numbers_and_have_names_of_their_own(numbers):
    keys = [TrialKey(*key) for key in numbers]
    assert [(k.session, k.run, k.trial) for k in sorted(keys)] == sorted(numbers)
    assert len({str(key) for key in keys}) == len({*keys}) == len(numbers)


@few
@given(st.lists(st.binary(max_size=200), max_size=5), st.none() | st.binary(max_size=50))
def test_what_was_written_stands_alone_in_its_folder(parts, old):
    with folder() as base:
        path = base / "file.bin"
        if old is not None:
            path.write_bytes(old)

        def write(file):
            for part in parts:
                file.write(part)
                assert (path.read_bytes() if path.exists() else None) == old

        write_atomically(path, write)
        assert path.read_bytes() == b"".join(parts)
        assert list(base.iterdir()) == [path]


@pytest.mark.parametrize(
    "error", [OSError, ValueError, MemoryError, KeyboardInterrupt, SystemExit]
)
@pytest.mark.parametrize("n_bytes", [0, 1, 100_000])
def test_no_failure_leaves_anything(tmp_path, error, n_bytes):
    def fail(file):
        file.write(bytes(n_bytes))
        raise error

    with pytest.raises(error):
        write_atomically(tmp_path / "new", fail)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_late_leaves_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError(5, "late")

    monkeypatch.setattr(*((os, step) if step == "fsync" else (Path, step)), fail)
    with pytest.raises(OSError, match="late"):
        write_atomically(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_way_stays_whole(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "inner").write_text("kept")
    with pytest.raises(OSError, match="directory"):
        write_atomically(tmp_path / "a", lambda file: file.write(b"x"))
    assert [p.name for p in tmp_path.rglob("*")] == ["a", "inner"]


def test_two_writers_of_one_file_do_not_mix(tmp_path):
    path = tmp_path / "a"

    def outer(file):
        file.write(b"out")
        write_atomically(path, lambda other: other.write(b"inner"))
        assert path.read_bytes() == b"inner"
        file.write(b"er")

    write_atomically(path, outer)
    assert path.read_bytes() == b"outer"
    assert list(tmp_path.iterdir()) == [path]


@few
@given(JSON)
def test_json_values_survive_the_disk(value):
    with folder() as base:
        write_json(base / "a.json", value)
        raw = (base / "a.json").read_bytes()
    assert json.loads(raw) == value
    assert raw.endswith(b"\n")


@pytest.mark.parametrize("value", [np.float32(1), {1, 2}, b"x", "\ud800", [float("inf")]])
def test_what_is_no_json_leaves_the_old_file(tmp_path, value):
    path = tmp_path / "a.json"
    write_json(path, "old")
    with pytest.raises((TypeError, ValueError)):
        write_json(path, {"value": value})
    assert json.loads(path.read_text()) == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_can_be_written_below_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    assert not is_writable(tmp_path / "file" / "below")
    assert is_writable(tmp_path / "other" / "below")


@few
@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=12))
def test_a_lock_has_one_holder_whatever_the_order(steps):
    with folder() as base, ExitStack() as stack:
        held = {}
        for name, take in steps:
            if take:
                inner = ExitStack()
                got = inner.enter_context(passing_lock(base / name))
                assert got is (name not in held)
                if got:
                    held[name] = stack.enter_context(inner)
                else:
                    inner.close()
            elif name in held:
                held.pop(name).close()
            assert {n for n in "ab" if is_locked(base / n)} == set(held)
            assert {p.name for p in base.iterdir()} == set(held)


def test_many_threads_never_hold_a_lock_together(tmp_path):
    inside, most, won = [], [], []

    def work():
        for _ in range(100):
            with passing_lock(tmp_path / "lock") as got:
                if got:
                    inside.append(1)
                    time.sleep(0)  # let the others try
                    most.append(len(inside))
                    won.append(1)
                    inside.pop()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won
    assert max(most) == 1
    assert not list(tmp_path.iterdir())


def test_a_lock_in_no_folder_is_not_held(tmp_path):
    assert not is_locked(tmp_path / "no" / "lock")
    with pytest.raises(FileNotFoundError), passing_lock(tmp_path / "no" / "lock"):
        pytest.fail("held in a folder that is not there")


def test_silence_says_nothing(capsys):
    assert silent(Progress(1, 3, "one of three")) is None
    assert capsys.readouterr() == ("", "")
