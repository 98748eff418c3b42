"""What this machine gives to trainings: places, GPUs, a quota, memory and time."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from thingsviz.core.settings import Engine, EngineSettings, QueueSettings, listed


@dataclass(frozen=True)
class Limits:
    """How much may run at a time, and how much one job may take; None: no limit."""

    slots: int = 1
    gpus: tuple[str, ...] = ()
    quota: int | None = None
    memory_mb: int | None = None
    hours: float | None = None


def read_limits() -> Limits:
    """Return THINGSVIZ_SLOTS, _GPUS, _QUOTA, _JOB_MEMORY_MB and _JOB_HOURS as limits."""
    told = QueueSettings.read()
    return Limits(told.slots, gpus(os.environ), told.quota, told.job_memory_mb, told.job_hours)


def engine() -> Engine:
    """Return THINGSVIZ_ENGINE: who runs trainings, this machine or a SLURM cluster."""
    return EngineSettings.read().engine


def gpus(environment: Mapping[str, str], devices: Path = Path("/dev")) -> tuple[str, ...]:
    """Return the names of the GPUs that trainings may use, one training each.

    THINGSVIZ_GPUS or CUDA_VISIBLE_DEVICES list them (empty: none); otherwise the driver's
    device files are counted, which costs nothing, while asking torch would cost a second.
    """
    told = QueueSettings.read(environment).gpus
    if told is not None:
        return told
    if "CUDA_VISIBLE_DEVICES" in environment:
        return listed(environment["CUDA_VISIBLE_DEVICES"])
    found = [p.name[6:] for p in devices.glob("nvidia*") if re.fullmatch(r"nvidia\d+", p.name)]
    return tuple(sorted(found, key=int))
