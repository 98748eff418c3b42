"""How JSON is read that anybody may have written or damaged: of bounded size, any depth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# A store's manifest and the scores of 66 properties are below 1 MB.
MOST_BYTES = 64 * 2**20


def loads(text: str | bytes) -> Any:  # noqa: ANN401
    """Return what JSON says; ValueError for what is none, or nested too deeply for Python."""
    try:
        return json.loads(text)
    except RecursionError:
        msg = "it is nested too deeply"
        raise ValueError(msg) from None


def read(path: Path) -> Any:  # noqa: ANN401
    """Return what a JSON file says; OSError, or ValueError for one that is none or too large."""
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        msg = f"it has more than {MOST_BYTES:,} bytes"
        raise ValueError(msg)
    return loads(data.decode("utf-8"))
