"""What a monitor can ask the server: whether it is well (/healthz) and its numbers (/metrics)."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import thingsviz
from thingsviz.core.errors import ThingsvizError
from thingsviz.data.things.layout import datasets_root
from thingsviz.jobs.job_folder import jobs_root

# less than this and a training's next checkpoint may not fit
FEWEST_BYTES = 500_000_000
Gauges = Iterator[GaugeMetricFamily]


def faults() -> list[str]:
    """Return what keeps the server from its work, a sentence each; [] when it is well.

    It looks at folders only and takes no lock, so that a monitor can ask every second.
    """
    jobs = jobs_root()
    found = []
    if not os.access(_existing(jobs), os.W_OK | os.X_OK):
        found.append("the folder of jobs cannot be written: no training can start")
    elif shutil.disk_usage(_existing(jobs)).free < FEWEST_BYTES:
        found.append("the disk of jobs is nearly full: trainings will wait for room")
    try:
        data = datasets_root()
    except ThingsvizError as error:
        return [*found, str(error)]
    if data.exists() and not os.access(data, os.R_OK | os.X_OK):
        found.append("the folder of datasets cannot be read: pages will be empty")
    return found


def _existing(path: Path) -> Path:
    """Return the nearest folder that is there; the folder of jobs is made by the first job."""
    return next(p for p in (path, *path.parents) if p.exists())


async def healthz(request: Request) -> JSONResponse:
    """Answer 200, or 503 with the reasons; it names no path, because anybody may ask."""
    found = faults()
    state = "unwell" if found else "well"
    body = {"state": state, "version": thingsviz.__version__, "faults": found}
    return JSONResponse(body, 503 if found else 200, {"cache-control": "no-store"})


class ServerCollector:
    """Numbers of this server that prometheus_client does not know by itself."""

    def collect(self) -> Gauges:
        """Yield them, as they are now."""
        yield _gauge("sessions", "Browser tabs connected now.", n_sessions())
        yield _gauge("threads", "Threads of the app's process.", threading.active_count())
        yield _gauge("children", "Processes that the app has started itself.", n_children())
        free = shutil.disk_usage(_existing(jobs_root())).free
        yield _gauge("jobs_free_bytes", "Free bytes on the disk of jobs.", free)
        info = GaugeMetricFamily("thingsviz_build", "Always 1.", labels=["version"])
        info.add_metric([thingsviz.__version__], 1)
        yield info


def _gauge(name: str, help_: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"thingsviz_{name}", help_, value=value)


def n_sessions() -> int:
    """Count the visitors' sessions of this process; 0 where no server runs."""
    from streamlit.runtime import Runtime, exists

    if not exists():
        return 0
    manager: Any = getattr(Runtime.instance(), "_session_mgr", None)
    return 0 if manager is None else int(manager.num_active_sessions())


def n_children() -> int:
    """Count the processes below this one: 3-D workers come and go with their scenes."""
    import psutil

    return len(psutil.Process().children(recursive=True))


def registry() -> CollectorRegistry:
    """Return what /metrics shows: the process, the interpreter, and ours."""
    made = CollectorRegistry()
    ProcessCollector(registry=made)
    PlatformCollector(registry=made)
    made.register(ServerCollector())
    return made


REGISTRY = registry()


def metrics(request: Request) -> Response:
    """Answer in Prometheus' text format; the doors let only this machine ask."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


ROUTES = [Route("/healthz", healthz), Route("/metrics", metrics)]
