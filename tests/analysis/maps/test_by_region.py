import numpy as np
import pytest

from thingsviz.analysis.maps import by_region
from thingsviz.analysis.maps.by_region import Amount
from thingsviz.analysis.regions.regions import Regions
from thingsviz.core.errors import ConfigError, DataError

REGIONS = Regions(np.array([0, 1, 1, 2, 2, 2], np.uint16), ("a", "b"), "made up")


def test_all_mass():
    mass = np.array([[1.0, 2, 3, 4, 0, 0]])
    found = by_region.shares(by_region.counted(mass, Amount()), REGIONS.labels, 2)
    np.testing.assert_allclose(found, [[0.1, 0.5, 0.4]])


def test_top_voxels_count_alike_and_share_out_ties():
    mass = np.array([[5.0, 3, 3, 3, 3, 1]])  # a voxel, then a patch of four
    found = by_region.counted(mass, Amount("voxels", 3))
    np.testing.assert_allclose(found, [[1, 0.5, 0.5, 0.5, 0.5, 0]])


def test_top_mass_is_the_smallest_part_that_holds_it():
    mass = np.array([[5.0, 3, 1, 1, 0, 0]])
    np.testing.assert_allclose(by_region.counted(mass, Amount("mass", 80)), [[5, 3, 0, 0, 0, 0]])
    np.testing.assert_allclose(
        by_region.counted(mass, Amount("mass", 90)), [[5, 3, 0.5, 0.5, 0, 0]]
    )
    assert by_region.threshold(mass[0], 80) == 3
    assert by_region.threshold(np.zeros(4), 80) == 0


@pytest.mark.parametrize("amount", [Amount("voxels", 50), Amount("mass", 37.0), Amount()])
def test_what_counts_is_what_was_asked_for(amount, rng):
    mass = np.round(rng.random((3, 400)), 1)
    found = by_region.counted(mass, amount)
    wanted = 50 if amount.by == "voxels" else mass.sum(1) * amount.value / 100
    np.testing.assert_allclose(found.sum(1), wanted)
    assert ((found >= 0) & (found <= np.maximum(mass, 1))).all()


def test_uniform_attention_is_enriched_nowhere(rng):
    uniform = rng.random(6)
    table = by_region.region_table(uniform, uniform, REGIONS, Amount())
    np.testing.assert_allclose(table["enrichment"], 1)
    assert list(table["region"]) == [by_region.NO_REGION, "a", "b"]


def test_a_region_without_signal_that_gets_attention_is_marked():
    ceiling = np.array([0, 0.1, 0.2, 10, 12, 9.0])
    mass = np.array([0, 5, 5, 1, 1, 1.0])
    table = by_region.region_table(mass, np.ones(6), REGIONS, Amount(), ceiling)
    assert table.set_index("region")["no_signal"].to_dict() == {
        by_region.NO_REGION: False,
        "a": True,
        "b": False,
    }
    np.testing.assert_allclose(table["ceiling"], [0, 0.15, 31 / 3])


def test_the_background_gets_its_row():
    table = by_region.region_table(np.ones(6), np.ones(6), REGIONS, Amount())
    found = by_region.with_background(0.6, 0.5, table).set_index("region")
    assert found["share"].sum() == pytest.approx(1)
    assert found.loc[by_region.BACKGROUND, "enrichment"] == pytest.approx(1.2)
    assert found.loc["b", "share"] == pytest.approx(0.4 / 2)
    assert not found.loc[by_region.BACKGROUND, "no_signal"]


def test_bad_maps_are_refused():
    with pytest.raises(DataError, match="another brain or grid"):
        by_region.check_map(np.ones(5), 6)
    with pytest.raises(DataError, match="2 values that are no number"):
        by_region.check_map(np.array([1, np.nan, np.inf, 0]), 4)
    with pytest.raises(DataError, match="holds no voxel"):
        by_region.check_map(np.ones((1, 0)), 0)
    with pytest.raises(ConfigError, match="top 7 was asked for"):
        by_region.counted(np.ones((1, 6)), Amount("voxels", 7))
    with pytest.raises(ConfigError, match="at most 100 %"):
        by_region.counted(np.ones((1, 6)), Amount("mass", 0))
