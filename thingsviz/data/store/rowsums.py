"""Whether a row of betas.npy still holds what was written: its CRC-32, checked once when read."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.core.files import write_atomically

NAME = "betas_crc32.npy"


def row_crc(values: NDArray[np.float16]) -> int:
    """Return the CRC-32 of one trial, (n_voxels,)."""
    return zlib.crc32(np.ascontiguousarray(values).view(np.uint8).data)


def write_row_sums(folder: Path, sums: Sequence[int]) -> None:
    """Keep a CRC-32 for each trial, (n_trials,) uint32."""
    array = np.asarray(sums, np.uint32)
    write_atomically(folder / NAME, lambda file: np.save(file, array, allow_pickle=False))


class RowSums:
    """Checks each row of a store at its first reading: 0.4 ms for 211,000 voxels, then nothing.

    A store that was prepared before rows had checksums is read unchecked.
    """

    def __init__(self, folder: Path, betas: NDArray[np.float16]) -> None:
        self.folder, self.betas = folder, betas
        self.known = _read(folder / NAME, len(betas))
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
