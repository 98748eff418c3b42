"""How an input is spoilt, by a seeded generator: bytes, JSON, tables of text, single words."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

Rng = random.Random

# What people and programs put where something else is expected.
WORDS = (
    *("", " ", "0", "-1", "1", "2", "1.5", "1e308", "1e999", "-inf", "nan", "NaN", "null", "None"),
    *("true", "n/a", "0x10", "1_000", "١٢", "１", "1,5", "9" * 30, "9" * 5000, "-0", "+1", " 1 "),
    *("..", "../..", "../../etc/passwd", "/etc/passwd", "~root", "a/b", "a\\b", "C:\\x", "."),
    *("\x00", "a\x00b", "\n", "a\nb", "\r", "\t", "\u202e", "é" * 40, "\ufeff", "👩‍🔬", "x" * 300),
    *("<script>", "'; DROP TABLE jobs; --", "$(id)", "`id`", "%s%n", "{}", "{0}", '"', "'", "\\"),
    *("sub-01", "train", "test", "catch", "dog", "heavy", "1 to 2", "[1, 2]", "x" * 100_000),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 7, 1.5, -0.5, 1e308, -1e308, 10**30, 2**31, 2**63, 2**64),
    *([], {}, [[]], [None], {"a": {}}, [1, "a"], {"": 0}, [1] * 2000, {"kind": "none"}),
    *(["x"], [[1, 2], [3]], [0.1, 0.2, 0.7], {"a": [1]}, ["a"] * 30),
)
DEEP = 100_000
NUMBERS = (0, 1, -1, 2, 7, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1)


def spoil_bytes(rng: Rng, whole: bytes) -> bytes:
    """Flip, overwrite, cut, drop, repeat or put in, one to three times."""
    raw = bytearray(whole)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        rng.choice(KINDS)(rng, raw)
    return bytes(raw)


def _flip(rng: Rng, raw: bytearray) -> None:
    if raw:
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)


def _overwrite(rng: Rng, raw: bytearray) -> None:
    at = rng.randrange(len(raw) + 1)
    raw[at : at + 4] = rng.choice(NUMBERS).to_bytes(8, "little", signed=True)[:4]


def _cut(rng: Rng, raw: bytearray) -> None:
    del raw[rng.randrange(len(raw) + 1) :]


def _drop(rng: Rng, raw: bytearray) -> None:
    at = rng.randrange(len(raw) + 1)
    del raw[at : at + rng.choice((1, 2, 8, 64))]


def _repeat(rng: Rng, raw: bytearray) -> None:
    at = rng.randrange(len(raw) + 1)
    raw[at:at] = raw[at : at + rng.choice((1, 8, 100))]


def _put_in(rng: Rng, raw: bytearray) -> None:
    at = rng.randrange(len(raw) + 1)
    raw[at:at] = rng.choice((b"\0", b"\xff\xfe", b"\n", rng.randbytes(8), bytes(100)))


# single bits are what disks do
KINDS = (_flip, _flip, _flip, _overwrite, _cut, _drop, _repeat, _put_in)


def spoil_header(rng: Rng, whole: bytes, length: int) -> bytes:
    """Spoil only the first bytes, where a format says how long everything else is."""
    return spoil_bytes(rng, whole[:length])[:length].ljust(length, b"\0") + whole[length:]


def spoil_json(rng: Rng, data: Any) -> bytes:  # noqa: ANN401
    """Write JSON with a value replaced, dropped, added or renamed; or with words that bite."""
    kind = rng.random()
    if kind < 0.1:
        return _biting(rng, json.dumps(data))
    if kind < 0.25:
        return spoil_bytes(rng, json.dumps(data).encode())
    changed = json.loads(json.dumps(data))
    for _ in range(rng.choice((1, 1, 2))):
        changed = spoil_value(rng, changed)
    return json.dumps(changed).encode()


def spoil_value(rng: Rng, data: Any) -> Any:  # noqa: ANN401
    """Change one place of a JSON value."""
    parent, keys = data, []
    while isinstance(parent, dict | list) and parent:
        key = rng.choice(list(parent)) if isinstance(parent, dict) else rng.randrange(len(parent))
        keys.append((parent, key))
        if rng.random() < 0.3:
            break
        parent = parent[key]
    if not keys:
        return hostile(rng)
    holder, key = keys[-1]
    kind = rng.random()
    if kind < 0.7:
        holder[key] = _near(rng, holder[key])
    elif kind < 0.85:
        del holder[key]
    elif isinstance(holder, dict):
        holder[rng.choice(("x", "", "crc", str(key) + "s", str(key).upper()))] = hostile(rng)
    else:
        holder.insert(key, hostile(rng))
    return data


def hostile(rng: Rng) -> Any:  # noqa: ANN401
    """Return a value that nobody expects."""
    return copy.deepcopy(rng.choice(VALUES)) if rng.random() < 0.6 else rng.choice(WORDS)


def _near(rng: Rng, value: Any) -> Any:  # noqa: ANN401
    """Return something else, now and then of the same kind."""
    if isinstance(value, bool) or rng.random() < 0.6:
        return hostile(rng)
    if isinstance(value, int | float):
        return rng.choice((value + 1, -value, value * 10, value / 3, str(value), [value]))
    return [value, value] if rng.random() < 0.5 else hostile(rng)


def _biting(rng: Rng, text: str) -> bytes:
    """Return text that readers of JSON have stumbled over."""
    half = text.rfind(",")
    return rng.choice(
        (
            lambda: b"[" * DEEP,
            lambda: (b'{"a":' * DEEP) + b"1" + b"}" * DEEP,
            lambda: f'{text[:half]}, "x": {"[" * DEEP}{"]" * DEEP}}}'.encode(),
            lambda: text.encode("utf-16"),
            lambda: b"\xef\xbb\xbf" + text.encode(),
            lambda: f'{text[:half]}, "x": NaN}}'.encode(),
            lambda: f'{text[:half]}, "x": {"9" * 5000}}}'.encode(),
            lambda: f'{text[:half]}, "x": 1e999}}'.encode(),
            lambda: f'{text[:half]}, "x": "\\ud800"}}'.encode(),
            lambda: f"{text}{text}".encode(),
            lambda: b"",
            lambda: b"null",
            lambda: text.encode() + b"\0",
            lambda: b"\xff" + text.encode(),
        )
    )()


def spoil_table(rng: Rng, text: str, separator: str) -> bytes:
    """Change cells, rows, columns, line ends or the encoding of a table of text."""
    if rng.random() < 0.25:
        return spoil_bytes(rng, text.encode())
    rows = [line.split(separator) for line in text.splitlines()]
    for _ in range(rng.choice((1, 1, 2, 4))):
        rng.choice(CELLS)(rng, rows)
    out = rng.choice(("\n", "\n", "\r\n", "\r")).join(separator.join(row) for row in rows)
    codec = rng.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"))
    return (out + "\n").encode(codec, "replace")


def _cell(rng: Rng, rows: list[list[str]]) -> None:
    row = rng.choice(rows) if rows else []
    if row:
        row[rng.randrange(len(row))] = rng.choice(WORDS)


def _near_cell(rng: Rng, rows: list[list[str]]) -> None:
    """Change one sign of a cell, as a flipped bit or a typing mistake does."""
    row = rng.choice(rows) if rows else []
    places = [i for i, cell in enumerate(row) if cell]
    if places:
        i = rng.choice(places)
        at = rng.randrange(len(row[i]))
        row[i] = row[i][:at] + rng.choice("0123456789.-eE_ax,;\"' ") + row[i][at + 1 :]


def _row(rng: Rng, rows: list[list[str]]) -> None:
    if rows:
        at = rng.randrange(len(rows))
        rng.choice((lambda: rows.pop(at), lambda: rows.insert(at, list(rng.choice(rows)))))()


def _swap(rng: Rng, rows: list[list[str]]) -> None:
    if len(rows) > 1:
        a, b = rng.randrange(len(rows)), rng.randrange(len(rows))
        rows[a], rows[b] = rows[b], rows[a]


def _column(rng: Rng, rows: list[list[str]]) -> None:
    """Take a column away, or write it twice."""
    at, twice = rng.randrange(len(rows[0]) or 1) if rows else 0, rng.random() < 0.5
    for row in rows:
        if at < len(row):
            row[at : at + 1] = [row[at]] * 2 if twice else []


def _short(rng: Rng, rows: list[list[str]]) -> None:
    if rows:
        row = rng.choice(rows)
        del row[rng.randrange(len(row) + 1) :]


CELLS = (_cell, _cell, _cell, _near_cell, _near_cell, _near_cell, _row, _swap, _column, _short)
