"""Where the references of a question are kept, and whether they are as they were written.

A CRC-32 of each file is kept beside it.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
from typing_extensions import TypedDict

from models.linear.config import RidgeConfig
from thingsviz.core import json_files
from thingsviz.core.errors import JobError
from thingsviz.core.files import crc, crc_of_file
from thingsviz.core.json_files import OPEN, Data, JsonFile
from thingsviz.data.things.layout import Dataset
from thingsviz.jobs.job_folder import jobs_root
from thingsviz.pipeline.tasks.base import Task

VERSION = 1
RECORD = "scores.json"
FILES = "files"
ORACLE_SUM = "parquet_crc32"


class KeptReferences(TypedDict):
    """What the record of a folder says besides."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    rows: list[Data]
    files: dict[str, str]


REFERENCES: JsonFile[Data] = JsonFile("references", KeptReferences)


def cache_folder(task: Task) -> Path:
    """Return where the rows of this data, split, targets and scale are kept."""
    config = task.config
    facts = {
        "version": VERSION,
        "split": task.split_hash,
        "targets": config.targets,
        "scale": config.rating_scale,
        "standardise": config.standardise,
        "ridge": RidgeConfig().model_dump(mode="json"),
        **task.cache_facts(),
    }
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    return jobs_root() / ".references" / task.store.fingerprint[:16] / key


def predictions(task: Task, name: str) -> pd.DataFrame:
    """Return what a reference predicted, as kept beside its rows."""
    return table(cache_folder(task), f"{name}.parquet")


def keep(folder: Path, record: dict[str, Any]) -> None:
    """Write the record of a folder last, with the checksums of all its other files."""
    sums = {path.name: crc_of_file(path) for path in sorted(folder.iterdir()) if path.is_file()}
    json_files.write_sealed(folder / RECORD, {**record, FILES: sums})


def kept(folder: Path) -> dict[str, Any] | None:
    """Return a folder's record; None where there is none, or where anything of it is damaged."""
    try:
        data = REFERENCES.read(folder / RECORD)
    except JobError:
        return None
    sound = data and all(_crc(folder / name) == crc for name, crc in data[FILES].items())
    return data if sound else None


def _crc(path: Path) -> str | None:
    try:
        return crc_of_file(path)
    except (OSError, ValueError):
        return None


def table(folder: Path, name: str) -> pd.DataFrame:
    """Read a table of such a folder, or say that it is damaged."""
    sums = (json_files.read_json(folder / RECORD) or {}).get(FILES, {})
    return _parquet(folder / name, sums.get(name), f"delete {str(folder)!r} to compute it anew")


def oracle_table(dataset: Dataset, subject: str) -> pd.DataFrame | None:
    """Return what the oracle of a planted subject predicts; None for measured data."""
    folder = dataset.planted_dir(subject)
    if not (folder / "oracle.parquet").is_file():
        return None
    said = json_files.read_json(folder / "oracle.json") or {}
    return _parquet(folder / "oracle.parquet", said.get(ORACLE_SUM), "plant the subject again")


def _parquet(path: Path, expected: object, remedy: str) -> pd.DataFrame:
    try:
        data = path.read_bytes()
        if expected not in (None, crc(data)):
            msg = "its checksum does not fit"
            raise ValueError(msg)
        return pd.read_parquet(io.BytesIO(data))
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read ({error}): {remedy}"
        raise JobError(msg) from None
