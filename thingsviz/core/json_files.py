"""The door to all JSON files: whole or not at all, with a checksum, a version and a check.

Each file of ours says its version under `version`; one that says none is of version 1. An old file
is upgraded in memory each time it is read, by one pure step a version, and never rewritten:
folders may be read-only, in a backup, or shared with a server that is not updated yet, and a
result stays the file that its training wrote. What a newer thingsviz wrote is refused.

A change that only adds what nobody has to know needs no new version. A setting that changes a
result does: the step that adds it says which value all earlier trainings had.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Generic, NamedTuple, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from thingsviz.core.errors import ConfigError, JobError, NewerError, ThingsvizError
from thingsviz.core.files import crc, write_atomically

T = TypeVar("T")
Data = dict[str, Any]
Step = Callable[[Data], Data]
KEY = "crc32"
VERSION = "version"
# A store's manifest and the scores of 66 properties are below 1 MB.
MOST_BYTES = 64 * 2**20
LARGEST = 2**53  # the whole numbers that JSON's readers agree on
Count = Annotated[int, Field(strict=True, ge=0, le=LARGEST)]
Number = Annotated[float, Field(strict=True, ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
# of a record with fields that are checked where they are there, and others that pass
OPEN = ConfigDict(extra="allow", strict=True)


class Refusal(NamedTuple):
    """Which error a damaged file raises, and what its sentence says to do."""

    error: type[ThingsvizError] = JobError
    cure: str = ""


MEND = Refusal()


class JsonFile(Generic[T]):
    """One kind of file: the word for it, what it holds, how older versions of it read today.

    People write some by hand (`by_hand`): without a version those are of today's, and the version
    is part of what they hold.
    """

    def __init__(
        self,
        word: str,
        holds: Any = Data,  # noqa: ANN401
        steps: tuple[Step, ...] = (),
        *,
        by_hand: bool = False,
        refusal: Refusal = MEND,
    ) -> None:
        self.word, self.holds, self.steps = word, holds, steps
        self.by_hand, self.refusal = by_hand, refusal

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self.holds)

    @property
    def newest(self) -> int:
        """The version that is written today."""
        return 1 + len(self.steps)

    def check_version(self, version: Any, where: str) -> int:  # noqa: ANN401
        """Return the version of a file, or refuse what no version of ours is."""
        if type(version) is not int or version < 1:
            words = f"a whole number from 1 to {self.newest}, not {version!r:.40}"
            raise (ConfigError if self.by_hand else JobError)(f"{where}.version must be {words}")
        if version > self.newest:
            msg = (
                f"{where} is a {self.word} of version {version}, which a newer thingsviz wrote, "
                f"and this one reads up to version {self.newest}: update thingsviz to open it"
            )
            raise NewerError(msg)
        return version

    def upgraded(self, data: Data, where: str) -> Data:
        """Return a file's content as today's version says it; the one given stays as it is."""
        usual = self.newest if self.by_hand else 1
        version = self.check_version(data.get(VERSION, usual), where)
        for step in self.steps[version - 1 :]:
            data = step(data)
        rest = _without(VERSION, data)
        return {VERSION: self.newest, **rest} if self.by_hand else rest

    def read(self, path: Path) -> T | None:
        """Read a file of any version up to today's; None without a file."""
        data = read_json(path, self.refusal)
        return None if data is None else self.checked(self.upgraded(data, str(path)), path)

    def checked(self, data: Data, path: Path) -> T:
        """Return what a file holds, or say in one sentence which part of it cannot be."""
        try:
            return self._adapter.validate_python(data)
        except ValidationError as error:
            msg = f"{path}: {fault(error)}: {self.refusal.cure or 'mend or delete it'}"
            raise self.refusal.error(msg) from None

    def fits(self, data: object) -> bool:
        """Whether a value is what such a file holds."""
        try:
            self._adapter.validate_python(data)
        except ValidationError:
            return False
        return True

    def write(self, path: Path, value: T) -> None:
        """Write a file of today's version, with its checksum."""
        data = self._adapter.dump_python(value, warnings=False)
        write_sealed(path, {VERSION: self.newest, **_without(VERSION, data)})


def fault(error: ValidationError) -> str:
    """Say the first fault of a record; people edit records."""
    first = error.errors(include_url=False)[0]
    words = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    place = ".".join(map(str, first["loc"])) or "it"
    came = repr(first["input"])[:60]
    return f"{place} should be {words}, but is {came}"


def write_json(path: Path, data: object) -> None:
    """Replace a JSON file as a whole; ValueError for NaN and infinity, which JSON has not."""
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def write_sealed(path: Path, data: Data) -> None:
    """Write an object with a checksum, which `read_json` compares and takes away.

    NaN and infinity become null, which any reader reads.
    """
    write_json(path, sealed(finite(data)))


def finite(data: Any) -> Any:  # noqa: ANN401
    """Return plain JSON values: NumPy numbers as numbers, NaN and infinity as None."""
    if isinstance(data, dict):
        return {str(key): finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    if hasattr(data, "item"):
        data = data.item()
    return None if isinstance(data, float) and not math.isfinite(data) else data


def read_value(path: Path) -> Any:  # noqa: ANN401
    """Return what a JSON file says; OSError, or ValueError for one that is none or too large."""
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        msg = f"it has more than {MOST_BYTES:,} bytes"
        raise ValueError(msg)
    return loads_json(data.decode("utf-8"))


def loads_json(text: str | bytes) -> Any:  # noqa: ANN401
    """Return what JSON says; ValueError for what is none, or nested too deeply for Python."""
    try:
        return json.loads(text)
    except RecursionError:
        msg = "it is nested too deeply"
        raise ValueError(msg) from None


def read_json(path: Path, refusal: Refusal = MEND) -> Data | None:
    """Return the object in a JSON file, None without a file; a damaged one is an error.

    Whoever changes a sealed file by hand takes the line with its checksum out.
    """
    error, cure = refusal.error, refusal.cure or "mend or delete it"
    try:
        data = read_value(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as why:
        msg = f"{path} should hold a JSON object but cannot be read ({why}): {cure}"
        raise error(msg) from None
    if not isinstance(data, dict):
        kind = type(data).__name__
        raise error(f"{path} should hold a JSON object, but holds a {kind}: {cure}")
    if not is_sound(data):
        hint = f"restore it, or delete its line {KEY!r} if you changed it yourself"
        msg = f"{path} is not as it was written (its checksum does not fit)"
        raise error(f"{msg}: {refusal.cure or hint}")
    return _without(KEY, data)


def append_line(path: Path, row: Data) -> None:
    """Add one JSON object as a line; a reader sees all of it, or at worst a torn last line."""
    line = json.dumps(sealed(finite(row)), ensure_ascii=False, allow_nan=False) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        data = line.encode()
        while data:
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)


def read_lines(path: Path, offset: int = 0) -> tuple[list[Data], int]:
    """Read the whole lines after byte `offset`: the objects, and where to read on.

    A torn last line is left for the next call. When the file was cut (a resumed job drops what
    came after its checkpoint) and `offset` no longer ends a line, reading starts from the top.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = offset if _ends_line(file, offset, size) else 0
            file.seek(start)
            text = file.read()
    except FileNotFoundError:
        return [], 0
    whole = text[: text.rfind(b"\n") + 1]
    rows = [row for row in map(read_line, whole.splitlines()) if row is not None]
    return rows, start + len(whole)


def _ends_line(file: BinaryIO, offset: int, size: int) -> bool:
    if offset <= 0 or offset > size:
        return False
    file.seek(offset - 1)
    return file.read(1) == b"\n"


def read_line(line: str | bytes) -> Data | None:
    """Return the object of a line; None for one that is torn or damaged."""
    try:
        row = loads_json(line)
    except ValueError:
        return None
    return _without(KEY, row) if isinstance(row, dict) and is_sound(row) else None


def crc_of(data: object) -> str:
    """Return the CRC-32 of a JSON value, whatever its layout and order of keys."""
    return crc(json.dumps(data, sort_keys=True, separators=(",", ":")).encode())


def sealed(data: Data) -> Data:
    """Add the checksum of all the rest."""
    rest = _without(KEY, data)
    return {**rest, KEY: crc_of(rest)}


def is_sound(data: Data) -> bool:
    """Whether an object is as `sealed` left it; one without a checksum, written by hand, is."""
    try:
        return KEY not in data or sealed(data)[KEY] == data[KEY]
    except RecursionError:
        return False


def _without(key: str, data: Data) -> Data:
    return {name: value for name, value in data.items() if name != key}
