import numpy as np
import pytest

from models.config import ViT3DConfig
from models.errors import ModelError
from models.patches import PatchGrid, TokenIndex
from models.registry import build_network
from models.token_map import from_boxes, from_index, token_map

CASES = [((6, 7, 5), False), ((12, 13, 15), False), ((5, 6, 7), True)]


@pytest.fixture(params=CASES, ids=["small", "large", "padded"])
def grid(request):
    """The published volume with the report's patches, and one that needs padding."""
    return PatchGrid((72, 91, 75), *request.param)


@pytest.fixture
def mask():
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in (72, 91, 75)), indexing="ij")
    return sum(a**2 for a in axes) < 0.8


@pytest.mark.parametrize("brain_only", [True, False])
def test_mass_is_kept_and_comes_back(grid, mask, brain_only, rng):
    index = TokenIndex.of(mask, grid, brain_only)
    there = from_index(index)
    values = rng.random((2, there.n_tokens))
    voxels = there.to_voxels(values)
    assert voxels.shape == (2, int(mask.sum()))
    np.testing.assert_allclose(voxels.sum(1) + there.background(values), values.sum(1))
    back = there.to_tokens(voxels) * there.box_voxels
    seen = index.present.any(1)
    np.testing.assert_allclose(back[:, seen], values[:, seen])


def test_each_voxel_has_the_value_of_the_patch_that_it_lies_in(mask):
    """Found the plain way: from the voxel's own index in the volume."""
    grid = PatchGrid((72, 91, 75), (6, 7, 5))
    index = TokenIndex.of(mask, grid)
    there = from_index(index)
    voxels = there.to_voxels(np.arange(there.n_tokens, dtype=float)) * grid.patch_voxels
    ijk = np.argwhere(mask) // np.array(grid.patch)
    patch = np.ravel_multi_index(tuple(ijk.T), grid.counts)
    np.testing.assert_allclose(voxels, np.searchsorted(index.tokens, patch))


def test_boxes_are_patches_written_out(grid, mask, rng):
    index = TokenIndex.of(mask, grid)
    corner = np.stack(np.unravel_index(index.tokens, grid.counts), 1) * np.array(grid.patch)
    boxes = np.stack([corner, corner + np.array(grid.patch)], 2)
    one, other = from_index(index), from_boxes(boxes, mask)
    values = rng.random(len(boxes))
    np.testing.assert_allclose(one.to_voxels(values), other.to_voxels(values))
    np.testing.assert_allclose(one.background(values), other.background(values))


def test_boxes_that_overlap_share_their_voxels():
    mask = np.ones((4, 1, 1), bool)
    boxes = np.array([[[0, 3], [0, 1], [0, 1]], [[1, 4], [0, 1], [0, 1]]])
    np.testing.assert_allclose(
        from_boxes(boxes, mask).to_voxels(np.array([3.0, 6.0])), [1, 3, 3, 2]
    )


def test_a_networks_tokens(planted):
    config = ViT3DConfig(patch_size=(3, 4, 5), tokens="brain", n_selected_tokens=3, embed_dim=8)
    score = planted.signal.astype("f4")
    network = build_network(config, planted.mask, 2, score)
    there = token_map(network, planted.mask)
    assert (there.n_tokens, there.n_voxels) == (3, len(planted.signal))
    assert 0 < there.covered.sum() < there.n_voxels
    assert there.covered[planted.signal].mean() > 0.5


def test_a_map_of_another_model_is_refused(mask):
    there = from_index(TokenIndex.of(mask, PatchGrid((72, 91, 75), (12, 13, 15))))
    with pytest.raises(ModelError, match="another model or another brain"):
        there.to_voxels(np.zeros(7))
    with pytest.raises(ModelError, match=r"a map of .* voxels was expected"):
        there.to_tokens(np.zeros(7))
