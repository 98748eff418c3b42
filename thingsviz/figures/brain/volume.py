"""What a trial shows in 3D, in numbers: smoothed betas, threshold, limit, peaks, crosshair."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thingsviz.core.arrays import Mask, Volume
from thingsviz.core.errors import ConfigError
from thingsviz.core.space import Grid
from thingsviz.figures.base.style import BETA_UNIT, Theme, diverging_table, symmetric_limit

Triple = tuple[float, float, float]


class VolumeChoice(NamedTuple):
    """What a visitor chose; `crosshair_mm` None: the voxel with the strongest response."""

    smoothing_mm: float = 6.0
    by: Literal["percentile", "value"] = "percentile"
    threshold: float = 97.0
    crosshair_mm: Triple | None = None


class BrainPlace(NamedTuple):
    """A voxel: its smoothed value, index and millimetre coordinate."""

    value: float
    ijk: tuple[int, int, int]
    mm: Triple


class VolumeInfo(NamedTuple):
    """What will be drawn of a volume; values in `unit`, counts in voxels of the brain."""

    unit: str
    smoothing_mm: float
    threshold: float
    percentile: float
    limit: float
    n_brain: int
    n_positive: int
    n_negative: int
    highest: BrainPlace
    lowest: BrainPlace
    crosshair: BrainPlace

    @property
    def empty(self) -> bool:
        """Whether no voxel passes the threshold on either side."""
        return self.n_positive + self.n_negative == 0


def volume_info(smoothed: Volume, mask: Mask, grid: Grid, choice: VolumeChoice) -> VolumeInfo:
    """Return what `choice` makes of a smoothed volume (X, Y, Z), in the betas' unit."""
    values = smoothed[mask]
    if not values.size:
        msg = "the brain mask holds no voxel, expected at least one: prepare the subject again"
        raise ConfigError(msg)
    threshold = _threshold(np.abs(values), choice)
    strongest = float(values.max()), float(values.min())
    peaks = [_place(smoothed, grid, _where(smoothed, mask, value)) for value in strongest]
    return VolumeInfo(
        unit=BETA_UNIT,
        smoothing_mm=float(choice.smoothing_mm),
        threshold=threshold,
        percentile=round(100 * float(np.mean(np.abs(values) <= threshold)), 2),
        limit=max(symmetric_limit(values, 99.9), threshold),
        n_brain=int(mask.sum()),
        n_positive=int((values > threshold).sum()),
        n_negative=int((values < -threshold).sum()),
        highest=peaks[0],
        lowest=peaks[1],
        crosshair=_crosshair(smoothed, grid, choice, peaks),
    )


def colours(values: NDArray[np.float32], limit: float, theme: Theme) -> NDArray[np.uint8]:
    """Return the colours (…, 3) of signed `values` (…) on the scale from −limit to limit."""
    table = diverging_table(theme, 255)
    place = np.clip(np.nan_to_num(values) / limit, -1, 1) * 127 + 127
    picture: NDArray[np.uint8] = table[np.rint(place).astype(np.intp)]
    return picture


def _threshold(size: NDArray[np.float32], choice: VolumeChoice) -> float:
    """Return the threshold on |value|, given those of the brain, `size` (n_brain,)."""
    if choice.by == "value":
        if choice.threshold <= 0:
            msg = f"threshold {choice.threshold:g} {BETA_UNIT} is not above 0: choose a larger one"
            raise ConfigError(msg)
        return float(choice.threshold)
    if not 0 < choice.threshold < 100:
        msg = (
            f"percentile {choice.threshold:g} is not between 0 and 100: 97 shows the strongest 3 %"
        )
        raise ConfigError(msg)
    return float(np.percentile(size, choice.threshold))


def _where(smoothed: Volume, mask: Mask, value: float) -> tuple[int, int, int]:
    """Return the first voxel of the brain that has `value`."""
    i, j, k = np.unravel_index(int(np.argmax(mask & (smoothed == value))), smoothed.shape)
    return int(i), int(j), int(k)


def _place(smoothed: Volume, grid: Grid, ijk: tuple[int, int, int]) -> BrainPlace:
    x, y, z = (round(float(v), 1) for v in grid.to_mm(np.array(ijk)))
    return BrainPlace(float(smoothed[ijk]), ijk, (x, y, z))


def _crosshair(
    smoothed: Volume, grid: Grid, choice: VolumeChoice, peaks: list[BrainPlace]
) -> BrainPlace:
    if choice.crosshair_mm is None:
        return max(peaks, key=lambda place: abs(place.value))
    i, j, k = grid.to_voxel(np.array(choice.crosshair_mm))
    return _place(smoothed, grid, (int(i), int(j), int(k)))
