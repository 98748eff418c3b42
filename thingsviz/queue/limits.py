"""What this machine gives to trainings: places, GPUs, a quota, memory and time."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from thingsviz.core.errors import ConfigError

Engine = Literal["local", "slurm"]
ENGINES = ("local", "slurm")
# A training uses all processors, so a second one beside it would only make both slow.
DEFAULT_SLOTS = 1


@dataclass(frozen=True)
class Limits:
    """How much may run at a time, and how much one job may take; None: no limit."""

    slots: int = DEFAULT_SLOTS
    gpus: tuple[str, ...] = ()
    quota: int | None = None
    memory_mb: int | None = None
    hours: float | None = None


def read_limits() -> Limits:
    """Return THINGSVIZ_SLOTS, _GPUS, _QUOTA, _JOB_MEMORY_MB and _JOB_HOURS as limits."""
    hours = os.environ.get("THINGSVIZ_JOB_HOURS")
    return Limits(
        _number("THINGSVIZ_SLOTS", "trainings that may run at a time", 1000) or DEFAULT_SLOTS,
        gpus(os.environ),
        _number("THINGSVIZ_QUOTA", "trainings that one user may run at a time", 1000),
        _number("THINGSVIZ_JOB_MEMORY_MB", "megabytes that a training may take", 10**9),
        None if not hours else _hours(hours),
    )


def engine() -> Engine:
    """Return THINGSVIZ_ENGINE: who runs trainings, this machine or a SLURM cluster."""
    name = os.environ.get("THINGSVIZ_ENGINE") or "local"
    if name not in ENGINES:
        msg = f"THINGSVIZ_ENGINE is {name!r}: give one of {', '.join(ENGINES)}"
        raise ConfigError(msg)
    return cast("Engine", name)


def gpus(environment: Mapping[str, str], devices: Path = Path("/dev")) -> tuple[str, ...]:
    """Return the names of the GPUs that trainings may use, one training each.

    THINGSVIZ_GPUS or CUDA_VISIBLE_DEVICES list them (empty: none); otherwise the driver's
    device files are counted, which costs nothing, while asking torch would cost a second.
    """
    for name in ("THINGSVIZ_GPUS", "CUDA_VISIBLE_DEVICES"):
        if name in environment:
            return tuple(g.strip() for g in environment[name].split(",") if g.strip() not in NONE)
    found = [p.name[6:] for p in devices.glob("nvidia*") if re.fullmatch(r"nvidia\d+", p.name)]
    return tuple(sorted(found, key=int))


NONE = {"", "-1", "none", "NoDevFiles"}


def _number(name: str, what: str, most: int) -> int | None:
    text = os.environ.get(name)
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,10}", text) or not 1 <= int(text) <= most:
        msg = f"{name} is {text!r}: give the number of {what}"
        raise ConfigError(msg)
    return int(text)


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = -1.0
    if not 0 < hours <= 24 * 366:
        msg = f"THINGSVIZ_JOB_HOURS is {text!r}: give the hours that a training may take, as 12"
        raise ConfigError(msg)
    return hours
