import numpy as np
import pytest

from tests.data import published
from thingsviz.core.errors import DataError
from thingsviz.data.prepare.build import build_store
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.trials import standardise
from thingsviz.data.trials.splits import check_fitted_on, make_split
from thingsviz.data.trials.standardise import SessionScaler, StandardisedBetas

ROWS = np.arange(published.N_TRIALS)


def plain(store, train, rows):
    """The same z-scores in the plainest way, float64, session by session."""
    betas = np.asarray(store.betas, np.float64)
    sessions = store.trials["session"].to_numpy()
    out = []
    for row in rows:
        own = train[sessions[train] == sessions[row]]
        reference = betas[own if len(own) >= 2 else train]
        spread = reference.std(0)
        out.append((betas[row] - reference.mean(0)) / np.where(spread > 0, spread, np.inf))
    return np.array(out)


@pytest.fixture
def train(store):
    return make_split(store.trials, "test_images", (0.8, 0.2, 0), 1).train


def test_z_scores_are_those_of_the_plain_way(store, train, monkeypatch):
    monkeypatch.setattr(standardise, "ROWS_AT_ONCE", 5)
    matrix = StandardisedBetas(store, SessionScaler.fit(store, train))
    np.testing.assert_allclose(matrix.batch(ROWS), plain(store, train, ROWS), atol=2e-5)


def test_training_trials_have_mean_0_and_sd_1_in_each_session(store, train):
    z = StandardisedBetas(store, SessionScaler.fit(store, train)).batch(train)
    sessions = store.trials["session"].to_numpy()[train]
    for session in np.unique(sessions):
        np.testing.assert_allclose(z[sessions == session].mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(z[sessions == session].std(0), 1, atol=1e-4)


@pytest.mark.parametrize("width", [1, 7, 50, 999])
def test_blocks_are_parts_of_batches(store, train, width, rng):
    matrix = StandardisedBetas(store, SessionScaler.fit(store, train))
    rows = rng.permutation(ROWS)
    whole = matrix.batch(rows)
    seen = np.full_like(whole, np.nan)
    for voxels, block in matrix.blocks(rows, width):
        assert block.shape[1] <= width
        assert block.dtype == np.float32
        seen[:, voxels] = block
    np.testing.assert_array_equal(seen, whole)


def test_without_a_scaler_the_values_are_as_published(store):
    matrix = StandardisedBetas(store)
    assert matrix.shape == store.shape
    np.testing.assert_array_equal(matrix.batch(ROWS), published.expected_betas())


def test_a_session_without_training_trials_takes_the_pool(store):
    sessions = store.trials["session"].to_numpy()
    train = ROWS[sessions != 2]
    scaler = SessionScaler.fit(store, train)
    assert scaler.pooled == (2,)
    assert scaler.as_json()["pooled_sessions"] == [2]
    z = StandardisedBetas(store, scaler).batch(ROWS)
    np.testing.assert_allclose(z, plain(store, train, ROWS), atol=2e-5)


def test_a_voxel_that_never_varies_is_zero(little):
    for files in little.runs("sub-01"):
        values = published.values_of(files.session, files.run)
        values[tuple(np.argwhere(published.brain())[4])] = 123.456
        published.write_nifti(files.betas, values)
    build_store(little, "sub-01")
    store = BetaStore.open(little, "sub-01")
    z = StandardisedBetas(store, SessionScaler.fit(store, ROWS)).batch(ROWS)
    assert (z[:, 4] == 0).all()
    assert (z[:, 5].std() > 0.5).all()


def test_large_offsets_cost_no_precision(little):
    """Session means of 1,000 % on a spread of some %: sums about 0 would lose the spread."""
    for files in little.runs("sub-01"):
        values = published.values_of(files.session, files.run) * 4 + 1000
        published.write_nifti(files.betas, values)
    build_store(little, "sub-01")
    store = BetaStore.open(little, "sub-01")
    z = StandardisedBetas(store, SessionScaler.fit(store, ROWS)).batch(ROWS)
    np.testing.assert_allclose(z, plain(store, ROWS, ROWS), atol=2e-4)


def test_test_trials_do_not_touch_the_scaling(store, little):
    """Whatever the test trials hold, the statistics stay the same."""
    split = make_split(store.trials, "test_images", (0.8, 0.2, 0), 1)
    before = SessionScaler.fit(store, split.train)
    changed = np.array(store.betas)
    changed[np.concatenate([split.test, split.validation])] += 100
    store.betas = changed
    after = SessionScaler.fit(store, split.train)
    np.testing.assert_array_equal(before.mean, after.mean)
    np.testing.assert_array_equal(before.inverse_sd, after.inverse_sd)


def test_a_planted_leak_is_noticed(store):
    """A scaling that saw the test would tell: its rows are kept and compared with the split."""
    split = make_split(store.trials, "test_images", (0.8, 0.2, 0), 1)
    honest = SessionScaler.fit(store, split.train)
    leaky = SessionScaler.fit(store, np.concatenate([split.train, split.test]))
    check_fitted_on(split, honest.fitted_rows, "the z-scoring")
    assert not np.array_equal(honest.mean, leaky.mean)
    with pytest.raises(DataError, match=r"the z-scoring was fitted on 6 trials outside the train"):
        check_fitted_on(split, leaky.fitted_rows, "the z-scoring")


def test_too_few_training_trials(store):
    with pytest.raises(DataError, match="need at least 2 training trials, there are 1"):
        SessionScaler.fit(store, np.array([3]))


def test_an_unknown_session_is_refused(store, train):
    scaler = SessionScaler.fit(store, train)
    with pytest.raises(DataError, match="session 9 is unknown to this scaling"):
        scaler.apply(np.zeros((1, 50), np.float32), np.array([9]))


def test_no_rows_give_no_rows(store, train):
    matrix = StandardisedBetas(store, SessionScaler.fit(store, train))
    assert matrix.batch(np.array([], np.int64)).shape == (0, published.N_BRAIN_VOXELS)


def test_giving_memory_back_changes_nothing(store, train, monkeypatch):
    matrix = StandardisedBetas(store, SessionScaler.fit(store, train))
    whole = matrix.batch(ROWS)
    given_back = []
    release = store.release
    store.most_rows = 1
    monkeypatch.setattr(store, "release", lambda: given_back.append(release()))
    pieces = np.empty_like(whole)
    for part, block in matrix.blocks(ROWS, 3):
        pieces[:, part] = block
    np.testing.assert_array_equal(pieces, whole)
    np.testing.assert_array_equal(matrix.batch(ROWS), whole)
    assert given_back
