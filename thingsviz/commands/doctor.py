"""Command: look at this machine, a line a topic: ok, attention or fault, and what to do.

Exit code 1 says that the app could not run; what needs attention only takes something away.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal, NamedTuple

import psutil
from packaging.requirements import Requirement

import thingsviz
from thingsviz.commands.cli import run_command
from thingsviz.core.command_hint import command_hint
from thingsviz.core.errors import ThingsvizError
from thingsviz.core.settings import Settings
from thingsviz.data.store.state import store_state
from thingsviz.data.things.layout import datasets_root, find_datasets
from thingsviz.jobs.index import JobIndex
from thingsviz.jobs.job_folder import jobs_root
from thingsviz.queue import diagnostics, sbatch
from thingsviz.ui.access.policy import read_policy
from thingsviz.ui.app_files import app_folder

State = Literal["ok", "attention", "fault"]
GB = 1e9
FEWEST_GB = 5.0
# a window that needs no screen; where OpenGL is missing, VTK ends the process that asks
DRAWS = """
import os; os.environ["VTK_DEFAULT_OPENGL_WINDOW"] = "vtkEGLRenderWindow"
import vtkmodules.vtkRenderingOpenGL2
from vtkmodules.vtkRenderingCore import vtkRenderWindow
window = vtkRenderWindow(); window.SetOffScreenRendering(1); window.Render()
lines = window.ReportCapabilities().splitlines()
print(next(line.split(":", 1)[1].strip() for line in lines if "renderer string" in line))
"""


class Finding(NamedTuple):
    """What was found about a topic, and what to do about it."""

    topic: str
    state: State
    text: str
    advice: str = ""


def run(options: argparse.Namespace) -> int:
    """Look at everything and print it."""
    findings = [look_safely(topic, look) for topic, look in CHECKS.items()]
    if options.json:
        print(json.dumps([finding._asdict() for finding in findings], indent=1))
    else:
        print("\n".join(line_of(finding) for finding in findings))
    return 1 if any(finding.state == "fault" for finding in findings) else 0


def line_of(finding: Finding) -> str:
    """Write a finding on one line."""
    advice = f"  → {finding.advice}" if finding.advice else ""
    return f"{finding.state:<9}  {finding.topic:<9}  {finding.text}{advice}"


def look_safely(topic: str, look: Callable[[], Finding]) -> Finding:
    """Look at a topic; what a user can mend is a fault of it, not the end of all."""
    try:
        return look()
    except (ThingsvizError, OSError) as error:
        return Finding(topic, "fault", str(error), "mend this first")


def software() -> Finding:
    """Python, and the packages that are missing or outside the tested ranges."""
    text = f"thingsviz {thingsviz.__version__}, Python {platform.python_version()}, {_system()}"
    missing, other = [], []
    for need in requirements():
        try:
            found = version(need.name)
        except PackageNotFoundError:
            missing.append(need.name)
        else:
            if not need.specifier.contains(found, prereleases=True):
                other.append(f"{need.name} {found} (tested: {need.specifier})")
    if missing:
        words = f"pip install {' '.join(missing)}"
        return Finding("software", "fault", f"{text}; missing: {', '.join(missing)}", words)
    if other:
        return Finding("software", "attention", f"{text}; {', '.join(other)}", "pip install -U")
    return Finding("software", "ok", text)


def requirements() -> Iterator[Requirement]:
    """Yield what the installed package needs; in a clone that is not installed, the pinned."""
    try:
        lines = requires("thingsviz") or []
    except PackageNotFoundError:
        lines = (app_folder() / "requirements.txt").read_text("utf-8").splitlines()
    yield from (Requirement(line) for line in lines if line and not line.startswith("#"))


def _system() -> str:
    return f"{platform.system()} {platform.release()}"


def app_in_place() -> Finding:
    """The app's own files."""
    folder = app_folder()
    lost = [name for name in ("app.py", "pages/home.py") if not (folder / name).is_file()]
    if lost:
        words = f"{folder} lacks {', '.join(lost)}"
        return Finding("app", "fault", words, "install thingsviz again")
    return Finding("app", "ok", f"{folder / 'app.py'}; start it with {command_hint('app')}")


def gpu() -> Finding:
    """Whether torch computes on a GPU."""
    import torch

    if torch.cuda.is_available():
        names = Counter(
            torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())
        ).items()
        shown = ", ".join(f"{count} × {name}" for name, count in names)
        return Finding("gpu", "ok", f"torch {torch.__version__} with {shown}")
    text = f"torch {torch.__version__} on the CPU"
    if any(Path("/dev").glob("nvidia[0-9]*")):
        words = "install the CUDA build of torch that fits the driver"
        return Finding("gpu", "attention", f"{text}, though the driver shows a GPU", words)
    return Finding("gpu", "ok", f"{text}: enough for linear decoders and small networks")


def drawing() -> Finding:
    """Whether this machine can draw in 3D, tried in a process of its own."""
    command = [sys.executable, "-c", DRAWS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return Finding("3D", "attention", "OpenGL did not answer in a minute", "see its driver")
    if done.returncode == 0:
        return Finding("3D", "ok", f"OpenGL draws with {done.stdout.strip()}")
    words = "apt-get install libegl1 libgl1-mesa-dri"
    return Finding("3D", "attention", "no OpenGL: rendered volumes and PNGs are off", words)


def machine() -> Finding:
    """Processors and memory."""
    now = diagnostics.machine()
    text = f"{now.cores} processors, {now.memory_free / GB:.0f} of {now.memory_total / GB:.0f} GB"
    if now.memory_free < 2 * GB:
        return Finding("memory", "attention", f"{text} free", "close something before a training")
    return Finding("memory", "ok", f"{text} of memory free, load {psutil.getloadavg()[0]:.1f}")


def data() -> Finding:
    """The datasets and the state of their subjects."""
    root, datasets = datasets_root(), find_datasets()
    states = {d.name: {s: store_state(d, s).state for s in d.subjects()} for d in datasets}
    if not states:
        words = f"make demo data: {command_hint('simulate', root / 'demo')}"
        return Finding("data", "attention", f"no dataset in {root.absolute()}", words)
    shown = "; ".join(
        f"{name}: {', '.join(f'{s} {state}' for s, state in subjects.items()) or 'no subject'}"
        for name, subjects in states.items()
    )
    raw = [(d, s) for d in datasets for s, state in states[d.name].items() if state != "ready"]
    if raw:
        (dataset, subject), *_ = raw
        words = command_hint("prepare", dataset.root, "--subject", subject)
        return Finding("data", "attention", shown, words)
    return Finding("data", "ok", shown)


def jobs() -> Finding:
    """The folder of jobs and what is in it."""
    root = jobs_root()
    there = next(path for path in (root, *root.parents) if path.exists())
    try:
        probe = there / f".doctor-{id(root)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        words = "set THINGSVIZ_JOBS to a folder of yours"
        return Finding("jobs", "fault", f"{there} cannot be written ({error.strerror})", words)
    counts = Counter(entry.status.state for entry in JobIndex(root).refresh())
    shown = ", ".join(f"{n} {state}" for state, n in sorted(counts.items())) or "none yet"
    return Finding("jobs", "ok", f"{root}: {shown}")


def engine() -> Finding:
    """Who starts the trainings."""
    state = diagnostics.engine_state()
    if "fault" in state:
        return Finding("engine", "fault", state["fault"], "mend the setting")
    if state["engine"] == "slurm":
        sbatch.site_options()
        if shutil.which("sbatch") is None or sbatch.listed() is None:
            words = "start the app where sbatch and squeue work"
            return Finding("engine", "fault", "SLURM does not answer", words)
        return Finding("engine", "ok", "SLURM answers")
    rows = diagnostics.queue_rows()
    running = sum(row.state == "running" for row in rows)
    awake = "awake" if state["supervisor"] else "asleep until a job is started"
    slots = state["limits"]["slots"]
    counts = f"{running} running, {len(rows) - running} waiting"
    return Finding("engine", "ok", f"local supervisor {awake}; {counts}, {slots} at a time")


def disk() -> Finding:
    """Free space for jobs and data."""
    disks = diagnostics.disks()
    text = ", ".join(f"{one.what.lower()} {one.free / GB:.0f} GB free" for one in disks)
    if min(one.free for one in disks) < FEWEST_GB * GB:
        return Finding("disk", "attention", text, "free some: a subject takes about 5 GB")
    return Finding("disk", "ok", text)


def access() -> Finding:
    """Who may open the app; all other settings are read as well."""
    policy = read_policy()
    Settings.read()
    text = f"THINGSVIZ_ACCESS is {policy.mode}"
    if policy.mode == "open":
        words = "set header or oidc where others reach this machine"
        return Finding("access", "attention", f"{text}: everybody may {policy.open_role}", words)
    only = ": people on this machine only" if policy.mode == "local" else ""
    return Finding("access", "ok", f"{text}{only}")


CHECKS: dict[str, Callable[[], Finding]] = {
    "software": software,
    "app": app_in_place,
    "gpu": gpu,
    "3D": drawing,
    "memory": machine,
    "data": data,
    "jobs": jobs,
    "engine": engine,
    "disk": disk,
    "access": access,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", action="store_true", help="as JSON, for a script")


main = partial(run_command, "doctor")

if __name__ == "__main__":
    sys.exit(main())
