import json
import os
import time

import pytest

from tests.data import published
from thingsviz.core.json_files import sealed
from thingsviz.core.locks import passing_lock
from thingsviz.data.prepare.build import BuildOptions, build_store
from thingsviz.data.store.state import count, lock_file, store_state
from thingsviz.data.things.trials import build_trials


@pytest.fixture
def ready(little):
    build_store(little, "sub-01")
    return little


def later(path):
    """Give a file another date without changing it."""
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))


def test_published_files_are_raw(little):
    state = store_state(little, "sub-01")
    assert (state.state, state.counts) == ("raw", {"runs": 6, "sessions": 3})
    assert state.reason == "the published files are here, not prepared yet"


def test_conditions_alone_are_raw(little):
    for files in little.runs("sub-01"):
        files.betas.unlink()
    assert store_state(little, "sub-01").reason == "conditions are here, betas are not"


def test_another_subject_is_missing(little):
    state = store_state(little, "sub-09")
    assert (state.state, state.reason) == ("missing", "there are no files of sub-09")


def test_ready_with_counts_by_session_and_type(ready):
    state = store_state(ready, "sub-01")
    assert (state.state, state.reason) == ("ready", "")
    assert state.counts["voxels"] == published.N_BRAIN_VOXELS
    assert state.counts["by_session"]["2"] == {"train": 12, "test": 2, "catch": 2}
    assert "no nameability" in state.warnings[0]


def test_somebody_preparing_is_told(little):
    lock = lock_file(little, "sub-01")
    lock.parent.mkdir(parents=True)
    with passing_lock(lock):
        assert store_state(little, "sub-01").state == "preparing"
    assert store_state(little, "sub-01").state == "raw"


def test_a_ready_store_stays_ready_while_somebody_holds_the_lock(ready):
    with passing_lock(lock_file(ready, "sub-01")):
        assert store_state(ready, "sub-01").state == "ready"


@pytest.mark.parametrize("part", ["betas.nii.gz", "conditions.tsv"])
def test_a_source_with_another_date_makes_it_stale(ready, part):
    later(published.run_path(ready.root, 2, 2, part))
    state = store_state(ready, "sub-01")
    assert state.state == "stale"
    assert f"run-02_{part} has changed since the store was prepared" in state.reason
    assert state.counts["live"] == 42


def test_other_sources_make_it_stale_too(ready):
    for path in (ready.ratings_file, ready.brain_mask("sub-01"), ready.image_paths_file):
        later(path)
        assert path.name in store_state(ready, "sub-01").reason
        build_store(ready, "sub-01")


def test_a_lost_run_makes_it_stale(ready):
    for part in ("betas.nii.gz", "conditions.tsv"):
        published.run_path(ready.root, 3, 2, part).unlink()
    assert "is gone since the store was prepared" in store_state(ready, "sub-01").reason


def test_a_new_run_makes_it_stale(ready):
    published.write_conditions(
        published.run_path(ready.root, 3, 3, "conditions.tsv"), published.images_of(3, 3 - 1)
    )
    assert "run-03_conditions.tsv is new since" in store_state(ready, "sub-01").reason


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda f: (f / "manifest.json").write_text("{"), "run prepare again"),
        (lambda f: (f / "manifest.json").write_text("[]"), "run prepare again"),
        (lambda f: (f / "manifest.json").write_text('{"format": 1}'), "run prepare again"),
        (lambda f: (f / "manifest.json").unlink(), "lacks its manifest.json"),
        (lambda f: (f / "betas.npy").unlink(), "betas.npy' is gone"),
        (lambda f: (f / "trials.parquet").unlink(), "trials.parquet' is gone"),
        (lambda f: os.truncate(f / "betas.npy", 1000), "has 1000 bytes instead of 4928"),
    ],
)
def test_a_damaged_store_is_broken_and_prepare_mends_it(ready, spoil, reason):
    spoil(ready.store_dir("sub-01"))
    state = store_state(ready, "sub-01")
    assert state.state == "broken"
    assert reason in state.reason
    assert state.reason.endswith("run prepare again")
    assert build_store(ready, "sub-01").state == "ready"


def test_a_store_of_another_version_says_so(ready):
    path = ready.store_dir("sub-01") / "manifest.json"
    path.write_text(json.dumps(sealed({**json.loads(path.read_text()), "format": 99})))
    assert "of another version of thingsviz" in store_state(ready, "sub-01").reason


def test_a_betas_file_of_another_type_is_broken(ready):
    path = ready.store_dir("sub-01") / "betas.npy"
    path.write_bytes(path.read_bytes().replace(b"'<f2'", b"'<i2'"))
    assert "is not the matrix of its manifest" in store_state(ready, "sub-01").reason


def test_a_betas_file_that_is_no_array_is_broken(ready):
    path = ready.store_dir("sub-01") / "betas.npy"
    path.write_bytes(bytes(path.stat().st_size))
    assert store_state(ready, "sub-01").state == "broken"


def test_a_broken_dataset_is_a_state_not_an_error(little):
    little.description_file.write_text("{")
    assert store_state(little, "sub-01").state == "broken"


def test_a_disk_that_fails_is_a_state_not_an_error(little, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("thingsviz.data.store.state.examine", fail)
    assert store_state(little, "sub-01").reason == "[Errno 5] Input/output error"


def test_a_table_without_betas(little):
    build_store(little, "sub-01", BuildOptions(table_only=True))
    state = store_state(little, "sub-01")
    assert (state.state, state.reason) == ("raw", "only the trials table is prepared")


def test_judging_takes_milliseconds(ready):
    start = time.perf_counter()
    for _ in range(5):
        store_state(ready, "sub-01")
    assert (time.perf_counter() - start) / 5 < 0.1


def test_counts_of_the_real_design(real):
    from thingsviz.data.things.layout import Dataset

    n = count(build_trials(Dataset(real), "sub-01").table)
    assert (n["trials"], n["train"], n["test"], n["catch"]) == (11_040, 8_640, 1_200, 1_200)
    assert (n["live"], n["rated"], n["concepts"]) == (9_840, 9_840, 720)
    assert (n["sessions"], n["runs"], n["test_images"]) == (12, 120, 100)
    assert n["by_session"]["7"] == {"train": 720, "test": 100, "catch": 100}
