import numpy as np
import pytest

from models.base.errors import ModelError
from models.catalog.registry import build_network
from models.transformer.cnn_vit_config import CNNViTConfig
from models.transformer.patches import PatchGrid, TokenIndex
from models.transformer.token_map import from_index, token_map
from models.transformer.vit3d_config import ViT3DConfig

CASES = [((6, 7, 5), False), ((12, 13, 15), False), ((5, 6, 7), True)]


@pytest.fixture(params=CASES, ids=["small", "large", "padded"])
def grid(request):
    """The published volume with the original study's patches, and one that needs padding."""
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


@pytest.mark.parametrize("scales", ["last", "both"])
def test_tokens_of_a_cnn_stand_for_their_blocks(scales, rng):
    mask = np.ones((24, 24, 24), bool)
    mask[:3] = False
    more = {"first_patch_size": (6, 6, 6)} if scales == "both" else {}
    config = CNNViTConfig(
        patch_size=(3, 3, 3),
        tokens="brain",
        embed_dim=8,
        n_layers=1,
        n_heads=2,
        scales=scales,
        **more,
    )
    network = build_network(config, mask, 2)
    there = token_map(network)
    values = rng.random(there.n_tokens)
    wanted = np.zeros(mask.shape)
    boxes = [(part, token) for part in network.tokens.parts for token in part.tokens]
    for value, (part, token) in zip(values, boxes, strict=True):
        side = part.stride * np.array(part.grid.patch)
        wanted[part.block(token)] += value / np.prod(side)
    np.testing.assert_allclose(there.to_voxels(values), wanted[mask])
    assert "sees 3" in there.note


def test_a_networks_tokens(planted):
    config = ViT3DConfig(patch_size=(3, 4, 5), tokens="brain", n_selected_tokens=3, embed_dim=8)
    score = planted.signal.astype("f4")
    network = build_network(config, planted.mask, 2, score)
    there = token_map(network)
    assert (there.n_tokens, there.n_voxels) == (3, len(planted.signal))
    assert 0 < there.covered.sum() < there.n_voxels
    assert there.covered[planted.signal].mean() > 0.5


def test_a_map_of_another_model_is_refused(mask):
    there = from_index(TokenIndex.of(mask, PatchGrid((72, 91, 75), (12, 13, 15))))
    with pytest.raises(ModelError, match="another model or another brain"):
        there.to_voxels(np.zeros(7))
    with pytest.raises(ModelError, match=r"a map of .* voxels was expected"):
        there.to_tokens(np.zeros(7))
