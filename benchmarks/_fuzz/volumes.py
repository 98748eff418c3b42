"""Images of a brain: NIfTI volumes and masks, a parcellation, HDF5 responses."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import h5py
import nibabel as nib
import numpy as np

from benchmarks._fuzz.damage import Rng, spoil_bytes, spoil_header
from benchmarks._fuzz.judge import Target
from benchmarks._fuzz.place import Place, beside, of_file

HEADER = 352
# dim, pixdim, scl_slope, vox_offset, qform and sform codes, datatype: where a header can lie
FIELDS = (
    40,
    42,
    44,
    46,
    48,
    70,
    72,
    76,
    80,
    108,
    112,
    116,
    252,
    254,
    256,
    280,
    284,
    296,
    312,
    344,
)
FIELD_VALUES = (0, 1, -1, 2, 4, 8, 16, 64, 255, 512, 768, 1024, 2048, 32767, -32768)


def targets(place: Place, scratch: Path) -> Iterator[Target]:
    """Yield all parsers of images."""
    yield from _of_runs(place, scratch)
    yield _mask(place, scratch)
    yield from _of_parcels(place, scratch)
    yield _responses(scratch)


def _of_runs(place: Place, scratch: Path) -> Iterator[Target]:
    from thingsviz.data.volumes.nifti import VolumeReader, read_header

    small = nib.Nifti1Image(_some((5, 4, 3, 6)), np.diag([2.0, 2.0, 2.0, 1.0]))
    small.header.set_slope_inter(0.5, 1.0)
    raw = small.to_bytes()
    packed = gzip.compress(raw, 6, mtime=0)
    path = beside(scratch, "run.nii.gz", packed)

    def read() -> Any:  # noqa: ANN401
        with VolumeReader(path, n_axes=4) as reader:
            found = [reader.to_values(v).tobytes() for v in reader.volumes()]
            reader.source.finish()
            return reader.header.grid, reader.header.n_volumes, found

    yield of_file("volumes, packed bytes", path, read, spoil_bytes)

    def fields(rng: Rng, whole: bytes) -> bytes:
        return gzip.compress(spoil_fields(rng, gzip.decompress(whole)), 1, mtime=0)

    yield of_file("volumes, fields of the header", path, read, fields, _as_nibabel(path))
    plain = beside(scratch, "run.nii", raw)

    def header() -> Any:  # noqa: ANN401
        found = read_header(plain, n_axes=4)
        return found.grid, found.n_volumes, found.dtype.name, found.slope, found.intercept

    def as_written(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        image = _loaded(scratch / "other.nii", mutated)
        grid, n, dtype, slope, intercept = value
        scale = image.dataobj.slope, image.dataobj.inter
        return bool(
            (*grid.shape, n) == (*image.shape, 1, 1, 1)[:4]
            and np.allclose(grid.matrix, image.affine)
            and dtype == image.get_data_dtype().name
            and np.allclose((slope, intercept), scale)
        )

    yield of_file(
        "header of an unpacked volume", plain, header,
        lambda rng, whole: spoil_header(rng, whole, HEADER), as_written,
    )  # fmt: skip


def _some(shape: tuple[int, ...]) -> Any:  # noqa: ANN401
    return np.random.default_rng(1).integers(-300, 300, shape).astype(np.int16)


def spoil_fields(rng: Rng, raw: bytes) -> bytes:
    """Put strange numbers into fields of a NIfTI header; the file stays whole."""
    out = bytearray(raw)
    for _ in range(rng.choice((1, 1, 2, 3))):
        at, value = rng.choice(FIELDS), rng.choice(FIELD_VALUES)
        if rng.random() < 0.5:
            out[at : at + 2] = value.to_bytes(2, "little", signed=True)
        else:
            number = rng.choice((value, 1e-30, 1e30, np.nan, np.inf, 0.1))
            out[at : at + 4] = np.float32(number).tobytes()
    return bytes(out) if rng.random() < 0.9 else bytes(out[: rng.randrange(len(out))])


def _as_nibabel(path: Path) -> Any:  # noqa: ANN401
    """Let another reader say what a file holds."""
    other = path.with_name("other.nii.gz")

    def agrees(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        image = _loaded(other, mutated)
        grid, n, volumes = value
        numbers = np.asarray(image.dataobj).reshape(*grid.shape, n)
        return (
            grid.shape == image.shape[:3]
            and np.allclose(grid.matrix, image.affine)
            and all(
                np.allclose(_floats(volumes[t], numbers[..., t].size),
                            numbers[..., t].ravel(order="F"), equal_nan=True)
                for t in range(n)
            )
        )  # fmt: skip

    return agrees


def _loaded(path: Path, mutated: bytes) -> Any:  # noqa: ANN401
    """Open a file with nibabel, which takes an offset of 0 for the header's own first byte."""
    packed = path.suffix == ".gz"
    raw = bytearray(gzip.decompress(mutated) if packed else mutated)
    if np.frombuffer(raw[108:112], "<f4")[0] == 0:
        raw[108:112] = np.float32(352).tobytes()
    path.write_bytes(gzip.compress(bytes(raw), 1) if packed else bytes(raw))
    return nib.load(path)


def _floats(raw: bytes, n: int) -> Any:  # noqa: ANN401
    return np.frombuffer(raw, np.float32 if len(raw) == 4 * n else np.float64)


def _mask(place: Place, scratch: Path) -> Target:
    from thingsviz.data.volumes.masks import read_mask

    sound = place.dataset.brain_mask("sub-01").read_bytes()
    path = beside(scratch, "mask.nii.gz", sound)

    def read() -> Any:  # noqa: ANN401
        mask, _ = read_mask(path)
        return mask.grid, mask.inside.tobytes()

    def spoil(rng: Rng, whole: bytes) -> bytes:
        if rng.random() < 0.5:
            return spoil_bytes(rng, whole)
        return gzip.compress(spoil_fields(rng, gzip.decompress(whole)), 1, mtime=0)

    def agrees(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        image = _loaded(scratch / "other.nii.gz", mutated)
        grid, inside = value
        numbers = np.asarray(image.dataobj).reshape(grid.shape)
        return bool(
            np.allclose(grid.matrix, image.affine)
            and (np.nan_to_num(numbers) != 0).tobytes() == inside
        )

    return of_file("brain mask", path, read, spoil, agrees)


def _of_parcels(place: Place, scratch: Path) -> Iterator[Target]:
    from thingsviz.analysis.regions.parcellation import keep_parcellation, read_parcellation
    from thingsviz.data.store.beta_store import BetaStore

    store = BetaStore.open(place.dataset, "sub-01")
    labels = np.where(store.mask, 1 + np.indices(store.mask.shape)[0] % 3, 0).astype(np.uint8)
    raw = nib.Nifti1Image(labels, store.grid.matrix).to_bytes()
    table = b"index\tname\n1\tone\n2\ttwo\n3\tthree\n"
    beside(scratch, "mine.tsv", table)
    path = beside(scratch, "mine.nii.gz", gzip.compress(raw, 6, mtime=0))

    def read() -> Any:  # noqa: ANN401
        found = read_parcellation(path, store.grid, store.mask, store.space)
        return found.labels.tobytes(), found.names

    def agrees(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        gzip.decompress(mutated)
        beside(scratch, "other.nii.gz", mutated)
        numbers = np.asarray(nib.load(scratch / "other.nii.gz").dataobj)[store.mask]  # type: ignore[attr-defined]
        words = dict(enumerate(("", "one", "two", "three")))
        found = ("", *value[1])
        given = [found[i] for i in np.frombuffer(value[0], np.uint16)]
        return given == [words[int(v)] for v in numbers]

    yield of_file("parcellation, packed bytes", path, read, spoil_bytes)

    def fields(rng: Rng, whole: bytes) -> bytes:
        return gzip.compress(spoil_fields(rng, gzip.decompress(whole)), 1, mtime=0)

    yield of_file("parcellation, fields of the header", path, read, fields, agrees)

    from benchmarks._fuzz.damage import WORDS

    def draw(rng: Random) -> Any:  # noqa: ANN401
        name = rng.choice(
            (*WORDS, "mine.nii.gz", "a.nii", "../a.nii.gz", "a/b.nii", "x.nii.gz.nii")
        )
        space = rng.choice(("", "T1w", "MNI152", *WORDS))
        image = spoil_bytes(rng, path.read_bytes()) if rng.random() < 0.3 else path.read_bytes()
        return name, image, rng.choice((table, spoil_bytes(rng, table))), space

    folder = scratch / "kept"

    def keep(mutated: Any) -> Any:  # noqa: ANN401
        name, image, names, space = mutated
        try:
            made = keep_parcellation(store, folder, name, image, names, space)
            inside = made.parent == folder and made.read_bytes() == image
            return "kept" if inside else f"kept at {made}"
        finally:
            for file in folder.glob("*"):
                file.unlink()

    yield Target("upload of a parcellation", draw, keep, "kept")


def _responses(scratch: Path) -> Target:
    from thingsviz.data.prepare.table_release import _read, find_responses

    path = beside(scratch, "responses.h5", b"")
    numbers = np.random.default_rng(2).normal(size=(12, 7))
    with h5py.File(path, "w") as file:
        group = file.create_group("ResponseData")
        group.create_dataset("block0_values", data=numbers)
        group.create_dataset("block1_values", data=np.arange(12)[:, None])

    def read() -> Any:  # noqa: ANN401
        found = find_responses(path, 7)
        return _read(found, np.arange(12)).tobytes(), found.voxel_id.tobytes()

    def agrees(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        """HDF5 keeps no checksum unless its writer asks for one, and the publisher did not."""
        beside(scratch, "other.h5", mutated)
        with h5py.File(scratch / "other.h5", "r") as file:
            group = file["ResponseData"]
            blocks = [np.asarray(group[name]).tobytes() for name in sorted(group)]
        return value[0] in blocks and (value[1] in blocks or len(blocks) < 2)

    return of_file("ResponseData.h5", path, read, spoil_bytes, agrees)
