"""The one big file of a store, betas.npy: how it is reserved, filled out of order, and checked."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.core.files import write_atomically

NAME = "betas.npy"
DTYPE = np.dtype("<f2")
ALIGN = 128  # bytes of the .npy header of a 2-D array
HEADER = re.compile(
    rb"\x93NUMPY\x01\x00\x76\x00\{'descr': '<f2', 'fortran_order': False, "
    rb"'shape': \((\d{1,9}), (\d{1,9})\), \} *\n"
)


class StoreFile:
    """A float16 matrix (n_trials, n_voxels) on disk, written by place, from several threads.

    pwrite, not a writable memory map: mapped pages would count as this process's memory, and a
    full disk would be a crash instead of an error.
    """

    def __init__(self, path: Path, shape: tuple[int, int]) -> None:
        self.path, self.shape = path, shape
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)

    def __enter__(self) -> StoreFile:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    @property
    def n_bytes(self) -> int:
        """Length of the whole file."""
        return ALIGN + self.shape[0] * self.shape[1] * DTYPE.itemsize

    def reserve(self) -> None:
        """Write the header and claim the disk space, so that a full disk is noticed at once."""
        header = {"descr": npy.dtype_to_descr(DTYPE), "fortran_order": False, "shape": self.shape}
        with self.path.open("r+b") as file:
            npy.write_array_header_1_0(file, header)
            written = file.tell()
        if written != ALIGN:
            msg = f"the .npy header has {written} bytes, expected {ALIGN}"
            raise RuntimeError(msg)
        os.posix_fallocate(self._descriptor, 0, self.n_bytes)

    def write_row(self, row: int, values: NDArray[np.float16]) -> None:
        """Write one trial, (n_voxels,)."""
        self._write(values, row * self.shape[1])

    def write_columns(self, first: int, block: NDArray[np.float16]) -> None:
        """Write some voxels of all trials, (n_trials, n)."""
        for row, values in enumerate(block):
            self._write(values, row * self.shape[1] + first)

    def _write(self, values: NDArray[np.float16], place: int) -> None:
        data = np.ascontiguousarray(values, DTYPE).view(np.uint8).data
        offset = ALIGN + place * DTYPE.itemsize
        while data:
            done = os.pwrite(self._descriptor, data, offset)
            data, offset = data[done:], offset + done

    def sync(self) -> None:
        """Wait until all that was written is on the disk."""
        os.fsync(self._descriptor)


def open_matrix(path: Path) -> NDArray[np.float16]:
    """Map a betas.npy from disk, (n_trials, n_voxels); ValueError for what is none.

    Only what `reserve` writes is read: NumPy's own reader evaluates a header of any form, which a
    damaged one takes into Python's tokenizer.
    """
    with path.open("rb") as file:
        head = file.read(ALIGN)
    found = re.fullmatch(HEADER, head)
    if found is None:
        msg = "its header is not that of a matrix of float16"
        raise ValueError(msg)
    shape = int(found[1]), int(found[2])
    if path.stat().st_size != ALIGN + shape[0] * shape[1] * DTYPE.itemsize:
        msg = f"it has not the bytes of a matrix {shape}"
        raise ValueError(msg)
    return np.memmap(path, DTYPE, "r", ALIGN, shape)


def checksums(path: Path, rows: list[tuple[int, int]], n_voxels: int) -> Iterator[int]:
    """Yield the CRC-32 of each range of rows of a betas.npy, read front to end."""
    row_bytes = n_voxels * DTYPE.itemsize
    with path.open("rb") as file:
        for first, last in rows:
            file.seek(ALIGN + first * row_bytes)
            crc = 0
            for _ in range(first, last):
                crc = zlib.crc32(file.read(row_bytes), crc)
            yield crc


SUMS = "betas_crc32.npy"


def row_crc(values: NDArray[np.float16]) -> int:
    """Return the CRC-32 of one trial, (n_voxels,)."""
    return zlib.crc32(np.ascontiguousarray(values).view(np.uint8).data)


def write_row_sums(folder: Path, sums: Sequence[int]) -> None:
    """Keep a CRC-32 for each trial, (n_trials,) uint32."""
    array = np.asarray(sums, np.uint32)
    write_atomically(folder / SUMS, lambda file: np.save(file, array, allow_pickle=False))


class RowSums:
    """Checks each row of a store at its first reading: 0.4 ms for 211,000 voxels, then nothing.

    Of ranges of rows no second checksum is kept: it cost preparing 0.26 ms a row, and says less.

    A store that was prepared before rows had checksums is read unchecked.
    """

    def __init__(self, folder: Path, betas: NDArray[np.float16]) -> None:
        self.folder, self.betas = folder, betas
        self.known = _read(folder / SUMS, len(betas))
        self.sound = np.full(len(betas), self.known is None)

    def check(self, rows: Any) -> None:  # noqa: ANN401
        """Refuse rows that are not what they were."""
        wanted = np.unique(np.arange(len(self.sound))[rows])
        for row in wanted[~self.sound[wanted]]:
            if self.known is not None and row_crc(self.betas[row]) != self.known[row]:
                path = str(self.folder / "betas.npy")
                msg = f"{path!r} is damaged in row {row} (trial {row + 1} of the store)"
                raise DataError(f"{msg}: delete {str(self.folder)!r} and run prepare again")
            self.sound[row] = True


def _read(path: Path, n_rows: int) -> NDArray[np.uint32] | None:
    try:
        found = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, SyntaxError, TokenError) as error:
        msg = f"{str(path)!r} is damaged ({error}): run prepare again"
        raise DataError(msg) from error
    if found.shape != (n_rows,) or found.dtype != np.uint32:
        msg = f"{str(path)!r} does not hold a checksum for each of {n_rows} trials"
        raise DataError(f"{msg}: run prepare again")
    return np.asarray(found)
