"""Who did what, and when: one line an action in JOBS/.audit/, that nothing here ever changes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from thingsviz.core import json_files
from thingsviz.jobs.job_folder import jobs_root

FOLDER = ".audit"
LONGEST = 300


class AuditEntry(NamedTuple):
    """An action; `time` in seconds since 1970, `what` is a job, a dataset or a study."""

    time: float
    user: str
    address: str
    action: str
    what: str


def audit_file(now: float | None = None) -> Path:
    """Return the file of a month: old ones can be moved away as they are."""
    month = time.strftime("%Y-%m", time.gmtime(now if now is not None else time.time()))
    return jobs_root() / FOLDER / f"{month}.jsonl"


def note(user: str, address: str, action: str, what: str = "") -> AuditEntry:
    """Write down an action; names of any length and alphabet stay on their one line."""
    entry = AuditEntry(time.time(), *(text[:LONGEST] for text in (user, address, action, what)))
    path = audit_file(entry.time)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    json_files.append_line(path, entry._asdict())
    return entry


def latest(n: int = 100) -> list[AuditEntry]:
    """Return the newest entries first, of this month and those before."""
    found: list[AuditEntry] = []
    folder = jobs_root() / FOLDER
    for path in sorted(folder.glob("*.jsonl"), reverse=True):
        rows, _ = json_files.read_lines(path)
        found += [_entry(row) for row in reversed(rows)]
        if len(found) >= n:
            break
    return found[:n]


def _entry(row: dict[str, object]) -> AuditEntry:
    words = [str(row.get(name, "")) for name in AuditEntry._fields[1:]]
    when = row.get("time")
    return AuditEntry(float(when) if isinstance(when, int | float) else 0.0, *words)
