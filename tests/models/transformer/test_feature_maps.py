import numpy as np
import pytest
import torch

from models.base.errors import ModelError
from models.transformer.cnn_vit_config import CNNViTConfig
from models.transformer.feature_maps import (
    FIRST,
    LAST,
    MapTokens,
    ScaleTokens,
    map_shape,
    scale_tokens,
)

REPORT, TINY = (72, 91, 75), (24, 28, 20)


def tokens_of(shape, stride=LAST, mask=None, score=None, **settings):
    mask = np.ones(shape, bool) if mask is None else mask
    return MapTokens.of(CNNViTConfig(**settings), mask, stride, score)


def test_the_reports_maps_have_the_reports_shape():
    assert map_shape(REPORT, LAST) == (18, 22, 18)
    assert map_shape(REPORT, FIRST) == (36, 44, 36)
    assert map_shape(TINY, LAST) == (6, 7, 5)


def test_the_reports_patch_divides_its_map_and_says_so_where_it_does_not():
    assert tokens_of(REPORT).grid.n_tokens == 3 * 2 * 3
    with pytest.raises(
        ModelError,
        match=r"^patch_size \(6, 7, 5\) does not divide \(18, 22, 18\): axis 1 leaves 1 place; "
        r"divisors near 7 are 2 and 11 .*; \(18, 22, 18\) is the CNN's last map of a volume "
        r"\(72, 91, 75\)$",
    ):
        tokens_of(REPORT, patch_size=(6, 7, 5))
    with pytest.raises(ModelError, match=r"^first_patch_size \(6, 7, 5\).*first map"):
        tokens_of(REPORT, FIRST, first_patch_size=(6, 7, 5))
    assert tokens_of(REPORT, patch_size=(6, 7, 5), pad=True).grid.n_tokens == 3 * 4 * 4


def test_a_volume_too_small_for_two_poolings_is_refused():
    with pytest.raises(ModelError, match="too small for two poolings: 4 or more voxels"):
        map_shape((3, 9, 9), LAST)


@pytest.mark.parametrize("stride", [FIRST, LAST])
def test_what_a_token_sees_is_what_moves_it(stride):
    """Against the plain way: change one voxel, see which places of the map move."""
    shape, patch = (16, 12, 8), (2, 3, 1)
    found = tokens_of(shape, stride, patch_size=patch, first_patch_size=patch)
    blocks = [torch.nn.Conv3d(1, 1, 3, padding=1, bias=False) for _ in range(2)]
    for block in blocks:
        torch.nn.init.ones_(block.weight)
    x = torch.zeros(1, 1, *shape, requires_grad=True)
    values = x
    for block in blocks[: {FIRST: 1, LAST: 2}[stride]]:
        values = torch.nn.functional.avg_pool3d(block(values), 2)  # every voxel counts
    tokens = found.grid.to_tokens(values[0, 0]).sum(1)
    for token in range(found.grid.n_tokens):
        moved = torch.autograd.grad(tokens[token], x, retain_graph=True)[0][0, 0] != 0
        seen = torch.zeros(shape, dtype=torch.bool)
        seen[found.seen(token)] = True
        assert torch.equal(moved, seen)


@pytest.mark.parametrize("stride", [FIRST, LAST])
def test_blocks_tile_the_part_that_the_map_covers(stride):
    found = tokens_of((9, 14, 8), stride, patch_size=(1, 3, 2), first_patch_size=(2, 3, 4))
    hits = np.zeros((9, 14, 8), int)
    for token in found.tokens:
        hits[found.block(token)] += 1
    assert (hits[:8, :12, :8] == 1).all()
    assert hits.sum() == 8 * 12 * 8


def test_index_and_blocks_agree():
    mask = np.random.default_rng(0).random((9, 14, 8)) < 0.6
    found = tokens_of((9, 14, 8), mask=mask, patch_size=(1, 3, 1))
    spread = found.index.to_voxels(torch.arange(1.0, len(found.tokens) + 1)).numpy()
    volume = np.zeros(mask.shape)
    for value, token in enumerate(found.tokens, 1):
        volume[found.block(token)] = value
    np.testing.assert_array_equal(spread, volume[mask])


def test_brain_tokens_are_those_whose_sight_meets_the_brain():
    mask = np.zeros((16, 16, 16), bool)
    mask[9, 0, 0] = True
    found = tokens_of(mask.shape, mask=mask, patch_size=(1, 1, 1), tokens="brain")
    # place i sees 4 i - 3 … 4 i + 6: voxel 9 is seen by places 1, 2 and 3, voxel 0 by place 0
    assert [np.unravel_index(t, (4, 4, 4))[0] for t in found.tokens] == [1, 2, 3]
    with pytest.raises(ModelError, match="brain mask is empty"):
        tokens_of(mask.shape, mask=~mask & mask, patch_size=(1, 1, 1), tokens="brain")


def test_the_best_tokens_are_those_with_the_highest_scores():
    mask = np.ones((8, 8, 8), bool)
    score = np.zeros(mask.shape, "f4")
    score[4:, :4, :4] = 1
    settings = {"tokens": "brain", "n_selected_tokens": 1, "patch_size": (1, 1, 1)}
    found = tokens_of(mask.shape, mask=mask, score=score[mask], **settings)
    assert found.tokens.tolist() == [4]


def test_maps_of_both_scales_add_up_in_the_transformers_order():
    mask = np.ones((8, 8, 8), bool)
    config = CNNViTConfig(scales="both", patch_size=(1, 1, 1), first_patch_size=(2, 2, 2))
    both = scale_tokens(config, mask)
    assert len(both.tokens) == 16
    values = torch.arange(16.0)
    last, first = (ScaleTokens((part,)) for part in both.parts)
    plain = last.to_voxels(values[:8]) + first.to_voxels(values[8:])
    torch.testing.assert_close(both.to_voxels(values), plain)
    assert (both.to_voxels(torch.ones(16)) == 2).all()
