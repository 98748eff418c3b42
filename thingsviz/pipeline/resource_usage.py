"""What a job's fit took, as its manifest records it: seconds, parameters, peak memory."""

from __future__ import annotations

import re
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open
from typing_extensions import TypedDict

from thingsviz.core.json_files import OPEN, Count, Data, JsonFile, Number
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.manifest import add_to_manifest
from thingsviz.jobs.weights import best_file


class Costs(TypedDict, total=False):
    """What of manifest.json is read here."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    fit_seconds: Number
    n_parameters: Count
    peak_bytes: Count


COSTS: JsonFile[Data] = JsonFile("manifest", Costs)
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # Linux counts in KiB


class ResourceUsage(NamedTuple):
    """What a fit took; None where a job of an earlier version did not say."""

    seconds: float | None
    n_parameters: int | None
    peak_bytes: int | None


@contextmanager
def metered(job: JobFolder) -> Iterator[None]:
    """Add the seconds inside to those of earlier starts; keep the process's largest memory.

    Written also when the fit is interrupted; what a killed process took is lost.
    """
    COSTS.read(job.file("manifest.json"))
    started = time.monotonic()
    try:
        yield
    finally:
        known = job.manifest()
        seconds = float(known.get("fit_seconds", 0.0)) + time.monotonic() - started
        peak = max(int(known.get("peak_bytes", 0)), peak_bytes())
        facts: dict[str, Any] = {"fit_seconds": round(seconds, 3), "peak_bytes": peak}
        n = count_parameters(job)
        add_to_manifest(job, **facts, **({"n_parameters": n} if n is not None else {}))


def peak_bytes() -> int:
    """Return the most memory that this process ever held, in bytes.

    Linux keeps a process's own peak as VmHWM; what `getrusage` says there can be that of the
    program that started it, which a new program inherits.
    """
    with suppress(OSError):
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
        if found:
            return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT


def count_parameters(job: JobFolder) -> int | None:
    """Count the floating-point numbers that were fitted; None before a fit has ended.

    Read from the header of the best weights; whole numbers (places of tokens and voxels) and
    what only describes the data (scales) are a few thousand at most, and counted where floats.
    """
    try:
        with safe_open(best_file(job), "np") as file:
            return sum(_numbers(file.get_slice(name)) for name in file.keys())  # noqa: SIM118
    except (OSError, SafetensorError):
        return None


def _numbers(piece: Any) -> int:  # noqa: ANN401
    if not piece.get_dtype().startswith(("F", "BF")):
        return 0
    n = 1
    for side in piece.get_shape():
        n *= side
    return n


def spent(job: JobFolder) -> ResourceUsage:
    """Return what a job took; seconds of older jobs are read off the times of their metrics."""
    known = COSTS.read(job.file("manifest.json")) or {}
    seconds, peak = known.get("fit_seconds"), known.get("peak_bytes")
    return ResourceUsage(
        seconds=_by_metrics(job) if seconds is None else float(seconds),
        n_parameters=known.get("n_parameters") or count_parameters(job),
        peak_bytes=None if peak is None else int(peak),
    )


def _by_metrics(job: JobFolder) -> float | None:
    times = [row["time"] for row in job.metrics()[0] if "time" in row]
    return round(times[-1] - times[0], 3) if len(times) > 1 else None
