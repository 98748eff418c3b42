"""What a write asks of the disk, in its order, for tests of what a power cut would leave."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path]]:
    """Return a list that grows by ("sync" | "rename", path) with each fsync and each rename."""
    steps: list[tuple[str, Path]] = []
    fsync, replace = os.fsync, os.replace

    def synced(handle):
        steps.append(("sync", Path(f"/proc/self/fd/{handle}").readlink()))
        fsync(handle)

    def renamed(source, target, **more):
        steps.append(("rename", Path(target)))
        replace(source, target, **more)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    return steps


def is_durable(steps: list[tuple[str, Path]], path: Path) -> bool:
    """Whether the new bytes were synced, then renamed to `path`, then the name was synced."""
    kinds = [kind for kind, _ in steps]
    written, *rest = [where for _, where in steps]
    whole = kinds == ["sync", "rename", "sync"] and rest == [path, path.parent]
    return whole and written.parent == path.parent and written != path
