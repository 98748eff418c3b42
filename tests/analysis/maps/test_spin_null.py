import numpy as np
import pytest
from scipy import ndimage
from scipy.stats import binom, kstest

from thingsviz.analysis.maps import spin_null

SHAPE = (36, 44, 34)


@pytest.fixture(scope="module")
def brain():
    """An ellipsoid and eight blobs of cortex as regions, (mask, labels)."""
    rng = np.random.default_rng(4)
    axes = np.meshgrid(*(np.linspace(-1.15, 1.15, n) for n in SHAPE), indexing="ij")
    radius = sum(a**2 for a in axes)
    mask = radius < 1
    ijk = np.argwhere(mask)
    seeds = ijk[rng.choice(np.flatnonzero(radius[mask] > 0.4), 8, replace=False)]
    nearest = ((ijk[:, None] - seeds[None]) ** 2).sum(2)
    labels = np.where(nearest.min(1) < 40, nearest.argmin(1) + 1, 0).astype(np.uint16)
    return mask, labels


def smooth_map(mask, rng, rim=1.0):
    """A smooth random map that is stronger (or weaker) near the surface wherever it lies."""
    field = ndimage.gaussian_filter(rng.standard_normal(mask.shape), 3.0)
    field = np.exp(field / field.std())
    depth = ndimage.distance_transform_edt(mask)
    return (field * np.where(depth < 4, rim, 1.0))[mask]


@pytest.mark.parametrize("rim", [1.0, 3.0])
def test_p_values_are_uniform_where_maps_know_nothing(brain, rim):
    """150 maps that have nothing to do with the regions; error rate of this test: 0.002."""
    mask, labels = brain
    turned = spin_null.turns(mask, labels, n=99, seed=1)
    rng = np.random.default_rng(7)
    uniform = np.ones(int(mask.sum()))
    found = np.array(
        [spin_null.p_values(smooth_map(mask, rng, rim), uniform, turned, 8) for _ in range(150)]
    )
    p = found[:, 1 + np.arange(150) % 8].diagonal()  # one region a map: independent
    assert kstest(p, "uniform").pvalue > 0.001
    assert (p <= 0.05).sum() <= binom.ppf(0.999, 150, 0.06)


def test_a_map_of_a_region_is_found_there_and_only_there(brain):
    mask, labels = brain
    turned = spin_null.turns(mask, labels, n=199)
    volume = np.zeros(mask.shape)
    volume[mask] = labels == 3
    mass = ndimage.gaussian_filter(volume, 2)[mask] + 1e-3
    p = spin_null.p_values(mass, np.ones_like(mass), turned, 8)
    assert p[3] == pytest.approx(1 / 200)
    assert np.argmin(p) == 3


def test_turns_keep_sizes_and_are_the_same_again(brain):
    mask, labels = brain
    one, two = (spin_null.turns(mask, labels, n=40, seed=5) for _ in range(2))
    assert (one.turned == two.turned).all()
    assert not (one.turned == one.labels).all(1).any()
    sizes = (one.turned > 0).mean(1)
    assert abs(sizes.mean() / (one.labels > 0).mean() - 1) < 0.1


def test_shuffled_voxels_would_find_what_is_not_there(brain):
    """Why the parcellation is turned: a null that ignores smoothness rejects far too often."""
    mask, labels = brain
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(20):
        mass = smooth_map(mask, rng)
        seen = mass[labels == 1].sum()
        null = [mass[rng.permutation(labels) == 1].sum() for _ in range(39)]
        wrong += seen > max(null) or seen < min(null)
    assert wrong > 10
