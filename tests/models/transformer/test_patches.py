import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base.errors import ModelError
from models.transformer.patches import ABSENT, PatchGrid, TokenIndex, gather_tokens

sides = st.tuples(*[st.integers(1, 4)] * 3)
counts = st.tuples(*[st.integers(1, 4)] * 3)
shapes = st.tuples(*[st.integers(1, 9)] * 3)


def volume_of(shape, *batch):
    return np.arange(np.prod(shape) * int(np.prod(batch)), dtype="f4").reshape(*batch, *shape)


@settings(deadline=None)
@given(patch=sides, count=counts)
def test_tokens_and_volume_are_inverses(patch, count):
    shape = tuple(p * c for p, c in zip(patch, count, strict=True))
    grid, volume = PatchGrid(shape, patch), volume_of(shape, 2)
    tokens = grid.to_tokens(volume)
    assert tokens.shape == (2, grid.n_tokens, grid.patch_voxels)
    np.testing.assert_array_equal(grid.to_volume(tokens), volume)
    torch.testing.assert_close(grid.to_tokens(torch.from_numpy(volume)), torch.from_numpy(tokens))


@settings(deadline=None)
@given(shape=shapes, patch=sides)
def test_padding_is_cropped_again(shape, patch):
    grid, volume = PatchGrid(shape, patch, pad=True), volume_of(shape, 1) + 1
    tokens = grid.to_tokens(volume)
    assert (tokens == 0).sum() == grid.n_tokens * grid.patch_voxels - volume.size
    np.testing.assert_array_equal(grid.to_volume(tokens), volume)
    torch.testing.assert_close(grid.to_tokens(torch.from_numpy(volume)), torch.from_numpy(tokens))


def test_a_token_is_a_block_of_the_volume():
    grid, volume = PatchGrid((4, 6, 4), (2, 3, 2)), volume_of((4, 6, 4))
    tokens = grid.to_tokens(volume)
    assert grid.counts == (2, 2, 2)
    np.testing.assert_array_equal(tokens[0b101], volume[2:4, 0:3, 2:4].ravel())


@pytest.mark.parametrize(
    ("shape", "patch", "words"),
    [
        (
            (72, 91, 75),
            (6, 11, 6),
            r"patch_size \(6, 11, 6\) does not divide \(72, 91, 75\): axis 1 leaves 3 voxels; "
            r"divisors near 11 are 7 and 13",
        ),
        ((72, 91, 75), (6, 7, 4), r"axis 2 leaves 3 voxels; divisors near 4 are 3 and 5"),
        ((7, 7, 7), (2, 7, 7), r"axis 0 leaves 1 voxel; divisors near 2 are 1 and 7"),
    ],
)
def test_patches_that_do_not_divide_are_refused(shape, patch, words):
    with pytest.raises(ModelError, match=words):
        PatchGrid(shape, patch)


@pytest.mark.parametrize("patch", [(12, 13, 15), (6, 7, 5)])
def test_the_reports_patches_divide_the_published_grid(patch):
    grid = PatchGrid((72, 91, 75), patch)
    assert grid.n_tokens == {(12, 13, 15): 210, (6, 7, 5): 2340}[patch]


def test_a_volume_of_another_shape_is_refused():
    with pytest.raises(ModelError, match=r"\(4, 4, 4\) was expected, but \(4, 4, 5\) came"):
        PatchGrid((4, 4, 4), (2, 2, 2)).to_tokens(np.zeros((4, 4, 5), "f4"))


@st.composite
def masks(draw):
    shape = draw(shapes)
    seed, share = draw(st.integers(0, 999)), draw(st.floats(0.05, 1))
    mask = np.random.default_rng(seed).random(shape) < share
    mask.ravel()[draw(st.integers(0, mask.size - 1))] = True
    return mask


@settings(deadline=None)
@given(mask=masks(), patch=sides)
def test_vector_and_brain_tokens_are_inverses(mask, patch):
    index = TokenIndex.of(mask, PatchGrid(mask.shape, patch, pad=True))
    vector = torch.arange(1.0, index.n_voxels + 1).repeat(3, 1)
    tokens = index.to_tokens(vector)
    torch.testing.assert_close(index.to_vector(tokens), vector)
    assert index.present.any(1).all()
    assert (tokens != 0).sum() == 3 * index.n_voxels


@settings(deadline=None)
@given(mask=masks(), patch=sides)
def test_gathered_tokens_are_those_of_the_volume(mask, patch):
    grid = PatchGrid(mask.shape, patch, pad=True)
    volume = np.random.default_rng(0).standard_normal((2, *mask.shape)).astype("f4") * mask
    index = TokenIndex.of(mask, grid)
    plain = grid.to_tokens(volume)[:, index.tokens]
    np.testing.assert_array_equal(index.to_tokens(torch.from_numpy(volume[:, mask])), plain)
    everything = TokenIndex.of(mask, grid, brain_only=False)
    assert len(everything.tokens) == grid.n_tokens
    assert set(index.tokens) == set(np.flatnonzero(grid.to_tokens(mask).any(1)))


def test_kept_tokens_leave_the_others_voxels_at_zero():
    mask = np.ones((4, 4, 4), bool)
    index = TokenIndex.of(mask, PatchGrid(mask.shape, (2, 2, 2)), keep=np.array([1, 6]))
    assert index.tokens.tolist() == [1, 6]
    back = index.to_vector(index.to_tokens(torch.ones(64)))
    assert back.sum() == 16


def test_token_values_spread_over_their_voxels():
    mask = np.ones((4, 2, 2), bool)
    mask[0, 0, 0] = False
    index = TokenIndex.of(mask, PatchGrid(mask.shape, (2, 2, 2)))
    voxels = index.to_voxels(torch.tensor([[1.0, 5.0]]))
    assert voxels.shape == (1, 15)
    assert voxels[0, :7].eq(1).all()
    assert voxels[0, 7:].eq(5).all()


def test_absent_voxels_are_zero_whatever_stands_first():
    gather = torch.tensor([[2, ABSENT]])
    vector = torch.tensor([[7.0, 8.0, 9.0]])
    assert gather_tokens(vector, gather, torch.tensor([[1.0, 0.0]])).tolist() == [[[9.0, 0.0]]]


def test_an_empty_mask_is_refused():
    with pytest.raises(ModelError, match="mask is empty"):
        TokenIndex.of(np.zeros((2, 2, 2), bool), PatchGrid((2, 2, 2), (1, 1, 1)))
