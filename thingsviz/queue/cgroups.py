"""What a container, a systemd unit or a batch job leaves to this process of the memory."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
# cgroup v1 writes a number near 2^63 for no limit
NO_LIMIT = 2.0**60
LIMITS = ("memory.max", "memory.limit_in_bytes")
EVENTS = ("memory.events", "memory.oom_control")


def groups(root: Path = ROOT, own: Path = OWN) -> list[Path]:
    """Return the folders of this process's control group of memory and of those above it.

    Version 2 has one line `0::/path`, version 1 one for each controller, `4:memory:/path`. Inside
    a container the path is often that of the host and is not there: the root then is the group.
    """
    with suppress(OSError, ValueError):
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            top = root / "memory" if controllers else root
            if controllers not in {"", "memory"} or not _is_memory(top, path):
                continue
            folder = top / path.lstrip("/")
            return [f for f in (folder, *folder.parents) if f == top or top in f.parents]
    return [root, root / "memory"]


def _is_memory(top: Path, path: str) -> bool:
    folder = top / path.lstrip("/")
    return any((folder / name).is_file() for name in LIMITS)


def limit(folders: list[Path] | None = None) -> float:
    """Return the bytes that this process and its neighbours may take; infinity for no limit."""
    found = [float("inf")]
    for folder in groups() if folders is None else folders:
        for name in LIMITS:
            with suppress(OSError, ValueError):
                found.append(float((folder / name).read_text()))
    smallest = min(found)
    return smallest if smallest < NO_LIMIT else float("inf")


def kills(folders: list[Path] | None = None) -> int:
    """Return how many processes the system has ended in this group because memory ran out."""
    for folder in groups() if folders is None else folders:
        for name in EVENTS:
            with suppress(OSError, ValueError):
                rows = dict(line.split() for line in (folder / name).read_text().splitlines())
                return int(rows["oom_kill"]) if "oom_kill" in rows else 0
    return 0
