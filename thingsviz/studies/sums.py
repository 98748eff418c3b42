"""Whether a candidate's settings and result are still what its worker recorded: a CRC-32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.trial import FrozenTrial

from thingsviz.core.errors import JobError
from thingsviz.core.sums import KEY, crc_of


def sum_of(params: Mapping[str, Any], value: float) -> dict[str, str]:
    """Return the checksum that a finished trial carries as an attribute."""
    return {KEY: crc_of([dict(params), value])}


def check_trial(trial: FrozenTrial) -> FrozenTrial:
    """Refuse a finished trial whose numbers have changed; one without a checksum passes."""
    expected = trial.user_attrs.get(KEY)
    if expected is None or trial.value is None:
        return trial
    if sum_of(trial.params, trial.value)[KEY] != expected:
        msg = (
            f"candidate {trial.number + 1} of the study's records is damaged (its checksum "
            "does not fit): restore study.sqlite3 from a backup, or begin a new study"
        )
        raise JobError(msg)
    return trial
