"""What comes from elsewhere as one file: a job as a zip, a backup as a tar."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from benchmarks._fuzz.damage import WORDS, Rng, spoil_bytes, spoil_json
from benchmarks._fuzz.judge import Target
from benchmarks._fuzz.place import Place

NAMES = (
    *("../evil", "/evil/evil", "a/../../evil", "config.json", "checkpoints/evil", "x.safetensors"),
    *("checkpoints/best.safetensors/x", "CONFIG.JSON", "con\x00fig.json", "a" * 300, "job.json"),
)

# what an import writes itself: whose the job is now
OWN = ("log.txt", "about.json", "status.json")


def targets(place: Place, scratch: Path) -> Iterator[Target]:
    """Yield zip and tar."""
    scratch.mkdir(parents=True, exist_ok=True)
    yield from _zips(place, scratch)
    yield from _tars(place, scratch)


def _files(folder: Path) -> dict[str, str]:
    """Return what lies in a folder, name and checksum of each file."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _zips(place: Place, scratch: Path) -> Iterator[Target]:
    from thingsviz.reports.bundle import export_job, import_job

    path = scratch / "job.zip"
    export_job(place.job, path)
    sound = path.read_bytes()

    def read(mutated: bytes) -> Any:  # noqa: ANN401
        before = set(place.jobs.iterdir())
        path.write_bytes(mutated)
        try:
            made = import_job(path)
            return {k: v for k, v in _files(made.path).items() if k not in OWN}
        finally:
            for new in set(place.jobs.iterdir()) - before:
                shutil.rmtree(new)

    whole = read(sound)
    yield Target("import of a job (zip), bytes", lambda rng: spoil_bytes(rng, sound), read, whole)

    def draw(rng: Random) -> bytes:
        return respelled(rng, sound)

    yield Target("import of a job (zip), entries", draw, read, whole, _listed_right)


def respelled(rng: Rng, raw: bytes) -> bytes:
    """Write a zip anew with other names, kinds, contents, sizes or list."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old:
        entries = [(info.filename, old.read(info)) for info in old.infolist()]
    at, kind = rng.randrange(len(entries)), rng.random()
    name, data = entries[at]
    if kind < 0.25:
        entries[at] = (rng.choice((*NAMES, *WORDS[:60])), data)
    elif kind < 0.5:
        entries[0] = ("job.json", spoil_json(rng, json.loads(entries[0][1])))
    elif kind < 0.7:
        changed = spoil_json(rng, json.loads(data)) if name.endswith(".json") else b"x"
        entries[at] = (name, changed)
        if at and rng.random() < 0.7:
            entries[0] = ("job.json", relisted(entries))
    elif kind < 0.8:
        entries.append((rng.choice((*NAMES, name)), b"x"))
    elif kind < 0.9:
        del entries[at]
    else:
        entries[at] = (name, bytes(2**26) if rng.random() < 0.1 else bytes(2**20))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in entries:
            info = zipfile.ZipInfo(name or "x")
            info.external_attr = (stat.S_IFLNK if rng.random() < 0.02 else stat.S_IFREG) << 16
            new.writestr(info, data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def relisted(entries: list[tuple[str, bytes]]) -> bytes:
    """Make the list of a bundle fit its entries, as somebody does who forges one."""
    head = json.loads(entries[0][1])
    head["files"] = {
        name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in entries[1:]
    }
    return json.dumps(head).encode()


def _listed_right(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
    """Accept another job if its list has the checksum of each of its files."""
    with zipfile.ZipFile(io.BytesIO(mutated)) as bundle:
        head = json.loads(bundle.read("job.json"))
        listed = {name: row["sha256"] for name, row in head["files"].items() if name not in OWN}
    return bool(listed == value)


def _tars(place: Place, scratch: Path) -> Iterator[Target]:
    from thingsviz.commands.backup import restore, save
    from thingsviz.core.progress import silent

    small = scratch / "small"
    for name in ("config.json", "status.json", "scores.json", "metrics.jsonl"):
        (small / "a").mkdir(parents=True, exist_ok=True)
        (small / "a" / name).write_bytes(place.job.file(name).read_bytes())
    path = scratch / "jobs.tar"
    save(small, path, silent)
    sound = path.read_bytes()

    def read(mutated: bytes) -> Any:  # noqa: ANN401
        path.write_bytes(mutated)
        try:
            restore(path, scratch / "back", silent)
            return _files(scratch / "back")
        finally:
            shutil.rmtree(scratch / "back", ignore_errors=True)

    whole = read(sound)
    yield Target(
        "restore of a backup (tar), bytes", lambda rng: spoil_bytes(rng, sound), read, whole
    )
    yield Target(
        "restore of a backup (tar), members", lambda rng: retarred(rng, sound), read, whole,
        _backup_right,
    )  # fmt: skip


def retarred(rng: Rng, raw: bytes) -> bytes:
    """Write a tar anew with other names, kinds, contents or list."""
    with tarfile.open(fileobj=io.BytesIO(raw)) as old:
        members = [(info, old.extractfile(info).read()) for info in old]  # type: ignore[union-attr]
    at, kind = rng.randrange(len(members)), rng.random()
    info, data = members[at]
    if kind < 0.3:
        info.name = rng.choice((*NAMES, *WORDS[:60])).replace("\x00", "0") or "x"
    elif kind < 0.5:
        info.type = rng.choice(
            (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)
        )
        info.linkname = "/etc/passwd"
    elif kind < 0.8:
        members[-1] = (members[-1][0], spoil_json(rng, json.loads(members[-1][1])))
    elif kind < 0.9:
        del members[at]
    else:
        members.insert(at, (info, data))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as new:
        for info, data in members:
            info.size = len(data) if info.isreg() else 0
            new.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _backup_right(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
    """Accept another backup if its list has the checksum of each of its files."""
    with tarfile.open(fileobj=io.BytesIO(mutated)) as tar:
        record = json.loads(tar.extractfile("backup.json").read())  # type: ignore[union-attr]
    return bool({name: row["sha256"] for name, row in record["files"].items()} == value)
