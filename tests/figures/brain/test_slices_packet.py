from __future__ import annotations

import numpy as np
import pytest

from tests.figures.brain.unpacked import unpack
from thingsviz.analysis.regions.regions import Regions
from thingsviz.core.space import Grid
from thingsviz.figures.brain.slices_packet import pack, pack_geometry

SHAPE = (5, 6, 7)


@pytest.fixture
def brain(rng):
    mask = rng.random(SHAPE) < 0.4
    n = int(mask.sum())
    labels = rng.integers(0, 3, n).astype(np.uint16)
    regions = Regions(labels, ("V1", "V2, V3"), "test")
    geometry = pack_geometry(mask, Grid.of(SHAPE, np.diag([2, 2, 2, 1])), regions, (1, 2, 3), "k")
    return mask, regions, geometry


def test_what_is_packed_comes_out_again(brain, rng):
    mask, regions, geometry = brain
    values = rng.normal(size=mask.sum()).astype(np.float16)
    header, half, labels = unpack(pack(geometry, values, "trial 3"))
    assert half.tobytes() == values.tobytes(), "the store's own bytes"
    assert np.array_equal(labels > 0, mask)
    assert np.array_equal(labels[mask] - 1, regions.labels)
    assert header["title"] == "trial 3"
    assert header["regions"] == ["V1", "V2, V3"]
    assert header["start"] == [1, 2, 3]
    assert header["shape"] == list(SHAPE)
    assert header["unit"] == "% signal change"


def test_averages_are_rounded_to_halves(brain, rng):
    mask, _, geometry = brain
    values = rng.normal(size=mask.sum()).astype(np.float32)
    _, half, _ = unpack(pack(geometry, values, ""))
    assert half == pytest.approx(values, abs=2e-3)


def test_the_limit_is_that_of_this_volume(brain):
    mask, _, geometry = brain
    values = np.full(mask.sum(), -0.5, np.float16)
    values[0] = 60
    assert unpack(pack(geometry, values, ""))[0]["limit"] == 0.5


def test_both_themes_have_a_scale_of_odd_length(brain):
    header, *_ = unpack(pack(brain[2], np.zeros(brain[0].sum(), np.float16), ""))
    assert set(header["colours"]) == {"light", "dark"}
    assert all(len(stops) % 2 for stops in header["colours"].values()), "zero has a colour"


def test_labels_of_a_subject_are_small():
    i, j, k = np.indices((72, 91, 75))
    inside = ((i - 36) / 33) ** 2 + ((j - 45) / 42) ** 2 + ((k - 37) / 33) ** 2 < 1
    labels = ((i // 9) + (j // 9))[inside].astype(np.uint16)
    regions = Regions(labels, tuple(f"region {n}" for n in range(20)), "test")
    grid = Grid.of(inside.shape, np.eye(4))
    assert len(pack_geometry(inside, grid, regions, (1, 1, 1), "k").labels) < 60_000
