"""How a study waits for a database server that starts anew, instead of losing its candidate."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
)

PATIENCE_S = 120.0
PAUSE_S = 0.5
# What may be asked twice without harm. A new trial may not: planning and repairing look first.
ASKED_AGAIN = (
    *("get_study_id_from_name", "get_study_name_from_id", "get_study_directions"),
    *("get_study_user_attrs", "get_study_system_attrs", "get_all_studies"),
    *("get_trial", "get_all_trials", "_get_trials", "get_best_trial", "_get_best_trial_id"),
    *("get_trial_id_from_study_id_trial_number", "_get_stale_trial_ids"),
    # the cached storage calls the one with an underscore
    *("set_trial_param", "_set_trial_param", "set_trial_intermediate_value"),
    *("set_study_user_attr", "set_study_system_attr", "record_heartbeat"),
    *("set_trial_user_attr", "set_trial_system_attr", "set_trial_state_values"),
)


def is_away(error: Exception) -> bool:
    """Whether the server was not there, rather than the question wrong."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    # The last one: the connection went in the middle of a transaction.
    if isinstance(cause, OperationalError | InterfaceError | PendingRollbackError):
        return True
    return isinstance(cause, DBAPIError) and cause.connection_invalidated


def patiently(storage: PatientStorage, ask: Callable[..., Any]) -> Callable[..., Any]:
    """Ask again while the server is away, for two minutes, each time in a session of its own."""

    def asked(*args: Any, **more: Any) -> Any:  # noqa: ANN401
        end = time.monotonic() + PATIENCE_S
        failures = 0
        while True:
            try:
                return ask(*args, **more)
            except UpdateFinishedTrialError:
                if failures:  # it was written; only the answer was lost
                    return True
                raise
            except (StorageInternalError, DBAPIError, PendingRollbackError) as error:
                if not is_away(error) or time.monotonic() > end:
                    raise
                failures += 1
                with suppress(DBAPIError, PendingRollbackError):
                    storage.scoped_session.remove()
                time.sleep(PAUSE_S)

    return asked


class PatientStorage(RDBStorage):
    """Optuna's storage in a server's database, which may be restarted in the middle of a study."""

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401
        """Hand out the methods that may be asked again in their patient form."""
        found = super().__getattribute__(name)
        return patiently(self, found) if name in ASKED_AGAIN else found


def patient(storage: Any, ask: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Do what looks before it writes, again from its beginning while a server is away."""
    backend = getattr(storage, "_backend", storage)
    return patiently(backend, ask)() if isinstance(backend, PatientStorage) else ask()
