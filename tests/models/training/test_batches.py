import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base.arrays import ArrayTrials
from models.training.batches import batches_in_epoch, epoch_batches, read_ahead
from models.training.config import FitConfig

ROWS = np.arange(100, 137)


@settings(deadline=None)
@given(size=st.integers(1, 60), seed=st.integers(0, 99), epoch=st.integers(0, 50))
def test_a_whole_epoch_shows_each_trial_once(size, seed, epoch):
    config = FitConfig(batches_per_epoch=None, batch_size=size, seed=seed)
    batches = epoch_batches(config, ROWS, epoch)
    assert len(batches) == batches_in_epoch(config, len(ROWS))
    assert sorted(np.concatenate(batches)) == ROWS.tolist()
    assert {len(b) for b in batches[:-1]} <= {size}


@settings(deadline=None)
@given(size=st.integers(1, 60), n=st.integers(1, 30))
def test_a_set_number_of_batches_are_all_full(size, n):
    config = FitConfig(batches_per_epoch=n, batch_size=size)
    batches = epoch_batches(config, ROWS, 0)
    assert [len(b) for b in batches] == [size] * n
    _, counts = np.unique(np.concatenate(batches), return_counts=True)
    assert counts.max() <= -(-n * size // len(ROWS))


def test_order_depends_on_seed_and_epoch_alone():
    def order(seed, epoch):
        config = FitConfig(batches_per_epoch=None, seed=seed)
        return np.concatenate(epoch_batches(config, ROWS, epoch)).tolist()

    assert order(1, 2) == order(1, 2)
    assert len({tuple(order(s, e)) for s in range(3) for e in range(3)}) == 9


def test_reading_ahead_is_a_plain_loop():
    X = ArrayTrials(np.random.default_rng(0).standard_normal((200, 6)).astype("f4"))
    batches = [ROWS[i : i + 5] for i in range(0, len(ROWS), 5)]
    for (rows, block), plain in zip(read_ahead(X, batches), batches, strict=True):
        np.testing.assert_array_equal(rows, plain)
        np.testing.assert_array_equal(block, X.batch(plain))
    assert list(read_ahead(X, [])) == []


def test_a_read_error_arrives_and_the_thread_ends():
    class Broken(ArrayTrials):
        def batch(self, rows):
            if 120 in rows:
                raise OSError("disk gone")
            return super().batch(rows)

    X = Broken(np.zeros((200, 2), "f4"))
    with pytest.raises(OSError, match="disk gone"):
        list(read_ahead(X, [ROWS[:5], ROWS[18:23]]))
    assert not [t for t in threading.enumerate() if t.name.startswith("read-ahead")]


def test_leaving_early_ends_the_thread():
    reader = read_ahead(ArrayTrials(np.zeros((200, 2), "f4")), [ROWS[:5]] * 9)
    next(reader)
    reader.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("read-ahead")]
