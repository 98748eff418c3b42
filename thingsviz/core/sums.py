"""How a flipped bit in a small file is noticed: a CRC-32 of what JSON means, kept in the JSON.

Disks and memory without error correction flip a bit now and then; a digit that became another
one is still a number. CRC-32 finds every change of up to 32 neighbouring bits.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

KEY = "crc32"


def crc_of(data: object) -> str:
    """Return the CRC-32 of a JSON value, whatever its layout and order of keys."""
    return crc(json.dumps(data, sort_keys=True, separators=(",", ":")).encode())


def crc(data: bytes) -> str:
    """Return the CRC-32 of bytes, as 8 hexadecimal digits."""
    return f"{zlib.crc32(data):08x}"


def crc_of_file(path: Path) -> str:
    """Return the CRC-32 of a small file."""
    return crc(path.read_bytes())


def sealed(data: dict[str, Any]) -> dict[str, Any]:
    """Add the checksum of all the rest."""
    rest = {key: value for key, value in data.items() if key != KEY}
    return {**rest, KEY: crc_of(rest)}


def is_sound(data: dict[str, Any]) -> bool:
    """Whether an object is as `sealed` left it; one without a checksum, written by hand, is."""
    try:
        return KEY not in data or sealed(data)[KEY] == data[KEY]
    except RecursionError:
        return False
