from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

from thingsviz.core.errors import DataError
from thingsviz.data.planted import regions
from thingsviz.data.planted.presets import PRESETS
from thingsviz.data.planted.regions import REGIONS, make_anatomy

N_PUBLISHED_BRAIN_VOXELS = 211_339


@pytest.fixture(scope="module")
def anatomy():
    return make_anatomy(PRESETS["tiny"].grid)


def names_of(anatomy):
    return np.array([r.name for r in REGIONS] + ["none"])[anatomy.region]


def test_the_published_grid_has_about_the_published_brain():
    anatomy = make_anatomy(PRESETS["full"].grid)
    assert anatomy.brain.shape == (72, 91, 75)
    assert abs(anatomy.n_voxels - N_PUBLISHED_BRAIN_VOXELS) < 2000
    assert anatomy.brain.sum() == anatomy.n_voxels
    counts = np.bincount(anatomy.region[anatomy.region >= 0], minlength=len(REGIONS))
    assert counts.min() > 1000


def test_a_coarse_grid_gets_the_same_brain(anatomy):
    full = make_anatomy(PRESETS["full"].grid)
    volume = PRESETS["tiny"].grid.voxel_size.prod() / 8
    assert anatomy.n_voxels * volume == pytest.approx(full.n_voxels, rel=0.03)
    in_region = (anatomy.region >= 0).sum() * volume
    assert in_region == pytest.approx((full.region >= 0).sum(), rel=0.05)


def test_regions_lie_where_they_belong(anatomy):
    mm = PRESETS["tiny"].grid.to_mm(np.argwhere(anatomy.brain)) + regions.TO_ATLAS_MM
    names = names_of(anatomy)
    centre = {name: mm[names == name].mean(0) for name in np.unique(names)}
    assert centre["early_visual"][1] < -70  # behind
    assert centre["inferior_frontal"][1] > 10  # in front
    assert centre["pre_postcentral"][2] > 35  # above
    assert centre["occipital_fusiform"][2] < 0  # below
    for name, place in centre.items():
        assert abs(place[0]) < 15, f"{name} lies on one side"


def test_the_table_of_regions():
    assert len(REGIONS) == 12
    by_name = {region.name: region for region in REGIONS}
    assert by_name["occipital_fusiform"].noise_ceiling == 0.14
    assert by_name["parietal"].special == {"grasp": 1, "hold": 1, "be-moved": 1}
    assert by_name["early_visual"].low_level == 1
    assert by_name["early_visual"].special == {}


def test_a_missing_atlas_is_said(monkeypatch):
    def nothing(_):
        raise PackageNotFoundError

    monkeypatch.setattr(regions, "files", nothing)
    with pytest.raises(DataError, match="atlas is missing: pip install"):
        make_anatomy(PRESETS["tiny"].grid)
