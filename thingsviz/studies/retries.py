"""Which candidates are repeated after their process died: all that got on, the others once.

A killed candidate goes on from its last saved state. Kills from outside (a machine that goes down,
memory that others took) fall anywhere, and it gets further each time; one that ends its own
process does so at the same place again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.run_folder import RunStatus

# Deaths in a row that got no further than an earlier one, wherever they fell.
MOST_IDLE = 2
ERROR = "an error"
NOT_BEGUN = "before it began"


def place_of(job: JobFolder, since: float | None) -> dict[str, Any]:
    """Return where a candidate's process died, as attributes of its trial.

    `since` is when the process took it, seconds since 1970: an older status is a forerunner's.
    """
    # `status` would say of each dead process that it is dead
    status = job.written_status() or RunStatus()
    spoke = since is None or (status.started_at or 0.0) >= since
    place = f"{status.message}, step {status.step}" if spoke else NOT_BEGUN
    return {"place": place, "step": status.step}


def hopeful(deaths: list[FrozenTrial]) -> bool:
    """Whether the candidate of these failed trials, in their order, deserves another start.

    Not after two deaths in a row at the same place, nor after two that got no further. Deaths
    before its first word do not count: the candidate had no part in them.
    """
    furthest, idle, before = -1, 0, None
    for trial in deaths:
        place, step = trial.user_attrs.get("place", ERROR), int(trial.user_attrs.get("step", 0))
        if place == NOT_BEGUN:
            continue
        idle = 0 if step > furthest else idle + 1
        if idle and (place == before or idle >= MOST_IDLE):
            return False
        furthest, before = max(furthest, step), place
    return True


def to_repeat(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Return the failed trials, each its candidate's last, that are to be enqueued once more."""
    candidates: dict[int, list[FrozenTrial]] = {}
    for trial in trials:
        candidates.setdefault(int(trial.user_attrs["index"]), []).append(trial)
    found = []
    for attempts in candidates.values():
        attempts.sort(key=lambda trial: int(trial.user_attrs["attempt"]))
        last = attempts[-1]
        failed = last.state == TrialState.FAIL and last.user_attrs.get("again")
        if failed and hopeful(attempts):
            found.append(last)
    return found
