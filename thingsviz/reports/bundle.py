"""A job as one zip that opens on another machine: what is in it, and what is let in."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError, safe_open

from thingsviz.core import json_files
from thingsviz.core.errors import JobError
from thingsviz.core.files import disk_sentence, write_atomically
from thingsviz.core.json_files import loads_json
from thingsviz.jobs.about import read_about, write_brought
from thingsviz.jobs.job_folder import SCORES, JobFolder, jobs_root
from thingsviz.jobs.recipe import check_name, parse_config
from thingsviz.jobs.run_folder import MANIFEST, STATUS
from thingsviz.reports.bundle_more import check_maps, kind_of, more_files

KIND, VERSION = "thingsviz job", 1
LIST = "job.json"
NEEDED = "config.json"
KNOWN = (
    *("config.json", "split.json", "manifest.json", "status.json", "metrics.jsonl", "log.txt"),
    *("scores.json", "predictions.parquet", "curves.json", "labels.tsv", "ranks.safetensors"),
    *("checkpoints/best.safetensors", "checkpoints/scaler.safetensors"),
)
MOST_BYTES = 4 * 2**30
MOST_JSON = 256 * 2**20
MOST_FILES = 10_000
CHUNK = 2**20
# what zipfile raises for damaged bytes; OSError: it seeks to places before the file
FAULTS = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, zlib.error),
    *(OSError, EOFError, UnicodeDecodeError, struct.error, OverflowError),
)
LARGE = (".safetensors", ".parquet", ".arrays")


def export_job(job: JobFolder, out: Path, more: Collection[str] = ()) -> list[str]:
    """Write a job's files into a zip; returns their names. A running job is refused.

    `more`: of bundle_more.WORDS, what is taken along that can be made again or is seldom needed.
    """
    if job.is_alive():
        msg = f"{job.name!r} is running: stop it or wait for its end before exporting it"
        raise JobError(msg)
    job.config()
    there = [name for name in KNOWN if job.file(name).is_file()] + more_files(job, more)
    _refuse_large(job, there)
    facts = {
        name: {"size": job.file(name).stat().st_size, "sha256": _sha256(job.file(name))}
        for name in there
    }
    head = {"kind": KIND, "version": VERSION, "name": job.name, "files": facts}
    head["about"] = read_about(job).model_dump(mode="json")

    def write(file: Any) -> None:  # noqa: ANN401
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as bundle:
            bundle.writestr(LIST, json.dumps(head, indent=1))
            for name in there:
                bundle.write(job.file(name), name)

    write_atomically(out, write)
    return there


def _refuse_large(job: JobFolder, there: list[str]) -> None:
    """Refuse what no import would let in."""
    size = sum(job.file(name).stat().st_size for name in there)
    if size > MOST_BYTES or len(there) > MOST_FILES:
        msg = (
            f"{job.name!r} would be {len(there):,} files of {size:,} bytes, but a zip may hold "
            f"{MOST_FILES:,} of {MOST_BYTES:,}: leave out its maps or its kept epochs"
        )
        raise JobError(msg)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def import_job(
    source: Path | BinaryIO, called: str = "", *, rename: bool = True, owner: str = ""
) -> JobFolder:
    """Unpack a zip into a new job folder, or say in one sentence why not; nothing is left then.

    An open file is `called` as its sender calls it. A taken name gets -2 and so on, or is refused
    where not to `rename`. It becomes the `owner`'s, or the process's user's.
    """
    path = source if isinstance(source, Path) else Path(called)
    root = jobs_root()
    root.mkdir(parents=True, exist_ok=True)
    temporary = root / f".import-{secrets.token_hex(4)}"
    try:
        with zipfile.ZipFile(source) as bundle:
            head = _checked(bundle, path)
            if not rename:
                _refuse_taken(str(head["name"]), path)
            temporary.mkdir()
            for name in head["files"]:
                _unpack(bundle, name, temporary / name, head["files"][name], path)
        _read_all(temporary, path)
        write_brought(JobFolder(temporary), head["about"], owner, f"{head['name']} in {path.name}")
        return _settle(temporary, str(head["name"]))
    except FileNotFoundError:
        msg = f"there is no file {path}"
        raise JobError(msg) from None
    except FAULTS as error:
        full = disk_sentence(error, root) if isinstance(error, OSError) else None
        msg = full or f"{path} cannot be read as a zip ({error}): export the job again"
        raise JobError(msg) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _checked(bundle: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    """Return the bundle's list after looking at every entry's name, kind and size."""
    entries = bundle.infolist()
    fault = next(_faults(entries), None)
    if fault:
        msg = f"{path} is not a job of thingsviz: {fault}"
        raise JobError(msg)
    try:
        head = loads_json(bundle.read(LIST))
        listed = {
            str(name): (int(row["size"]), str(row["sha256"]))
            for name, row in head["files"].items()
        }
        kind, version, name = head["kind"], int(head["version"]), check_name(str(head["name"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        msg = f"{path} is not a job of thingsviz: its {LIST} cannot be read ({error})"
        raise JobError(msg) from None
    if kind != KIND or version != VERSION:
        msg = (
            f"{path} holds a {kind!r} of version {version}, but a {KIND!r} of version {VERSION} "
            "is expected: export it with this version of thingsviz"
        )
        raise JobError(msg)
    if set(listed) != {e.filename for e in entries} - {LIST} or NEEDED not in listed:
        msg = f"{path} is not a job of thingsviz: its {LIST} names other files than it holds"
        raise JobError(msg)
    return {"name": name, "files": listed, "about": head.get("about")}


def _faults(entries: list[zipfile.ZipInfo]) -> Iterator[str]:
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names):
        yield "it holds a file twice"
    yield from (fault for entry in entries if (fault := _fault(entry)))
    if LIST not in names:
        yield f"it has no {LIST}"
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        yield f"it holds more than {MOST_BYTES:,} bytes"
    if len(entries) > MOST_FILES:
        yield f"it holds more than {MOST_FILES:,} files"


def _fault(entry: zipfile.ZipInfo) -> str:
    """Say what is wrong with one entry; '' for one of a job's own files."""
    if entry.filename not in {*KNOWN, LIST} and not kind_of(entry.filename):
        return f"{entry.filename[:80]!r} is none of its files"
    if stat.S_IFMT(entry.external_attr >> 16) not in {0, stat.S_IFREG}:
        return f"{entry.filename!r} is no plain file"
    if entry.flag_bits & 1:
        return f"{entry.filename!r} is encrypted"
    if entry.file_size > MOST_JSON and not entry.filename.endswith(LARGE):
        return f"{entry.filename!r} is larger than {MOST_JSON:,} bytes"
    return ""


def _unpack(
    bundle: zipfile.ZipFile, name: str, target: Path, fact: tuple[int, str], path: Path
) -> None:
    """Copy one entry, never more than its list says, and compare its checksum."""
    size, sha256 = fact
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), size
    with bundle.open(name) as source, target.open("xb") as file:
        while chunk := source.read(min(CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            digest.update(chunk)
            file.write(chunk)
    if left or digest.hexdigest() != sha256:
        msg = f"{name} in {path} is damaged: its size or checksum is not the one listed"
        raise JobError(msg)


def _read_all(folder: Path, path: Path) -> None:
    """Open every file once, so that no page stumbles on it later."""
    job = JobFolder(folder)
    parse_config(json_files.read_json(job.file(NEEDED)), f"{NEEDED} in {path}")
    try:
        for name in ("split.json", "curves.json"):
            json_files.read_json(job.file(name))
        MANIFEST.read(job.file("manifest.json"))
        STATUS.read(job.file("status.json"))
        (SCORES.read(job.file("scores.json")) or {"rows": []})["rows"]
        if job.file("predictions.parquet").is_file():
            pq.read_schema(job.file("predictions.parquet"))
        for weights in sorted(folder.rglob("*.safetensors")):
            with safe_open(weights, "np"):
                pass
        check_maps(job)
    except (JobError, KeyError, pa.ArrowException, SafetensorError, OSError) as error:
        words = str(error).replace(str(folder), str(path)).splitlines()[0]
        msg = f"a file in {path} cannot be read ({words}): export the job again"
        raise JobError(msg) from None


def _refuse_taken(name: str, path: Path) -> None:
    if (jobs_root() / name).exists():
        msg = (
            f"{path} holds a job named {name!r}, and one of that name is here: delete that one "
            "before you bring this one"
        )
        raise JobError(msg)


def _settle(temporary: Path, name: str) -> JobFolder:
    """Give the folder the job's name, or name-2 and so on where that is taken."""
    for number in range(1, 10_000):
        target = jobs_root() / (name if number == 1 else f"{name[:74]}-{number}")
        if not target.exists():
            temporary.rename(target)
            return JobFolder(target)
    msg = f"there are 9,999 jobs named {name!r}: rename the one in the zip"
    raise JobError(msg)
