"""What an administrator wants to know of a server, and the same as one file without secrets."""

from __future__ import annotations

import io
import json
import os
import platform
import re
import shutil
import time
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, NamedTuple

import psutil

import thingsviz
from thingsviz.core.errors import ThingsvizError
from thingsviz.core.locks import is_locked
from thingsviz.data.things.layout import datasets_root
from thingsviz.jobs.index import JobEntry
from thingsviz.jobs.job_folder import jobs_root
from thingsviz.queue.database import DATABASE, Queue, Row, queue_folder
from thingsviz.queue.limits import engine, read_limits

OURS = ("THINGSVIZ_", "STREAMLIT_", "OMP_", "MKL_", "CUDA_", "SLURM_")
# a value whose name says so is never shown, wherever it stands
SECRET = re.compile(r"secret|password|passwd|token|credential|api_?key|private", re.I)
# user:password@ in an address such as postgresql://…
IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]*@")
IN_LINE = re.compile(r"(?i)((?:secret|password|passwd|token|api_?key)\w*[\"']?\s*[=:]\s*)\S+")
MOST_JOBS = 20
LOG_LINES = 60


class Disk(NamedTuple):
    """A folder's disk, in bytes."""

    what: str
    path: str
    free: int
    total: int


class MachineState(NamedTuple):
    """The machine now: memory in bytes, load over one minute."""

    cores: int
    load: float
    memory_free: int
    memory_total: int
    process_memory: int


def machine() -> MachineState:
    """Measure this machine."""
    memory, own = psutil.virtual_memory(), psutil.Process()
    family = [own, *own.children(recursive=True)]
    used = sum(_memory(process) for process in family)
    cores = len(os.sched_getaffinity(0))
    return MachineState(cores, os.getloadavg()[0], memory.available, memory.total, used)


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def disks() -> list[Disk]:
    """Measure the disks of data and jobs."""
    found = []
    for what, folder in (("Jobs", jobs_root()), ("Datasets", datasets_root())):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        usage = shutil.disk_usage(there)
        found.append(Disk(what, str(folder), usage.free, usage.total))
    return found


def versions() -> dict[str, str]:
    """Return the version of everything installed, thingsviz and Python first."""
    found = {d.metadata["Name"]: d.version for d in distributions() if d.metadata["Name"]}
    own = {"thingsviz": thingsviz.__version__, "Python": platform.python_version()}
    return {**own, **dict(sorted(found.items(), key=lambda item: item[0].casefold()))}


def settings(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the settings in the environment that concern the server, without secrets."""
    env = os.environ if environment is None else environment
    return {
        name: "(hidden)" if SECRET.search(name) else without_secrets(env[name])
        for name in sorted(env)
        if name.startswith(OURS)
    }


def without_secrets(text: str) -> str:
    """Hide what stands where a password stands."""
    return IN_LINE.sub(r"\1(hidden)", IN_ADDRESS.sub("(hidden)@", text))


def queue_rows() -> list[Row]:
    """Return what waits and runs; [] before the first job."""
    if not (queue_folder() / DATABASE).is_file():
        return []
    queue = Queue(queue_folder())
    try:
        return queue.rows()
    finally:
        queue.close()


def engine_state() -> dict[str, Any]:
    """Return what starts the jobs, under which limits, and whether its supervisor lives."""
    try:
        limits: Any = vars(read_limits())
        name: str = engine()
    except ThingsvizError as error:
        return {"engine": "none", "fault": str(error)}
    return {"engine": name, "limits": limits, "supervisor": is_locked(queue_folder() / "lock")}


def failing(entries: Iterable[JobEntry]) -> list[JobEntry]:
    """Return the jobs that failed last."""
    return [entry for entry in entries if entry.status.state == "failed"][:MOST_JOBS]


def bundle(entries: Sequence[JobEntry]) -> bytes:
    """Return a zip for whoever is asked for help: facts and log tails, no data, no secrets."""
    facts = {
        "written": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "machine": {"platform": platform.platform(), **machine()._asdict()},
        "disks": [disk._asdict() for disk in disks()],
        "settings": settings(),
        "engine": engine_state(),
        "queue": [row._asdict() for row in queue_rows()],
        "failing": {entry.name: entry.status.message or entry.fault for entry in failing(entries)},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        text = json.dumps(_cleaned(facts), indent=1, ensure_ascii=False, default=str)
        file.writestr("server.json", text)
        file.writestr("versions.txt", "".join(f"{n}=={v}\n" for n, v in versions().items()))
        for entry in failing(entries):
            log = _log_tail(jobs_root() / entry.name / "log.txt")
            file.writestr(f"logs/{entry.name}.txt", without_secrets(log))
    return out.getvalue()


def _cleaned(value: Any) -> Any:  # noqa: ANN401
    """Hide passwords in all texts of a tree of facts."""
    if isinstance(value, dict):
        return {key: _cleaned(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(one) for one in value]
    return without_secrets(value) if isinstance(value, str) else value


def _log_tail(path: Path) -> str:
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-LOG_LINES:])
