"""How a volume travels to the browser: one packet of bytes that slices.js unpacks.

    4 bytes   length of the header, little endian
    header    JSON: lengths of what follows, grid, names, limit, unit, colours
    values    float16 (n_voxels,), the brain's voxels in C order: the store's own bytes
    labels    deflated uint16 (X, Y, Z) in C order: 0 not brain, 1 no region, 2 + k region k

The labels are the same for all trials of a subject and shrink 30 to 60 times, so they are sent
along: a packet never depends on what the browser remembers.
"""

from __future__ import annotations

import json
import zlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thingsviz.analysis.regions.regions import Regions
from thingsviz.core.space import Grid
from thingsviz.figures.base.style import BETA_UNIT, diverging, symmetric_limit
from thingsviz.figures.brain.slices import ENDS, PLANES, Voxel, brain_box, world_axes


class Geometry(NamedTuple):
    """What all packets of a subject share: deflated labels and the fixed part of the header."""

    key: str
    labels: bytes
    header: dict[str, Any]


def pack_geometry(
    mask: NDArray[np.bool_], grid: Grid, regions: Regions, start: Voxel, key: str
) -> Geometry:
    """Pack brain mask, regions and grid once for a subject; `key` tells subjects apart."""
    labels = np.zeros(grid.shape, np.uint16)
    labels[mask] = regions.labels.astype(np.uint16) + 1
    header = {
        "key": key,
        "shape": grid.shape,
        "affine": grid.affine,
        "axes": world_axes(grid),
        "box": brain_box(mask),
        "planes": PLANES,
        "ends": ENDS,
        "start": start,
        "regions": regions.names,
        "regions_from": regions.source,
        "unit": BETA_UNIT,
        "colours": {
            "light": [colour for _, colour in diverging("light")],
            "dark": [colour for _, colour in diverging("dark")],
        },
    }
    return Geometry(key, zlib.compress(labels.tobytes(), 9), header)


def pack(geometry: Geometry, values: NDArray[np.floating], title: str) -> bytes:
    """Pack one volume: `values` (n_voxels,) of the brain; colours end at their 98th percentile."""
    half = values.astype("<f2", copy=False)
    header = geometry.header | {
        "title": title,
        "limit": float(f"{symmetric_limit(values.astype(np.float32)):.3g}"),
        "n_values": half.size,
        "n_labels": len(geometry.labels),
    }
    text = json.dumps(header).encode()
    return b"".join([len(text).to_bytes(4, "little"), text, half.tobytes(), geometry.labels])
