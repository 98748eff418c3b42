import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from tests.data import published
from thingsviz.commands import prepare
from thingsviz.core.locks import is_locked
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.store.state import lock_file
from thingsviz.data.things.layout import Dataset


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    monkeypatch.delenv("THINGSVIZ_DERIVATIVES", raising=False)


@pytest.fixture
def little(tmp_path):
    return published.write_subject(tmp_path / "little data ü")


def run(capsys, *arguments):
    code = prepare.main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_prepares_and_says_what_there_is(little, capsys):
    code, out, err = run(capsys, little.root, "--subject", "sub-01")
    assert (code, err) == (0, "")
    assert out.splitlines()[:3] == [
        "sub-01 of little data ü: 48 trials in 3 sessions and 6 runs: 36 train, 6 test, 6 catch",
        "42 live trials of 6 concepts, 42 of them rated",
        "50 brain voxels",
    ]
    assert "data warning: the ratings have no nameability" in out


def test_a_second_start_says_the_same(little, capsys):
    first = run(capsys, little.root)
    assert run(capsys, little.root) == first


def test_the_real_design_without_betas(real, tmp_path, capsys):
    """The counts that any decoder of THINGS-fMRI rests on."""
    code, out, _ = run(capsys, real, "--table-only", "--derivatives", tmp_path)
    assert code == 0
    first, second = out.splitlines()[:2]
    assert "11,040 trials in 12 sessions and 120 runs: 8,640 train, 1,200 test" in first
    assert second == "9,840 live trials of 720 concepts, 9,840 of them rated"
    table = pd.read_parquet(tmp_path / real.name / "thingsviz/sub-01/trials.parquet")
    assert len(table.columns) >= 30


def test_the_real_tables_in_the_published_layout(real, tmp_path, capsys):
    """Conditions and ratings linked to where the release has them."""
    root = tmp_path / "things"
    (root / "betas_vol/scalematched").mkdir(parents=True)
    (root / "image/02_object-level").mkdir(parents=True)
    (root / "betas_vol/scalematched/sub-01").symlink_to(real / "conditions/sub-01")
    ratings = root / "image/02_object-level/_property-ratings.tsv"
    ratings.symlink_to(real / "property-ratings.tsv")
    code, out, _ = run(capsys, root, "--table-only")
    assert code == 0
    assert "9,840 live trials of 720 concepts, 9,840 of them rated" in out


def test_hdf5_on_request(little, capsys):
    assert run(capsys, little.root, "--hdf5")[0] == 0
    assert (little.store_dir("sub-01") / "subject.h5").is_file()


def test_verify_reads_all_again(little, capsys):
    assert run(capsys, little.root, "--verify")[0] == 0
    path = little.store_dir("sub-01") / "betas.npy"
    raw = bytearray(path.read_bytes())
    raw[200] ^= 1
    path.write_bytes(raw)
    code, _, err = run(capsys, little.root, "--verify")
    assert code == 2
    assert "is damaged in row" in err


def test_progress_file(little, tmp_path, capsys):
    path = tmp_path / "progress.json"
    assert run(capsys, little.root, "--progress", path)[0] == 0
    found = json.loads(path.read_text())
    assert found["done"] == found["total"]


def test_lines_on_a_stderr_that_is_no_terminal(capsys):
    report = prepare.bar(False, every_s=0)
    report(prepare.Progress(3, 10, "3 of 10 runs read, 7 s left"))
    assert capsys.readouterr().err == " 30 %  3 of 10 runs read, 7 s left\n"


def test_one_line_on_a_terminal(capsys):
    report = prepare.bar(True)
    report(prepare.Progress(1, 3, "a"))
    report(prepare.Progress(3, 3, "b"))
    assert capsys.readouterr().err.count("\n") == 0


# Bad input: exit 2, one sentence on stderr, nothing on stdout, nothing left behind


def missing(root):
    return root / "none"


def empty(root):
    (root.parent / "empty").mkdir()
    return root.parent / "empty"


def a_file(root):
    return Dataset(root).ratings_file


def no_runs(root):
    for path in root.rglob("*run-*"):
        path.unlink()
    return root


def flipped(root):
    path = published.run_path(root, 1, 2, "betas.nii.gz")
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 64
    path.write_bytes(raw)
    return root


def text_in_ratings(root):
    path = Dataset(root).ratings_file
    table = pd.read_csv(path, sep="\t", dtype=str)
    table.loc[2, "property_moves_mean"] = "fast"
    table.to_csv(path, sep="\t", index=False)
    return root


def read_only(root):
    root.chmod(0o555)
    return root


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (missing, "does not exist"),
        (empty, "holds no betas_vol/"),
        (a_file, "does not exist"),
        (no_runs, "holds no runs of sub-01"),
        (flipped, "is damaged"),
        (text_in_ratings, "'fast' in column 'property_moves_mean', table row 4"),
        (read_only, "--derivatives DIR or THINGSVIZ_DERIVATIVES"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(little, capsys, spoil, sentence):
    given = spoil(little.root)
    code, out, err = run(capsys, given)
    little.root.chmod(0o755)
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.startswith("prepare: ")
    assert err.count("\n") == 1
    assert not (little.root / "derivatives").exists()


def test_what_nobody_foresaw_is_a_sentence_too(little, capsys, monkeypatch):
    def fail(*_):
        raise OSError(errno.EIO, "Input/output error", "/mnt/x")

    monkeypatch.setattr(prepare, "build_store", fail)
    code, _, err = run(capsys, little.root)
    assert (code, err) == (2, "prepare: '/mnt/x' cannot be used: Input/output error\n")


def test_a_label_that_is_none(little, capsys):
    code, _, err = run(capsys, little.root, "--subject", "../x")
    assert code == 2
    assert "is not a label like 'sub-01'" in err


def test_a_wrong_option_is_exit_2(little):
    with pytest.raises(SystemExit, match="2"):
        prepare.main([str(little.root), "--release", "nix"])


def test_derivatives_of_the_environment(little, capsys, monkeypatch, tmp_path):
    little.root.chmod(0o555)
    monkeypatch.setenv("THINGSVIZ_DERIVATIVES", str(tmp_path / "out"))
    code, out, _ = run(capsys, little.root)
    little.root.chmod(0o755)
    assert code == 0
    assert str(tmp_path / "out") in out


SLOW = """
import sys, time
from thingsviz.data.prepare import pieces
original = pieces.fill_run
def slow(*arguments):
    time.sleep(0.4)
    return original(*arguments)
pieces.fill_run = slow
from thingsviz.commands import prepare
sys.exit(prepare.main(sys.argv[1:]))
"""


def test_ctrl_c_is_one_sentence_and_the_next_start_goes_on(little, capsys):
    """Pressed in the middle of the work of a real process."""
    command = [sys.executable, "-c", SLOW, str(little.root)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    journal = little.store_dir("sub-01").with_name(".sub-01.building") / "journal.jsonl"
    for _ in range(600):
        if journal.is_file() and journal.read_text().count("\n") > 1:
            break
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "prepare: interrupted; start it again to go on from here\n"
    assert not is_locked(lock_file(little, "sub-01"))
    assert run(capsys, little.root)[0] == 0
    np.testing.assert_array_equal(
        BetaStore.open(little, "sub-01").betas, published.expected_betas()
    )


def test_the_command_runs_as_a_module(little):
    command = [sys.executable, "-m", "thingsviz.commands.prepare", str(little.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_memory_of_a_run_is_that_of_a_volume(tmp_path):
    """A run of 60 MB (float64): unpacked whole it would show in the peak memory."""
    import resource

    script = (
        "import resource, sys; from thingsviz.commands import prepare;"
        "code = prepare.main(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024); sys.exit(code)"
    )
    assert resource.RLIM_INFINITY

    def peak(n_volumes):
        root = tmp_path / f"n{n_volumes}"
        shape, rng = (48, 48, 36), np.random.default_rng(0)
        images = [f"c{k}/c{k}_01s.jpg" for k in range(n_volumes)]
        volume = rng.normal(size=shape)
        values = np.repeat(volume[..., None], n_volumes, axis=3)
        published.write_conditions(published.run_path(root, 1, 1, "conditions.tsv"), images)
        published.write_nifti(published.run_path(root, 1, 1, "betas.nii.gz"), values)
        dataset = Dataset(root)
        published.write_nifti(dataset.brain_mask("1"), np.ones(shape, np.uint8))
        published.write_ratings(dataset.ratings_file, tuple(f"c{k}" for k in range(n_volumes)))
        command = [sys.executable, "-c", script, str(root)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return int(done.stdout.split()[-1])

    assert peak(90) - peak(9) < 15
