"""Whose a job is that a visitor starts, and which jobs they may change."""

from __future__ import annotations

from thingsviz.core.errors import JobError, ThingsvizError
from thingsviz.core.users import os_user
from thingsviz.jobs.about import owner_of, read_about, write_about
from thingsviz.jobs.run_folder import RunFolder
from thingsviz.ui.access import middleware
from thingsviz.ui.access.visitor import need, visitor


def current_user() -> str:
    """Return the name under which the visitor's jobs go: on one's own machine the login's."""
    name = visitor().name
    return os_user() if name in {"", middleware.LOCAL} else name


def claim(job: RunFolder) -> None:
    """Make a new job the visitor's own."""
    if not read_about(job).owner:
        write_about(job, owner=current_user())


def may_change(owner: str) -> bool:
    """Whether the visitor may stop, start, rename or delete a job of somebody's."""
    known = visitor()
    return known.may_change(owner) or (known.may("train") and owner == current_user())


def whose(job: RunFolder) -> str:
    """Return '' where the visitor may change a job, else the sentence that says whom to ask."""
    try:
        check_may_change(job)
    except ThingsvizError as error:
        return str(error)
    return ""


def check_may_change(job: RunFolder) -> None:
    """Refuse in one sentence what the visitor may not do; every action asks again."""
    need("train")
    if not may_change(owner_of(job)):
        msg = f"{job.name} belongs to {owner_of(job)}: ask them, or an administrator"
        raise JobError(msg)
