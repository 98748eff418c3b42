import numpy as np
import pytest

from models.base.arrays import ArrayTrials


@pytest.mark.parametrize("width", [1, 4, 99])
def test_blocks_put_together_are_the_batch(width):
    X = ArrayTrials(np.random.default_rng(0).standard_normal((9, 10)).astype("f2"))
    rows = np.array([7, 0, 3])
    whole = np.empty((3, 10), "f4")
    for part, block in X.blocks(rows, width):
        assert block.shape[1] <= width
        whole[:, part] = block
    np.testing.assert_array_equal(whole, X.batch(rows))
    assert whole.dtype == X.batch(rows).dtype == np.float32
    assert X.shape == (9, 10)
