"""Where results that take a while are kept for the pages: a JSON a subject, made by a task."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from thingsviz.core.errors import JobError
from thingsviz.core.json_files import OPEN, JsonFile
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset
from thingsviz.jobs.job_folder import jobs_root

Row = dict[str, Any]
KINDS = ("leaderboards", "curves")


class KeptResult(TypedDict):
    """What every kept result has."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    rows: list[Any]


KEPT: JsonFile[Row] = JsonFile("result", KeptResult)


def kept_file(kind: str, store: BetaStore, settings: dict[str, Any]) -> Path:
    """Return JOBS/.KIND/FINGERPRINT/KEY.json: other data or settings, another file."""
    key = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
    return folder_of(kind, store.fingerprint) / f"{key}.json"


def folder_of(kind: str, fingerprint: str) -> Path:
    """Return where the results of one kind on one subject's data are kept."""
    if kind not in KINDS:
        msg = f"{kind!r} is nothing that is kept: choose one of {', '.join(KINDS)}"
        raise JobError(msg)
    return jobs_root() / f".{kind}" / fingerprint[:16]


def keep(
    path: Path, dataset: Dataset, subject: str, rows: Sequence[Row], about: dict[str, Any]
) -> None:
    """Write rows with what they are about."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = {"dataset": str(dataset.root), "subject": subject, "computed_at": time.time()}
    KEPT.write(path, {**head, **about, "rows": list(rows)})


def read_kept(path: Path) -> dict[str, Any] | None:
    """Return what `keep` wrote; None where there is nothing, or what cannot be read."""
    try:
        return KEPT.read(path)
    except JobError:
        return None


def newest(kind: str, fingerprint: str) -> Path | None:
    """Return the newest result of a kind on one subject's data."""
    found = [p for p in folder_of(kind, fingerprint).glob("*.json") if p.is_file()]
    return max(found, key=lambda path: path.stat().st_mtime_ns, default=None)
