"""Reading a source file once, front to end: unpacked, its checksum verified, its sha256 taken."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from isal import igzip, igzip_lib, isal_zlib

from thingsviz.core.errors import DataError

CHUNK = 1 << 18
GZIP_MAGIC = b"\x1f\x8b"
# Deflate cannot pack tighter than 1032 : 1, so a file's size bounds what can be in it.
MOST_PACKED = 1032
REPLACE = "download it again"
FAULTS: tuple[type[Exception], ...] = (igzip.BadGzipFile, igzip_lib.error, isal_zlib.error)  # type: ignore[assignment]


class Digest(NamedTuple):
    """What identifies the bytes of a file."""

    size: int
    sha256: str


class HashingReader(io.RawIOBase):
    """A file read front to end, its sha256 taken and its bytes counted on the way."""

    def __init__(self, path: Path) -> None:
        self.sha, self.size = hashlib.sha256(), 0
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            msg = f"{str(path)!r} cannot be read ({error.strerror}): put the published file there"
            raise DataError(msg) from error
        self.first = self._file.read(2)
        self._file.seek(0)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read the next bytes into a buffer; return how many."""
        count = self._file.readinto(buffer)
        self.sha.update(buffer[:count])
        self.size += count
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


class GzipStream:
    """The bytes in a .gz file (several members allowed) or a plain one, in constant memory.

    nibabel does not verify the checksum at the end of a gzip: of 60 single-bit faults 59 loaded
    as wrong numbers. Here `finish` reads to the end, and any fault in the packed bytes or their
    checksum is an error.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._raw = HashingReader(path)
        self._packed = path.suffix == ".gz"
        if self._packed and self._raw.first != GZIP_MAGIC:
            self._raw.close()
            msg = f"{str(path)!r} is not a gzip file (it begins with {self._raw.first!r}): "
            raise DataError(msg + REPLACE)
        file = io.BufferedReader(self._raw, CHUNK)
        self._file: io.BufferedIOBase = file
        if self._packed:
            self._file = igzip.GzipFile(fileobj=file)  # type: ignore[no-untyped-call]

    def __enter__(self) -> GzipStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._raw.close()

    @property
    def most_bytes(self) -> int:
        """The most that can be in this file once unpacked."""
        size = self.path.stat().st_size
        return size * MOST_PACKED if self._packed else size

    @property
    def n_read(self) -> int:
        """Bytes read from the file so far, packed as they are."""
        return self._raw.size

    def read(self, count: int) -> bytes:
        """Return exactly `count` bytes; a file that ends before is an error."""
        found = self.some(count)
        if len(found) < count:
            raise DataError(self._cut())
        return found

    def finish(self) -> Digest:
        """Check that nothing is left but the checksum, and that it is right."""
        if self.some(1):
            msg = f"{str(self.path)!r} holds more bytes than its header says: {REPLACE}"
            raise DataError(msg)
        return Digest(self._raw.size, self._raw.sha.hexdigest())

    def some(self, most: int) -> bytes:
        """Return 1 to `most` bytes, b'' only at the verified end of the file."""
        try:
            return self._file.read(most)
        except EOFError:
            raise DataError(self._cut()) from None
        except FAULTS as error:
            words = str(error).strip()
            msg = f"{str(self.path)!r} is damaged ({words}): {REPLACE}"
            if words.startswith("Not a gzipped file"):
                msg = f"{str(self.path)!r} has foreign bytes after its gzip data: {REPLACE}"
            raise DataError(msg) from error

    def _cut(self) -> str:
        return f"{str(self.path)!r} ends too early, at {self._raw.size} bytes: {REPLACE}"


def check_whole(path: Path, most: int) -> None:
    """Read a file to its end: a fault in its gzip is an error, and more than `most` bytes."""
    with GzipStream(path) as source:
        left = most
        while part := source.some(min(left + 1, CHUNK)):
            left -= len(part)
            if left < 0:
                msg = f"{str(path)!r} holds more than {most:,} bytes: save it as smaller numbers"
                raise DataError(msg)


def digest_file(path: Path) -> Digest:
    """Take the sha256 of a file as it lies."""
    with path.open("rb") as file:
        sha = hashlib.file_digest(file, "sha256")
        return Digest(file.tell(), sha.hexdigest())
