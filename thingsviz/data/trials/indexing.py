"""The three ways to name a trial: its row, (run, trial) of session 1, (session, run, trial)."""

from __future__ import annotations

import numpy as np

from thingsviz.core.trial_key import TrialKey
from thingsviz.data.store.beta_store import BetaStore

Index = int | tuple[int, int] | tuple[int, int, int]


def row_of(store: BetaStore, index: Index) -> int:
    """Translate any of the three into a row of the store; an IndexError names what there is."""
    if isinstance(index, tuple):
        if len(index) not in {2, 3} or not all(map(_whole, index)):
            msg = f"index {index!r} should be i, (run, trial) or (session, run, trial)"
            raise IndexError(msg)
        session, run, trial = index if len(index) == 3 else (1, *index)
        return store.row(TrialKey(int(session), int(run), int(trial)))
    if not _whole(index):
        msg = f"index {index!r} should be i, (run, trial) or (session, run, trial)"
        raise IndexError(msg)
    n_trials = store.shape[0]
    if not -n_trials <= index < n_trials:
        msg = f"there is no trial {index}: rows are 0 to {n_trials - 1}"
        raise IndexError(msg)
    return int(index) % n_trials


def _whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
