import errno
import gzip
import json
import signal
import subprocess
import sys

import numpy as np
import pytest

from tests.data import published
from thingsviz.core.errors import DataError
from thingsviz.core.locks import passing_lock
from thingsviz.data.prepare import build, pieces
from thingsviz.data.prepare.build import BuildOptions, build_store
from thingsviz.data.prepare.journal import PIECE, Journal
from thingsviz.data.prepare.read_run import FinishedPiece
from thingsviz.data.store import matrix_file
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.store.state import lock_file
from thingsviz.data.things.layout import Dataset
from thingsviz.data.volumes.gzip_stream import digest_file

N_ALL_RUNS = published.N_SESSIONS * published.N_RUNS


def everything(folder) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


def names(folder) -> list[str]:
    return [p.name for p in folder.iterdir()]


def test_the_store_holds_what_was_published(little):
    state = build_store(little, "sub-01")
    store = BetaStore.open(little, "sub-01")
    assert state.state == "ready"
    np.testing.assert_array_equal(store.betas, published.expected_betas())
    np.testing.assert_array_equal(store.mask, published.brain())
    assert store.grid.matrix.tolist() == published.AFFINE.tolist()
    assert everything(little.store_dir("sub-01").parent) == [
        "sub-01",
        "sub-01/betas.npy",
        "sub-01/betas_crc32.npy",
        "sub-01/brain_mask.nii.gz",
        "sub-01/manifest.json",
        "sub-01/trials.npz",
        "sub-01/trials.parquet",
        "sub-01/voxels.parquet",
    ]


@pytest.mark.parametrize("dtype", [np.int16, np.float64, np.float32])
def test_both_trees_and_any_number_type(tmp_path, dtype):
    dataset = published.write_subject(tmp_path / "plain", tree=".", dtype=dtype)
    build_store(dataset, "1")
    expected = published.expected_betas().astype(dtype)
    np.testing.assert_array_equal(BetaStore.open(dataset, "1").betas, expected)


def test_scaled_data(little):
    path = published.run_path(little.root, 1, 1, "betas.nii.gz")
    raw = np.round(published.values_of(1, 1) * 64).astype(np.int16)
    published.write_nifti(path, raw, scl_slope=1 / 64)
    build_store(little, "sub-01")
    np.testing.assert_array_equal(
        BetaStore.open(little, "sub-01").betas, published.expected_betas()
    )


def test_plain_nifti_files_work_too(little):
    for files in little.runs("sub-01"):
        files.betas.with_suffix("").write_bytes(gzip.decompress(files.betas.read_bytes()))
        files.betas.unlink()
    build_store(little, "sub-01")
    np.testing.assert_array_equal(
        BetaStore.open(little, "sub-01").betas, published.expected_betas()
    )


def test_the_manifest_has_the_sha256_of_each_source(little):
    build_store(little, "sub-01")
    sources = BetaStore.open(little, "sub-01").manifest["sources"]
    assert len(sources) == 2 * N_ALL_RUNS + 4
    for source in sources:
        assert digest_file(little.root / source["path"]) == (source["size"], source["sha256"])


def test_a_second_start_reads_nothing(little, monkeypatch):
    build_store(little, "sub-01")
    monkeypatch.setattr(build, "plan_work", lambda *_: pytest.fail("planned again"))
    assert build_store(little, "sub-01").state == "ready"


def test_columns_of_the_npz_load_without_pickle(little):
    build_store(little, "sub-01")
    store = BetaStore.open(little, "sub-01")
    with np.load(store.folder / "trials.npz", allow_pickle=False) as arrays:
        assert set(arrays) == set(store.trials.columns)
        assert arrays["concept"].tolist() == store.trials["concept"].fillna("").tolist()
        np.testing.assert_array_equal(
            arrays["property_lives_mean"], store.trials["property_lives_mean"]
        )


def test_progress_goes_up_and_ends(little):
    seen = []
    build_store(little, "sub-01", on_progress=seen.append)
    assert all(0 <= p.done <= p.total for p in seen)
    assert seen[-1].done == seen[-1].total


def test_simulated_is_told_by_the_headers_too(little):
    path = published.run_path(little.root, 2, 1, "betas.nii.gz")
    published.write_nifti(path, published.values_of(2, 1), descrip="SIMULATED")
    build_store(little, "sub-01")
    assert BetaStore.open(little, "sub-01").simulated


def test_a_few_missing_values_are_zero_and_said(little):
    values = published.values_of(1, 2)
    where = tuple(np.argwhere(published.brain())[0])
    values[(*where, 3)] = np.nan
    values[(*where, 5)] = np.inf
    published.write_nifti(published.run_path(little.root, 1, 2, "betas.nii.gz"), values)
    state = build_store(little, "sub-01")
    note = "ses-01 run-02: 2 values in 2 volumes are not finite, stored as 0"
    assert note in state.warnings
    betas = BetaStore.open(little, "sub-01").betas
    assert betas[8 + 3, 0] == betas[8 + 5, 0] == 0
    assert np.isfinite(betas).all()


def test_what_is_outside_the_brain_does_not_matter(little):
    values = published.values_of(1, 1)
    values[~published.brain()] = np.nan
    published.write_nifti(published.run_path(little.root, 1, 1, "betas.nii.gz"), values)
    assert build_store(little, "sub-01").state == "ready"


# Interrupted, killed, started several times


def interrupt_after(monkeypatch, n):
    """Ctrl-C when `n` runs have been noted."""
    original, left = Journal.add, [n]

    def add(self, piece):
        original(self, piece)
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(Journal, "add", add)


def build_interrupted(dataset, n):
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, n)
        with pytest.raises(KeyboardInterrupt):
            build_store(dataset, "sub-01", BuildOptions(workers=1))


def counting(monkeypatch, calls, before=lambda n: None):
    original = pieces.fill_run

    def counted(plan, run, store, tick):
        before(len(calls))
        calls.append(str(run.files))
        return original(plan, run, store, tick)

    monkeypatch.setattr(pieces, "fill_run", counted)


@pytest.mark.parametrize("n", [1, 3, 6])
def test_an_interrupted_build_goes_on_where_it_was(little, monkeypatch, n):
    calls = []
    counting(monkeypatch, calls)
    build_interrupted(little, n)
    calls.clear()
    assert build_store(little, "sub-01").state == "ready"
    assert len(calls) == N_ALL_RUNS - n
    np.testing.assert_array_equal(
        BetaStore.open(little, "sub-01").betas, published.expected_betas()
    )
    assert BetaStore.open(little, "sub-01").damaged_rows() == []
    assert names(little.store_dir("sub-01").parent) == ["sub-01"]


KILLED = """
import os, pathlib, signal, sys
from thingsviz.data.prepare import pieces
from thingsviz.data.prepare.build import BuildOptions, build_store
from thingsviz.data.prepare.journal import Journal
from thingsviz.data.things.layout import Dataset
original, calls = pieces.fill_run, []
def fill(plan, run, store, tick):
    if len(calls) == int(sys.argv[2]):
        import time; time.sleep(0.7)  # the runs before are noted by now
        os.kill(os.getpid(), signal.SIGKILL)
    calls.append(run)
    return original(plan, run, store, tick)
pieces.fill_run = fill
build_store(Dataset(pathlib.Path(sys.argv[1])), "sub-01", BuildOptions(workers=1))
"""


def test_a_killed_build_goes_on_where_it_was(little, monkeypatch):
    command = [sys.executable, "-c", KILLED, str(little.root), "4"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert not little.store_dir("sub-01").exists()
    calls = []
    counting(monkeypatch, calls)
    assert build_store(little, "sub-01").state == "ready"
    assert len(calls) == N_ALL_RUNS - 4
    np.testing.assert_array_equal(
        BetaStore.open(little, "sub-01").betas, published.expected_betas()
    )
    assert names(little.store_dir("sub-01").parent) == ["sub-01"]


def test_a_run_that_changed_meanwhile_is_read_again(little):
    build_interrupted(little, 3)
    values = -published.values_of(1, 1)
    published.write_nifti(published.run_path(little.root, 1, 1, "betas.nii.gz"), values)
    build_store(little, "sub-01")
    betas = BetaStore.open(little, "sub-01").betas
    np.testing.assert_array_equal(betas[:8], values[published.brain()].T)


def test_another_design_starts_anew(little):
    build_interrupted(little, 3)
    for part in ("betas.nii.gz", "conditions.tsv"):
        published.run_path(little.root, 1, 1, part).unlink()
    build_store(little, "sub-01")
    np.testing.assert_array_equal(
        BetaStore.open(little, "sub-01").betas, published.expected_betas()[8:]
    )


def test_a_torn_journal_line_costs_one_run(little):
    build_interrupted(little, 3)
    journal = little.store_dir("sub-01").with_name(".sub-01.building") / "journal.jsonl"
    journal.write_text(journal.read_text()[:-40])
    assert build_store(little, "sub-01").state == "ready"
    assert BetaStore.open(little, "sub-01").damaged_rows() == []


COUNTED = """
import pathlib, sys
from thingsviz.data.prepare import pieces
from thingsviz.data.prepare.build import build_store
from thingsviz.data.things.layout import Dataset
original = pieces.fill_run
def fill(plan, run, store, tick):
    with open(sys.argv[2], "a") as log:
        log.write(str(run.files) + "\\n")
    return original(plan, run, store, tick)
pieces.fill_run = fill
print(build_store(Dataset(pathlib.Path(sys.argv[1])), "sub-01").state)
"""


def test_of_several_started_at_once_one_builds_and_all_end_well(little, tmp_path):
    log = tmp_path / "log.txt"
    command = [sys.executable, "-c", COUNTED, str(little.root), str(log)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(5)]
    assert [process.communicate(timeout=120)[0] for process in running] == ["ready\n"] * 5
    assert len(log.read_text().splitlines()) == N_ALL_RUNS


def test_waiting_is_said(little):
    lock = lock_file(little, "sub-01")
    lock.parent.mkdir(parents=True)
    seen = []

    def note(progress):
        seen.append(progress.message)
        raise KeyboardInterrupt

    with passing_lock(lock), pytest.raises(KeyboardInterrupt):
        build_store(little, "sub-01", on_progress=note)
    assert seen == ["another process prepares sub-01; waiting for it"]


def test_a_kill_between_the_two_renames_is_mended(little):
    build_store(little, "sub-01")
    store = little.store_dir("sub-01")
    store.rename(store.with_name(".sub-01.old"))
    build_store(little, "sub-01")
    assert names(store.parent) == ["sub-01"]
    assert BetaStore.open(little, "sub-01").damaged_rows() == []


# Disk full, read-only


def test_a_full_disk_is_noticed_before_anything_is_read(little, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(matrix_file.os, "posix_fallocate", full)
    monkeypatch.setattr(pieces, "fill_run", lambda *_: pytest.fail("read a run"))
    before = everything(little.root)
    with pytest.raises(DataError, match=r"disk of .* is full: free space there, or choose"):
        build_store(little, "sub-01")
    assert everything(little.root) == before


def test_a_disk_that_fills_up_later_leaves_nothing(little, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = everything(little.root)
    monkeypatch.setattr(matrix_file.os, "pwrite", full)
    with pytest.raises(DataError, match=r"disk of .* is full"):
        build_store(little, "sub-01")
    assert everything(little.root) == before


LIMITED = """
import pathlib, resource, sys
from thingsviz.commands import prepare
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
sys.exit(prepare.main([sys.argv[1]]))
"""


def test_a_real_limit_on_file_sizes(little):
    before = everything(little.root)
    command = [sys.executable, "-c", LIMITED, str(little.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "is full" in done.stderr
    assert everything(little.root) == before


def test_a_read_only_dataset_names_the_way_out(little, tmp_path):
    little.root.chmod(0o555)
    try:
        with pytest.raises(DataError, match="may not be written: choose a folder with --deriv"):
            build_store(little, "sub-01")
        told = Dataset(little.root, tmp_path / "elsewhere")
        assert build_store(told, "sub-01").state == "ready"
    finally:
        little.root.chmod(0o755)
    assert (tmp_path / "elsewhere/little/thingsviz/sub-01/betas.npy").is_file()
    assert not (little.root / "derivatives").exists()


# Bad input: one sentence, and nothing is left


def spoil_run(change, session=1, run=2):
    def spoil(dataset):
        path = published.run_path(dataset.root, session, run, "betas.nii.gz")
        change(path, published.values_of(session, run))

    return spoil


def cut(path, _):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path, _):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 4
    path.write_bytes(raw)


def lie(path, _):
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[42:48] = np.array([32767] * 3, "<i2").tobytes()
    path.write_bytes(gzip.compress(bytes(raw)))


def not_a_number(path, values):
    values[..., 3] = np.nan
    published.write_nifti(path, values)


def constant(path, values):
    values[..., 5] = 1.5
    published.write_nifti(path, values)


def huge(path, values):
    published.write_nifti(path, values * 1e6)


def flat(path, values):
    published.write_nifti(path, values[..., 0])


def other_grid(path, values):
    published.write_nifti(path, values[:4])


def other_affine(path, values):
    published.write_nifti(path, values, published.AFFINE * [[1, 1, 1, 1.1]] * 3 + [[0, 0, 0, 1]])


def moved(path, values):
    affine = published.AFFINE.copy()
    affine[0, 3] += 1
    published.write_nifti(path, values, affine)


def shorter(path, values):
    published.write_nifti(path, values[..., :-1])


def no_gzip(path, _):
    path.write_bytes(gzip.decompress(path.read_bytes()))


def wrong_magic(path, _):
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[344:348] = b"oops"
    path.write_bytes(gzip.compress(bytes(raw)))


def bomb(path, _):
    path.write_bytes(path.read_bytes() + gzip.compress(bytes(50 << 20)))


def complex_numbers(path, values):
    published.write_nifti(path, values.astype(np.complex64))


SPOILED_RUNS = [
    (cut, "ends too early"),
    (flip, "is damaged|more bytes"),
    (lie, "more than the .* this file can hold"),
    (not_a_number, r"volume 3 \(ses-01 run-02 trial 4\): 50 of 50 brain voxels are not finite"),
    (constant, r"volume 5 \(ses-01 run-02 trial 6\): all 50 brain voxels have the value 1\.5"),
    (huge, "expected % signal change"),
    (flat, r"shape \(5, 6, 4\), expected 4 axes"),
    (other_grid, r"on another grid .*shape \(4, 6, 4\).*expected shape \(5, 6, 4\)"),
    (moved, r"on another grid .*from \(-9, -12, -8\) mm, expected .*from \(-10, -12, -8\) mm"),
    (shorter, "has 7 volumes but .* has 8 rows"),
    (no_gzip, "is not a gzip file"),
    (wrong_magic, "wrong magic"),
    (bomb, "holds more bytes than its header says"),
    (complex_numbers, "numbers of type complex64"),
]


@pytest.mark.parametrize(("change", "message"), SPOILED_RUNS)
def test_a_bad_run_is_one_sentence_and_leaves_nothing(little, change, message):
    spoil_run(change)(little)
    before = everything(little.root)
    with pytest.raises(DataError, match=message) as caught:
        build_store(little, "sub-01")
    assert "run-02_betas.nii.gz" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert everything(little.root) == before


def no_mask(dataset):
    dataset.brain_mask("sub-01").unlink()


def mask_on_other_grid(dataset):
    published.write_nifti(dataset.brain_mask("sub-01"), published.brain()[:4].astype(np.uint8))


def mask_moved(dataset):
    affine = published.AFFINE.copy()
    affine[1, 3] += 0.5
    published.write_nifti(dataset.brain_mask("sub-01"), published.brain().astype(np.uint8), affine)


def no_betas(dataset):
    published.run_path(dataset.root, 2, 1, "betas.nii.gz").unlink()


def no_conditions(dataset):
    published.run_path(dataset.root, 2, 1, "conditions.tsv").unlink()


def no_ratings(dataset):
    dataset.ratings_file.unlink()


def dangling(dataset):
    path = published.run_path(dataset.root, 2, 1, "betas.nii.gz")
    path.unlink()
    path.symlink_to("../../.git/annex/objects/gone")


SPOILED_DATASETS = [
    (no_mask, "there is no brain mask"),
    (mask_on_other_grid, r"another shape than the betas \(mask \(4, 6, 4\), betas \(5, 6, 4\)\)"),
    (mask_moved, "another affine than the betas"),
    (no_betas, r"ses-02 run-01 has .*but no …_betas\.nii\.gz.*add it, or .* --table-only"),
    (no_conditions, r"ses-02 run-01 has betas .*but no …_conditions\.tsv"),
    (no_ratings, r"_property-ratings\.tsv' cannot be read"),
    (dangling, r"run-01_betas\.nii\.gz' cannot be read \(No such file"),
]


@pytest.mark.parametrize(("spoil", "message"), SPOILED_DATASETS)
def test_what_does_not_fit_is_one_sentence_and_leaves_nothing(little, spoil, message):
    spoil(little)
    before = everything(little.root)
    with pytest.raises(DataError, match=message) as caught:
        build_store(little, "sub-01")
    assert "\n" not in str(caught.value)
    assert everything(little.root) == before


def test_a_ready_store_survives_a_failed_rebuild(little):
    build_store(little, "sub-01")
    spoil_run(flip)(little)
    with pytest.raises(DataError, match="download it again"):
        build_store(little, "sub-01")
    assert BetaStore.open(little, "sub-01").damaged_rows() == []
    assert names(little.store_dir("sub-01").parent) == ["sub-01"]


def test_a_path_with_spaces_and_unicode(tmp_path):
    dataset = published.write_subject(tmp_path / "Daten für 実験 №1" / "a b'c")
    assert build_store(dataset, "sub-01").state == "ready"
    np.testing.assert_array_equal(
        BetaStore.open(dataset, "sub-01").betas, published.expected_betas()
    )


# Tables alone


def test_the_table_needs_no_betas(little):
    for files in little.runs("sub-01"):
        files.betas.unlink()
    little.brain_mask("sub-01").unlink()
    state = build_store(little, "sub-01", BuildOptions(table_only=True))
    assert (state.state, state.reason) == ("raw", "only the trials table is prepared")
    assert state.counts["live"] == 42
    assert everything(little.store_dir("sub-01")) == [
        "manifest.json",
        "trials.npz",
        "trials.parquet",
    ]


def test_the_table_is_replaced_by_the_whole_store(little):
    build_store(little, "sub-01", BuildOptions(table_only=True))
    with pytest.raises(DataError, match="has a trials table but no betas: run '"):
        BetaStore.open(little, "sub-01")
    assert build_store(little, "sub-01").state == "ready"


def test_the_whole_store_is_not_replaced_by_the_table(little):
    build_store(little, "sub-01")
    table_only = BuildOptions(table_only=True)
    assert build_store(little, "sub-01", table_only).state == "ready"
    published.write_ratings(little.ratings_file, published.CONCEPTS[:-1])
    with pytest.raises(DataError, match="run prepare without --table-only"):
        build_store(little, "sub-01", table_only)


def test_a_stale_table_is_made_again(little):
    table_only = BuildOptions(table_only=True)
    build_store(little, "sub-01", table_only)
    published.write_ratings(little.ratings_file, published.CONCEPTS[:-1])
    assert build_store(little, "sub-01", table_only).counts["rated"] == 33


def test_the_journal_knows_pieces_again():
    piece = FinishedPiece("ses-01 run-02", None, (0, 8), ["odd"], [3, 4])
    assert PIECE.validate_python(json.loads(PIECE.dump_json(piece))) == piece
    old = {"key": "a", "source": None, "rows": [0, 8], "crc32": 77, "warnings": ["odd"]}
    assert PIECE.validate_python(old) == FinishedPiece("a", None, (0, 8), ["odd"])
