"""What a store says of itself: its sources with their sha256, its files, its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NotRequired

from pydantic import ConfigDict
from typing_extensions import TypedDict

from thingsviz.core.errors import DataError
from thingsviz.core.files import crc_of_file
from thingsviz.core.json_files import OPEN, JsonFile, Refusal, read_json
from thingsviz.data.things.layout import Dataset
from thingsviz.data.volumes.gzip_stream import Digest, digest_file

FORMAT = 1
NAME = "manifest.json"
# What a store is made from: the volumes, the table release, or the trials table alone.
VOLUMES, RESPONSES, TABLE = "volumes", "responses", "table"
# small files whose bytes are compared with their CRC-32 when they are read
CHECKED = ("trials.parquet", "voxels.parquet", "brain_mask.nii.gz")


class Source(NamedTuple):
    """A source file as it was when it was read; `path` is relative to the dataset."""

    path: str
    size: int
    mtime_ns: int
    sha256: str


class SourceRow(TypedDict):
    """A source as a manifest lists it."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[misc]
    path: str
    size: int
    mtime_ns: int
    sha256: str


class TableManifest(TypedDict):
    """What of a manifest readers need, of a store without betas too."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    format: int
    kind: str
    files: dict[str, int]
    counts: dict[str, Any]
    warnings: list[Any]
    fingerprint: str
    simulated: bool
    space: str
    sources: list[SourceRow]
    file_crc32: NotRequired[dict[str, str]]


class BetasManifest(TableManifest):
    """What readers need of a store with betas."""

    shape: list[int]
    # of ranges of rows, in stores of earlier versions; betas_crc32.npy has each row's
    checksums: NotRequired[list[Any]]


AGAIN = Refusal(DataError, "run prepare again")
TABLE_MANIFEST: JsonFile[dict[str, Any]] = JsonFile("manifest", TableManifest, refusal=AGAIN)
BETAS_MANIFEST: JsonFile[dict[str, Any]] = JsonFile("manifest", BetasManifest, refusal=AGAIN)


def note_source(dataset: Dataset, path: Path, digest: Digest | None = None) -> Source:
    """Describe a source; its sha256 is taken now unless it was taken while reading."""
    before = path.stat()
    digest = digest or digest_file(path)
    if before.st_size != digest.size:
        msg = f"{str(path)!r} changed while it was read: run prepare again when it is complete"
        raise DataError(msg)
    return Source(dataset.relative(path), digest.size, before.st_mtime_ns, digest.sha256)


def fingerprint(sources: Iterable[Source]) -> str:
    """Return one name for what all sources hold, whatever their dates."""
    rows = sorted((source.path, source.sha256) for source in sources)
    return hashlib.sha256(json.dumps([FORMAT, rows]).encode()).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a manifest; one that cannot be understood is an error."""
    path = folder / NAME
    found = read_json(path, AGAIN)
    if found is None:
        raise FileNotFoundError(path)
    if found.get("format", FORMAT) != FORMAT:
        msg = f"{str(path)!r} is of another version of thingsviz: run prepare again"
        raise DataError(msg)
    kind = TABLE_MANIFEST if found.get("kind") == TABLE else BETAS_MANIFEST
    return kind.checked(found, path)


def check_file(folder: Path, manifest: dict[str, Any], name: str) -> None:
    """Refuse a small file of a store whose bytes have changed since it was written."""
    expected = manifest.get("file_crc32", {}).get(name)
    if expected is not None and crc_of_file(folder / name) != expected:
        msg = f"{str(folder / name)!r} is damaged (its checksum does not fit): run prepare again"
        raise DataError(msg)


def sources_of(manifest: dict[str, Any]) -> list[Source]:
    """Return the sources that a manifest lists."""
    return [Source(**row) for row in manifest["sources"]]


def first_change(dataset: Dataset, manifest: dict[str, Any], now: Sequence[Path]) -> str:
    """Compare sizes and dates of the sources with those on disk: '' or the first difference."""
    known = {source.path: source for source in sources_of(manifest)}
    there = {dataset.relative(path): path for path in now}
    for name in sorted(there.keys() - known.keys()):
        return f"{name} is new"
    for name, source in known.items():
        path = there.get(name)
        if path is None or not path.is_file():
            return f"{name} is gone"
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) != (source.size, source.mtime_ns):
            return f"{name} has changed"
    return ""
