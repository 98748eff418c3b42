import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from tests.data import published
from thingsviz.core.errors import DataError
from thingsviz.data.things.ratings import TARGETS_10, mean_column
from thingsviz.data.trials.standardise import SessionScaler
from thingsviz.data.trials.torch_dataset import TrialDataset


@pytest.fixture
def trials(store):
    return TrialDataset(store)


def test_three_ways_to_one_trial(trials):
    row = trials.store.trials.query("session == 1 and run == 2 and trial == 3").index[0]
    by_number, by_run, by_session = trials[int(row)], trials[2, 3], trials[1, 2, 3]
    for other in (by_run, by_session):
        assert torch.equal(by_number[0], other[0])
        assert torch.equal(by_number[1], other[1])


def test_two_numbers_are_of_session_1(trials):
    assert not torch.equal(trials[2, 1, 1][0], trials[1, 1][0])
    np.testing.assert_array_equal(
        trials[1, 1][0], published.values_of(1, 1)[published.brain()][:, 0]
    )


def test_each_trial_has_its_own_volume(trials):
    """The original study gave all trials of a run one and the same volume."""
    volumes = {tuple(trials[i][0][:8].tolist()) for i in range(len(trials))}
    assert len(volumes) == len(trials) == published.N_TRIALS


def test_masked_and_dense_hold_the_same(store):
    masked, dense = TrialDataset(store), TrialDataset(store, dense=True)
    volume = dense[5][0]
    assert volume.shape == published.GRID
    assert volume.dtype == torch.float32
    assert torch.equal(volume[torch.from_numpy(store.mask)], masked[5][0])
    assert (volume[~torch.from_numpy(store.mask)] == 0).all()


def test_ratings_are_the_tables(store):
    trials = TrialDataset(store, targets=["lives", "heavy"])
    expected = store.trials[[mean_column("lives"), mean_column("heavy")]].iloc[4]
    np.testing.assert_allclose(trials[4][1], expected, rtol=1e-6)
    assert TrialDataset(store)[0][1].shape == (len(TARGETS_10),)


def test_catch_trials_have_no_ratings(trials):
    row = trials.store.trials.query("trial_type == 'catch'").index[0]
    assert trials[int(row)][1].isnan().all()


def test_a_scaler_is_applied(store):
    rows = np.arange(len(store.trials))
    trials = TrialDataset(store, SessionScaler.fit(store, rows))
    z = torch.stack([trials[i][0] for i in rows[:16]])
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-5)


def test_numbers_from_the_end_and_of_numpy(trials):
    assert torch.equal(trials[-1][0], trials[len(trials) - 1][0])
    assert torch.equal(trials[np.int64(3)][0], trials[3][0])
    assert torch.equal(trials[np.int32(1), np.uint8(2), np.int64(3)][0], trials[1, 2, 3][0])


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (48, "there is no trial 48: rows are 0 to 47"),
        (-49, "there is no trial -49: rows are 0 to 47"),
        ((3, 1), "session 1 has no run 3: its runs are 1 to 2"),
        ((1, 9), "ses-01 run-01 has no trial 9: trials are 1 to 8"),
        ((0, 1), "session 1 has no run 0"),
        ((4, 1, 1), "there is no session 4: sessions are 1 to 3"),
        ((1, 1, 0), "no trial 0: trials are 1 to 8"),
        ((1,), r"should be i, \(run, trial\) or \(session, run, trial\)"),
        ((1, 2, 3, 4), "should be i,"),
        ("1", "should be i,"),
        (1.0, "should be i,"),
        (True, "should be i,"),
        ((1, 2.0), "should be i,"),
        (slice(3), "should be i,"),
    ],
)
def test_wrong_keys_name_what_exists(trials, index, message):
    with pytest.raises(IndexError, match=message):
        trials[index]


def test_iteration_ends(trials):
    assert sum(1 for _ in trials) == published.N_TRIALS


def test_batches_equal_single_trials(trials):
    responses, ratings = next(iter(DataLoader(trials, batch_size=6)))
    for i in range(6):
        assert torch.equal(responses[i], trials[i][0])
        assert torch.equal(ratings[i], trials[i][1])


def test_samples_may_be_changed_without_changing_the_store(trials):
    before = trials[2][0].clone()
    trials[2][0].zero_()
    trials[2][1].zero_()
    assert torch.equal(trials[2][0], before)
    assert not (trials[2][1] == 0).any()


def test_unknown_targets_list_those_there_are(store):
    with pytest.raises(DataError, match="no ratings of size, nix: choose from manmade, precious"):
        TrialDataset(store, targets=["lives", "size", "nix"])
