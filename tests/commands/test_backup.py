"""A backup holds all that counts, also while jobs are written; a damaged one restores nothing."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
from pathlib import Path

import pytest

from tests.disk_steps import is_durable, recorded
from thingsviz.commands import backup
from thingsviz.core.errors import DataError


def quiet(progress):
    assert 0 <= progress.done <= progress.total


@pytest.fixture
def jobs(tmp_path):
    root = tmp_path / "jobs"
    job = root / "my-vit"
    (job / "checkpoints").mkdir(parents=True)
    (job / "config.json").write_text("{}")
    (job / "checkpoints" / "best.safetensors").write_bytes(bytes(range(256)) * 500)
    (job / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2}\n{"st')
    (job / "lock").write_text("")
    (job / ".config.json.ab.tmp").write_text("half")
    (job / "checkpoints" / ".tmpAbC123").write_text("half")
    (root / ".studies" / "s").mkdir(parents=True)
    with sqlite3.connect(root / ".studies" / "s" / "study.sqlite3") as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("CREATE TABLE t (x)")
        base.execute("INSERT INTO t VALUES (42)")
    base.close()
    return root


@pytest.fixture
def archive(jobs, tmp_path):
    path = tmp_path / "all.tar"
    backup.save(jobs, path, quiet)
    return path


def contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_what_counts_comes_back_and_nothing_else(jobs, archive, tmp_path):
    before = contents(jobs)
    assert backup.restore(archive, tmp_path / "new", quiet) == 4
    after = contents(tmp_path / "new")
    assert sorted(after) == [
        ".studies/s/study.sqlite3",
        "my-vit/checkpoints/best.safetensors",
        "my-vit/config.json",
        "my-vit/metrics.jsonl",
    ]
    assert after["my-vit/metrics.jsonl"] == b'{"step": 1}\n{"step": 2}\n'
    for name in ("my-vit/config.json", "my-vit/checkpoints/best.safetensors"):
        assert after[name] == before[name]


def test_a_database_is_copied_with_what_still_stands_in_its_log(jobs, tmp_path):
    path = jobs / ".studies" / "s" / "study.sqlite3"
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    writer.execute("INSERT INTO t VALUES (43)")
    writer.commit()
    backup.save(jobs, tmp_path / "a.tar", quiet)
    writer.close()
    backup.restore(tmp_path / "a.tar", tmp_path / "new", quiet)
    with sqlite3.connect(tmp_path / "new" / ".studies" / "s" / "study.sqlite3") as copy:
        assert copy.execute("SELECT x FROM t ORDER BY x").fetchall() == [(42,), (43,)]


def test_a_restore_overwrites_nothing(jobs, archive):
    before = contents(jobs)
    with pytest.raises(DataError, match="is not empty, and a restore overwrites nothing"):
        backup.restore(archive, jobs, quiet)
    assert contents(jobs) == before


@pytest.mark.parametrize("at", range(0, 150_000, 9_777))
def test_a_flipped_bit_is_found(archive, tmp_path, at):
    data = bytearray(archive.read_bytes())
    at = min(at, len(data) - 1)
    data[at] ^= 0x10
    archive.write_bytes(data)
    new = tmp_path / "new"
    try:
        backup.restore(archive, new, quiet)
    except DataError:
        assert not new.exists()
        assert not list(tmp_path.glob(".new.*"))
    else:
        # only the padding between members may change without a trace
        archive.write_bytes(bytes(data[:at]) + bytes([data[at] ^ 0x10]) + bytes(data[at + 1 :]))
        backup.restore(archive, tmp_path / "again", quiet)
        assert contents(new) == contents(tmp_path / "again")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.9])
def test_a_torn_backup_is_refused(archive, tmp_path, share):
    data = archive.read_bytes()
    archive.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match="is not a whole backup"):
        backup.restore(archive, tmp_path / "new", quiet)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../evil", tarfile.REGTYPE),
        ("/etc/evil", tarfile.REGTYPE),
        ("a/../../evil", tarfile.REGTYPE),
        ("link", tarfile.SYMTYPE),
        ("hard", tarfile.LNKTYPE),
        ("fifo", tarfile.FIFOTYPE),
        ("folder", tarfile.DIRTYPE),
    ],
)
def test_a_forged_backup_leaves_nothing_anywhere(tmp_path, name, kind):
    path = tmp_path / "forged.tar"
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info, io.BytesIO(b""))
        record = json.dumps({"version": 1, "files": {}}).encode()
        info = tarfile.TarInfo(backup.LIST)
        info.size = len(record)
        tar.addfile(info, io.BytesIO(record))
    with pytest.raises(DataError, match="which no backup does"):
        backup.restore(path, tmp_path / "new", quiet)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["forged.tar"]


def test_the_command_says_what_is_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "none"))
    assert backup.main(["save", str(tmp_path / "a.tar")]) == 2
    assert "holds no jobs: set THINGSVIZ_JOBS" in capsys.readouterr().err
    assert backup.main(["restore", str(tmp_path / "a.tar")]) == 2
    assert "is not a whole backup" in capsys.readouterr().err


def test_the_command_goes_there_and_back(jobs, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(jobs))
    assert backup.main(["save", str(tmp_path / "a.tar")]) == 0
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "new"))
    assert backup.main(["restore", str(tmp_path / "a.tar")]) == 0
    assert "restored 4 files" in capsys.readouterr().err


def test_a_backup_is_there_after_a_power_cut(jobs, tmp_path, monkeypatch):
    steps = recorded(monkeypatch)
    backup.save(jobs, tmp_path / "jobs.tar", quiet)
    assert is_durable(steps, tmp_path / "jobs.tar")
