"""Command: all jobs and studies in one checked file, and back.

    thingsviz backup save ARCHIVE.tar     (also while trainings run)
    thingsviz backup restore ARCHIVE.tar  (into a THINGSVIZ_JOBS that is empty)

Files of a job folder appear whole or not at all, so each is copied as it is; what is appended to
is cut at its last whole line; a database is copied by SQLite itself. The last member lists the
sha256 of all others: a restore that does not find every one of them right restores nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import shutil
import sqlite3
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import quote

from thingsviz.commands.cli import run_command
from thingsviz.core.errors import DataError
from thingsviz.core.files import fsync_folder
from thingsviz.core.json_files import loads_json
from thingsviz.core.progress import Progress, Report
from thingsviz.jobs.job_folder import jobs_root
from thingsviz.queue.progress_bar import ProgressBar

LIST = "backup.json"
VERSION = 1
APPENDED = (".jsonl", ".txt", ".log")
# what only running processes need, and what SQLite keeps beside its file
LEFT_OUT = ("lock", "stop", "ticket.lock")
HEAD = ".tmp"  # of what safetensors was writing when a job was killed
TAILS = (".lock", ".tmp", "-wal", "-shm", "-journal")
MOST_BYTES = 2**44


def save(root: Path, archive: Path, report: Report) -> int:
    """Write everything under `root` into one tar file; returns the number of files."""
    if not root.is_dir():
        msg = f"{root} holds no jobs: set THINGSVIZ_JOBS to the folder that does"
        raise DataError(msg)
    found = list(wanted(root, archive))
    part = archive.with_name(f".{archive.name}.tmp")
    listed: dict[str, dict[str, object]] = {}
    try:
        with tarfile.open(part, "w") as tar:
            for i, path in enumerate(found):
                _add(tar, root, path, listed)
                report(Progress(i + 1, len(found), path.parent.name))
            record = {"version": VERSION, "files": listed}
            _put(tar, LIST, json.dumps(record).encode())
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(archive)
        fsync_folder(archive.absolute().parent)
    finally:
        part.unlink(missing_ok=True)
    return len(listed)


def wanted(root: Path, archive: Path) -> Iterator[Path]:
    """Walk over the files to keep: no locks, no temporary files, no links."""
    for folder, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            path = Path(folder, name)
            if (
                name in LEFT_OUT
                or name.startswith(HEAD)
                or name.endswith(TAILS)
                or path.is_symlink()
            ):
                continue
            if path.is_file() and path.absolute() != archive.absolute():
                yield path


def _add(
    tar: tarfile.TarFile, root: Path, path: Path, listed: dict[str, dict[str, object]]
) -> None:
    name = path.relative_to(root).as_posix()
    try:
        with _Stable(path) as (file, size):
            digest = _copy(tar, name, file, size)
    except FileNotFoundError:
        return  # its job was deleted, or has replaced it, since the walk
    listed[name] = {"size": size, "sha256": digest}


class _Stable:
    """A file that does not change while it is copied, and how much of it counts."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> tuple[IO[bytes], int]:
        if self.path.suffix == ".sqlite3":
            self.file = _database(self.path)
        else:
            self.file = self.path.open("rb")
        size = self.file.seek(0, os.SEEK_END)
        if self.path.suffix in APPENDED:
            size = _whole_lines(self.file, size)
        self.file.seek(0)
        return self.file, size

    def __exit__(self, *error: object) -> None:
        self.file.close()


def _database(path: Path) -> IO[bytes]:
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp") as place:
        address = f"file:{quote(str(path))}?mode=ro"
        with (
            closing(sqlite3.connect(address, uri=True)) as source,
            closing(sqlite3.connect(place.name)) as copy,
        ):
            source.backup(copy)
        return io.BytesIO(Path(place.name).read_bytes())


def _whole_lines(file: IO[bytes], size: int) -> int:
    """Return the bytes up to the end of the last whole line."""
    end = size
    while end > 0:
        start = max(0, end - 65_536)
        file.seek(start)
        at = file.read(end - start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


class _Hashing:
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def read(self, n: int = -1) -> bytes:
        """Read on."""
        block = self.file.read(n)
        self.digest.update(block)
        return block


def _copy(tar: tarfile.TarFile, name: str, file: IO[bytes], size: int) -> str:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    hashing = _Hashing(file)
    tar.addfile(info, hashing)
    return hashing.digest.hexdigest()


def _put(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o644
    tar.addfile(info, io.BytesIO(data))


def restore(archive: Path, root: Path, report: Report) -> int:
    """Put a saved folder back, whole or not at all; returns the number of files."""
    if root.exists() and any(root.iterdir()):
        msg = (
            f"{root} is not empty, and a restore overwrites nothing: set THINGSVIZ_JOBS to a new "
            "folder"
        )
        raise DataError(msg)
    root.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{root.name}.", dir=root.parent))
    try:
        n = _unpack(archive, part, report)
        if root.exists():
            root.rmdir()
        part.chmod(0o755)
        part.replace(root)
        fsync_folder(root.absolute().parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return n


def _unpack(archive: Path, folder: Path, report: Report) -> int:
    found: dict[str, dict[str, object]] = {}
    listed: object = None
    try:
        total = archive.stat().st_size
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                file = _checked(tar, archive, member)
                if member.name == LIST:
                    listed = loads_json(file.read(2**28)).get("files")
                else:
                    found[member.name] = _write(file, folder / member.name, member.size)
                report(Progress(min(member.offset, total), total, member.name))
    except (OSError, tarfile.TarError, ValueError, AttributeError) as error:
        msg = f"{archive} is not a whole backup ({error}): take another one"
        raise DataError(msg) from None
    if listed != found:
        msg = f"{archive} is not a whole backup ({_difference(listed, found)}): take another one"
        raise DataError(msg)
    return len(found)


def _checked(tar: tarfile.TarFile, archive: Path, member: tarfile.TarInfo) -> IO[bytes]:
    """Return a member's bytes; only plain files below the folder are taken."""
    path = PurePosixPath(member.name)
    strange = path.is_absolute() or ".." in path.parts or "\\" in member.name
    plain = member.isreg() and member.size <= MOST_BYTES and not strange
    source = tar.extractfile(member) if plain else None
    if source is None:
        msg = f"{archive} holds {member.name[:200]!r}, which no backup does: it was not restored"
        raise DataError(msg)
    return source


def _write(source: IO[bytes], path: Path, size: int) -> dict[str, object]:
    path.parent.mkdir(parents=True, exist_ok=True)
    hashing = _Hashing(source)
    with path.open("xb") as file:
        shutil.copyfileobj(hashing, file, 2**20)
    return {"size": size, "sha256": hashing.digest.hexdigest()}


def _difference(listed: object, found: dict[str, dict[str, object]]) -> str:
    if not isinstance(listed, dict):
        return f"its list {LIST} is missing"
    names = [name for name in {*listed, *found} if listed.get(name) != found.get(name)]
    return f"{len(names)} files are missing or changed, {min(names)[:200]!r} among them"


def run(options: argparse.Namespace) -> int:
    """Save or restore."""
    with ProgressBar(f"backup: {options.what}") as console:
        if options.what == "save":
            n = save(jobs_root(), options.archive, console)
        else:
            n = restore(options.archive, jobs_root(), console)
    print(f"{options.what}d {n} files of {jobs_root()}", file=sys.stderr)
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("what", choices=("save", "restore"))
    parser.add_argument("archive", type=Path, metavar="ARCHIVE.tar")


main = partial(run_command, "backup")

if __name__ == "__main__":
    sys.exit(main())
