"""How one run becomes rows of the store: streamed, checked by volume, masked, as float16."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.core.trial_key import TrialKey
from thingsviz.data.prepare.plan import RunPlan, StorePlan
from thingsviz.data.store.manifest import Source, note_source
from thingsviz.data.store.matrix_file import StoreFile, row_crc
from thingsviz.data.volumes.nifti import VolumeReader

LARGEST = float(np.finfo(np.float16).max)
Tick = Callable[[int], None]


@dataclass(frozen=True)
class FinishedPiece:
    """What is known of one finished piece of the store: its source, and rows with their CRC-32."""

    key: str
    source: Source | None = None
    rows: tuple[int, int] | None = None
    warnings: list[str] = field(default_factory=list)
    row_crcs: list[int] = field(default_factory=list)


def fill_run(plan: StorePlan, run: RunPlan, store: StoreFile, tick: Tick) -> FinishedPiece:
    """Stream one run into its rows; `tick` gets the packed bytes read and may raise to stop."""
    positions = plan.mask.fortran_positions
    mended, bad_volumes = 0, 0
    row_crcs = []
    with VolumeReader(run.betas, n_axes=4) as reader:
        for k, numbers in enumerate(reader.volumes()):
            values = reader.to_values(numbers.take(positions))
            clean, n_bad = checked(values, run, k)
            mended, bad_volumes = mended + n_bad, bad_volumes + (n_bad > 0)
            row = clean.astype(np.float16)
            store.write_row(run.first + k, row)
            row_crcs.append(row_crc(row))
            tick(reader.source.n_read)
        digest = reader.source.finish()
    source = note_source(plan.dataset, run.betas, digest)
    notes = [
        f"{run.files}: {mended} values in {bad_volumes} volumes are not finite, stored as 0"
    ] * (mended > 0)
    return FinishedPiece(str(run.files), source, (run.first, run.last), notes, row_crcs)


def checked(
    values: NDArray[np.floating], run: RunPlan, k: int
) -> tuple[NDArray[np.floating], int]:
    """Return a volume's brain values (n_voxels,) with what is not finite set to 0, and its count.

    Refused: a volume that is mostly not finite, one that is constant over the brain (both are
    damage, no response looks so), and values beyond float16, which are no % signal change.
    """
    finite = np.isfinite(values)
    n_bad = len(values) - int(np.count_nonzero(finite))
    if 2 * n_bad > len(values):
        raise _damaged(run, k, f"{n_bad} of {len(values)} brain voxels are not finite")
    if n_bad:
        values = np.where(finite, values, 0)
    low, high = float(values.min()), float(values.max())
    if low == high and len(values) > 1:
        raise _damaged(run, k, f"all {len(values)} brain voxels have the value {low:g}")
    if max(-low, high) > LARGEST:
        raise _damaged(run, k, f"values up to {max(-low, high):g}, expected % signal change")
    return values, n_bad


def _damaged(run: RunPlan, k: int, what: str) -> DataError:
    key = TrialKey(run.files.session, run.files.run, k + 1)
    return DataError(f"{str(run.betas)!r}, volume {k} ({key}): {what}; download the file again")
