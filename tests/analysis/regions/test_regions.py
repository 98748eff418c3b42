from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from thingsviz.analysis.regions import regions
from thingsviz.analysis.regions.regions import from_atlas, from_columns, regions_of
from thingsviz.core.errors import DataError
from thingsviz.core.space import Grid


def voxels(**columns):
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"i": range(n), "nc_singletrial": np.linspace(0, 9, n), **columns})


def names(found):
    return [found.names[label - 1] if label else "" for label in found.labels]


def test_columns_name_voxels_and_overlaps_carry_all_names():
    found = from_columns(
        voxels(V1=[True, False, False, True], glasser_V2=[False, False, True, True])
    )
    assert names(found) == ["V1", "", "glasser V2", "V1, glasser V2"]
    assert found.labels.dtype == np.uint16


def test_a_newline_in_a_column_name_becomes_a_space():
    assert from_columns(voxels(**{"glasser-a\nb": [True]})).names == ("glasser-a b",)


def test_no_region_columns_is_said():
    found = from_columns(voxels(other=[1.5, 2.5]))
    assert names(found) == ["", ""]
    assert found.source == "no regions come with these data"


def test_many_columns_against_the_plain_way(rng):
    member = rng.random((300, 37)) < 0.1
    frame = pd.DataFrame(member, columns=[f"r{n}" for n in range(37)])
    plain = [", ".join(f"r{n}" for n in np.flatnonzero(row)) for row in member]
    assert names(from_columns(frame)) == plain


def test_the_atlas_is_asked_in_mni_space_only(monkeypatch):
    monkeypatch.setattr(regions, "from_atlas", lambda mm: ("atlas", mm.shape))
    mask = np.ones((1, 1, 2), bool)
    grid = Grid.of(mask.shape, np.eye(4))
    frame = voxels(V1=[True, False])
    assert regions_of(frame, grid, mask, "MNI152") == ("atlas", (2, 3))
    assert names(regions_of(frame, grid, mask, "T1w")) == ["V1", ""]


def test_known_places_have_their_names():
    places = {
        (10, -90, 2): "Intracalcarine Cortex|Occipital Pole|Lingual Gyrus",
        (-10, -90, 2): "Intracalcarine Cortex|Occipital Pole|Lingual Gyrus",
        (-48, 18, 16): "Inferior Frontal Gyrus pars opercularis|"
        "Inferior Frontal Gyrus pars triangularis",
        (14, -18, 8): "Thalamus",
        (0, -28, -34): "Brain-Stem",
        (0, 0, 140): "",
    }
    found = names(from_atlas(np.array(list(places), float)))
    for name, allowed in zip(found, places.values(), strict=True):
        assert name in allowed.split("|")


def test_a_missing_atlas_is_one_sentence(monkeypatch):
    monkeypatch.setattr(regions, "files", lambda _: [])
    with pytest.raises(DataError, match=r"atlas is missing: pip install -r requirements\.txt"):
        from_atlas(np.zeros((1, 3)))


def test_a_brain_of_its_own_space_is_stretched_to_mni_and_called_approximate(monkeypatch):
    seen = []

    def atlas(mm):
        seen.append(mm)
        return regions.Regions(np.ones(len(mm), np.uint16), ("somewhere",), "the atlas")

    monkeypatch.setattr(regions, "from_atlas", atlas)
    mask = np.ones((3, 3, 3), bool)
    found = regions.approximate(Grid.of(mask.shape, np.diag([5.0, 6, 7, 1])), mask)
    assert "approximate: these data are not in MNI space" in found.source
    np.testing.assert_allclose(seen[0].min(0), regions.MNI_LOW)
    np.testing.assert_allclose(seen[0].max(0), regions.MNI_HIGH)
    np.testing.assert_allclose(seen[0][13], np.add(regions.MNI_LOW, regions.MNI_HIGH) / 2)
