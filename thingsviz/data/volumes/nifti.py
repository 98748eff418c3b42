"""What a NIfTI header claims, and whether that can be true of the file it stands in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.core.space import Grid
from thingsviz.data.volumes.gzip_stream import GzipStream

SIZES: dict[int, tuple[Any, bytes]] = {
    348: (nib.Nifti1Header, b"n+1\0"),
    540: (nib.Nifti2Header, b"n+2\0"),
}
EXPECTED = "a one-file NIfTI (.nii or .nii.gz)"


@dataclass(frozen=True)
class Header:
    """A header that fits its file: grid, number of volumes, number type, scaling."""

    grid: Grid
    n_volumes: int
    dtype: np.dtype[np.generic]
    slope: float
    intercept: float
    offset: int
    description: str

    @property
    def volume_bytes(self) -> int:
        """Bytes of one volume."""
        return self.grid.n_voxels * self.dtype.itemsize

    @property
    def scaled(self) -> bool:
        """Whether numbers on disk must be multiplied to become values."""
        return (self.slope, self.intercept) != (1.0, 0.0)


def read_header(path: Path, *, n_axes: int) -> Header:
    """Read the header of a 3-D or 4-D file and check it against the size of the file."""
    with GzipStream(path) as source:
        return _header(source, n_axes)[0]


def _header(source: GzipStream, n_axes: int) -> tuple[Header, int]:
    """Return the header and how many bytes were read for it."""
    path = source.path
    first = source.read(348)
    order, size = _byte_order(path, first)
    raw = first + source.read(size - 348)
    kind, magic = SIZES[size]
    try:
        header = kind(raw, endianness=order, check=False)
        dtype = header.get_data_dtype()
        slope, intercept = header.get_slope_inter()
        affine = header.get_best_affine()
    except KeyError as error:
        raise _unfit(path, f"unknown number type {error}") from error
    except (HeaderDataError, ValueError, ArithmeticError) as error:
        raise _unfit(path, str(error)) from error
    if bytes(raw[344:348] if size == 348 else raw[4:8]) != magic:
        raise _unfit(path, "wrong magic")
    if not (dtype.kind in "iuf" and dtype.itemsize <= 8):
        raise _unfit(path, f"numbers of type {dtype}, expected integers or floats")
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine)) < 1e-12:
        raise _unfit(path, "an affine that is no map from voxels to mm")
    if not {int(header["qform_code"]), int(header["sform_code"])} <= set(range(6)):
        raise _unfit(path, "a code of its space that does not exist")
    shape = _shape(path, header["dim"], n_axes)
    offset = _offset(path, float(header["vox_offset"]), size)
    found = Header(
        Grid.of(shape, affine),
        shape[3],
        dtype,
        1.0 if slope is None else float(slope),
        0.0 if intercept is None else float(intercept),
        offset,
        bytes(header["descrip"].item()).rstrip(b"\0").decode("latin-1"),
    )
    _fits(source, found)
    return found, size


def _byte_order(path: Path, first: bytes) -> tuple[str, int]:
    for order in "<>":
        size = int(np.frombuffer(first, f"{order}i4", 1)[0])
        if size in SIZES:
            return order, size
    raise _unfit(path, "the first bytes are not those of a NIfTI header")


def _shape(path: Path, dim: NDArray[np.integer], n_axes: int) -> tuple[int, int, int, int]:
    """Return (X, Y, Z, T); axes of length 1 behind the last do not count."""
    n = int(dim[0])
    shape = [int(v) for v in dim[1 : n + 1]] if 1 <= n <= 7 else []
    while len(shape) > n_axes and shape[-1] == 1:
        shape.pop()
    if len(shape) != n_axes or min(shape) < 1:
        raise _unfit(path, f"shape {tuple(shape)}, expected {n_axes} axes")
    x, y, z, t = (*shape, 1)[:4]
    return x, y, z, t


def _offset(path: Path, offset: float, size: int) -> int:
    """Return where the data begin; 0 means right behind the header."""
    first = size + 4
    if offset != 0 and not (first <= offset < 2**26 and offset == int(offset)):
        raise _unfit(path, f"data that begin at byte {offset:g}")
    return int(offset) or first


def _fits(source: GzipStream, header: Header) -> None:
    """Compare what the header claims with what can be in the file, before allocating."""
    claimed = header.offset + header.volume_bytes * header.n_volumes
    if claimed > source.most_bytes:
        shape = (*header.grid.shape, header.n_volumes)
        most = f"{shape} of {header.dtype} are {claimed} bytes"
        raise _unfit(source.path, f"{most}, more than the {source.most_bytes} this file can hold")


def _unfit(path: Path, what: str) -> DataError:
    return DataError(f"{str(path)!r} is not {EXPECTED} as published: {what}; download it again")


class VolumeReader:
    """The volumes of a file one after the other; use as a context, then call `source.finish()`."""

    def __init__(self, path: Path, *, n_axes: int) -> None:
        self.source = GzipStream(path)
        try:
            self.header, read = _header(self.source, n_axes)
            self.source.read(self.header.offset - read)
        except BaseException:
            self.source.__exit__(None, None, None)
            raise

    def __enter__(self) -> VolumeReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.source.__exit__(None, None, None)

    def volumes(self) -> Iterator[NDArray[np.generic]]:
        """Yield each volume's numbers as on disk, (X · Y · Z,), the first axis fastest."""
        for _ in range(self.header.n_volumes):
            raw = self.source.read(self.header.volume_bytes)
            yield np.frombuffer(raw, self.header.dtype)

    def to_values(self, numbers: NDArray[np.generic]) -> NDArray[np.floating]:
        """Return values = slope · number + intercept, float32 where that loses nothing."""
        if self.header.scaled:
            return numbers.astype(float) * self.header.slope + self.header.intercept
        small = numbers.dtype.itemsize <= 2 or numbers.dtype == np.float32
        return numbers.astype(np.float32 if small else np.float64)
