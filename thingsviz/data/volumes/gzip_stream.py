"""Reading a source file once, front to end: unpacked, its checksum verified, its sha256 taken."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from isal import igzip_lib

from thingsviz.core.errors import DataError

CHUNK = 1 << 18
GZIP_MAGIC = b"\x1f\x8b"
# Deflate cannot pack tighter than 1032 : 1, so a file's size bounds what can be in it.
MOST_PACKED = 1032
FAULT: type[Exception] = igzip_lib.error  # type: ignore[assignment]


class Digest(NamedTuple):
    """What identifies the bytes of a file."""

    size: int
    sha256: str


class GzipStream:
    """The bytes in a .gz file (several members allowed) or a plain one, in constant memory.

    nibabel does not verify the checksum at the end of a gzip: of 60 single-bit faults 59 loaded
    as wrong numbers. Here `finish` reads to the end, and any fault in the packed bytes or their
    checksum is an error.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sha = hashlib.sha256()
        self._size = 0
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            msg = f"{str(path)!r} cannot be read ({error.strerror}): put the published file there"
            raise DataError(msg) from error
        self._packed = path.suffix == ".gz"
        self._gzip = _new_member()
        self._rest = self._load(CHUNK) if self._packed else b""
        if self._packed and self._rest[:2] != GZIP_MAGIC:
            self._file.close()
            msg = (
                f"{str(path)!r} is not a gzip file (it begins with {self._rest[:2]!r}): {REPLACE}"
            )
            raise DataError(msg)

    def __enter__(self) -> GzipStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def most_bytes(self) -> int:
        """The most that can be in this file once unpacked."""
        size = self.path.stat().st_size
        return size * MOST_PACKED if self._packed else size

    @property
    def n_read(self) -> int:
        """Bytes read from the file so far, packed as they are."""
        return self._size

    def read(self, count: int) -> bytes:
        """Return exactly `count` bytes; a file that ends before is an error."""
        parts, missing = [], count
        while missing:
            part = self.some(missing)
            if not part:
                raise DataError(self._cut())
            parts.append(part)
            missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def finish(self) -> Digest:
        """Check that nothing is left but the checksum, and that it is right."""
        if self.some(1):
            msg = f"{str(self.path)!r} holds more bytes than its header says: {REPLACE}"
            raise DataError(msg)
        return Digest(self._size, self._sha.hexdigest())

    def some(self, most: int) -> bytes:
        """Return 1 to `most` bytes, b'' only at the verified end of the file."""
        if not self._packed:
            return self._load(min(most, CHUNK * 8))
        while True:
            part = self._inflate(most)
            if part:
                return part
            if self._gzip.eof and not self._next_member():
                return b""

    def _inflate(self, most: int) -> bytes:
        if self._gzip.eof:
            return b""
        fresh = b""
        if self._gzip.needs_input:
            fresh, self._rest = self._rest or self._load(CHUNK), b""
            if not fresh:
                raise DataError(self._cut())
        try:
            return bytes(self._gzip.decompress(fresh, most))
        except FAULT as error:
            msg = f"{str(self.path)!r} is damaged ({str(error).strip()}): {REPLACE}"
            raise DataError(msg) from error

    def _next_member(self) -> bool:
        """Go on to another gzip member; zero padding after the last one is allowed."""
        rest = self._gzip.unused_data or self._load(CHUNK)
        while rest and not rest.strip(b"\0"):
            rest = self._load(CHUNK)
        if not rest:
            return False
        if not rest.lstrip(b"\0").startswith(GZIP_MAGIC[: len(rest)]):
            msg = f"{str(self.path)!r} has foreign bytes after its gzip data: {REPLACE}"
            raise DataError(msg)
        self._gzip, self._rest = _new_member(), rest
        return True

    def _load(self, count: int) -> bytes:
        chunk = self._file.read(count)
        self._sha.update(chunk)
        self._size += len(chunk)
        return chunk

    def _cut(self) -> str:
        return f"{str(self.path)!r} ends too early, at {self._size} bytes: {REPLACE}"


REPLACE = "download it again"


def check_whole(path: Path, most: int) -> None:
    """Read a file to its end: a fault in its gzip is an error, and more than `most` bytes."""
    with GzipStream(path) as source:
        left = most
        while part := source.some(min(left + 1, CHUNK)):
            left -= len(part)
            if left < 0:
                msg = f"{str(path)!r} holds more than {most:,} bytes: save it as smaller numbers"
                raise DataError(msg)


def _new_member() -> igzip_lib.IgzipDecompressor:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def digest_file(path: Path) -> Digest:
    """Take the sha256 of a file as it lies."""
    with path.open("rb") as file:
        sha = hashlib.file_digest(file, "sha256")
        return Digest(file.tell(), sha.hexdigest())
