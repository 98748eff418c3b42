"""How SLURM is spoken to: sbatch, squeue and scancel, and what a site wants of every job.

Plain commands instead of submitit: the job is one command in its own folder already, and submitit
would pickle a function beside it, ask sacct for states (UNKNOWN without accounting), and put its
own requeueing around a training that goes on from its checkpoint by itself.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import NamedTuple

from models.catalog.registry import spec_of
from thingsviz.core.errors import ConfigError, JobError
from thingsviz.core.settings import EngineSettings
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.queue.submit import python_path
from thingsviz.queue.ticket import PASSED_ON, Ticket

# With these a network is trained by several processes; one fits all else.
TASKS = ("nodes", "ntasks", "ntasks-per-node", "gpus-per-node")
OPTIONS = (
    *("partition", "account", "qos", "time", "gres", "gpus", "mem", "mem-per-cpu", "nice"),
    *("cpus-per-task", "constraint", "nodelist", "exclude", "reservation", "exclusive"),
    *TASKS,
)
# All names come through the environment: nothing is pasted into a shell's words.
COMMAND = '"$THINGSVIZ_PYTHON" -m thingsviz.commands.train "$THINGSVIZ_JOB"'
SCRIPT = f"#!/bin/sh\nexec {COMMAND}\n"
# srun does not take over the processors of a task by itself since SLURM 22.05.
SHARED_SCRIPT = f"""#!/bin/sh
export SRUN_CPUS_PER_TASK="${{SLURM_CPUS_PER_TASK:-1}}"
exec srun --kill-on-bad-exit=1 {COMMAND}
"""
KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "SLURM_CONF", "LD_LIBRARY_PATH")
# A training that runs out of time gets this long to write its state.
WARNING_S = 60
ASK_S = 30.0


class SlurmJob(NamedTuple):
    """A job as squeue lists it, such as (17, PENDING, Resources)."""

    id: str
    state: str
    reason: str
    name: str


def site_options(text: str | None = None) -> list[str]:
    """Return sbatch's options from THINGSVIZ_SLURM: `partition=gpu time=12:00:00 gpus=1`.

    It may also be the path of a file with such settings, one a line, # before comments.
    """
    text = EngineSettings.read().slurm if text is None else text
    if text.startswith(("/", "~")):
        text = _settings_file(Path(text))
    found = []
    for word in text.split():
        name, equals, value = word.partition("=")
        if name not in OPTIONS or (equals and not re.fullmatch(r"[\w.,:/@+\[\]*&|-]+", value)):
            msg = f"THINGSVIZ_SLURM has {word!r}: give name=value with one of {', '.join(OPTIONS)}"
            raise ConfigError(msg)
        found.append(f"--{name}={value}" if equals else f"--{name}")
    return found


def _settings_file(path: Path) -> str:
    try:
        lines = path.expanduser().read_text().splitlines()
    except (OSError, ValueError, RuntimeError) as error:
        msg = (
            f"THINGSVIZ_SLURM names {path}, which cannot be read ({error}): give name=value pairs"
        )
        raise ConfigError(msg) from None
    return " ".join(re.sub(r"\s*=\s*", "=", line.partition("#")[0].strip()) for line in lines)


def cluster_name(job: JobFolder) -> str:
    """Return what the job is called in SLURM: the same at each look, another for another root."""
    return f"thingsviz-{zlib.crc32(str(job.path.parent).encode()):08x}-{job.name}"


def submit(job: JobFolder, ticket: Ticket) -> str:
    """Hand a job to SLURM; returns its number there, or raises SLURM's own words."""
    log = str(job.file("log.txt")).replace("%", "%%")
    command = ["sbatch", "--parsable", "--requeue", "--open-mode=append", f"--output={log}"]
    command += [f"--job-name={cluster_name(job)}", f"--chdir={job.path}", "--export=ALL"]
    options, shared = _for_job(job, site_options())
    if any(option.startswith("--time=") for option in options):
        # to the shell, which is the training, or to the tasks that srun has started
        command.append(f"--signal={'' if shared else 'B:'}TERM@{WARNING_S}")
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= {k: v for k, v in ticket.environment.items() if k in PASSED_ON}
    environment |= {
        "PYTHONPATH": python_path(),
        "PYTHONUNBUFFERED": "1",
        "THINGSVIZ_PYTHON": sys.executable,
        "THINGSVIZ_JOB": str(job.path),
        "THINGSVIZ_JOBS": str(job.path.parent),
    }
    found = _call([*command, *options], environment, SHARED_SCRIPT if shared else SCRIPT)
    if found is None or found.returncode:
        words = "sbatch is not here" if found is None else found.stderr.strip().splitlines()
        last = words if isinstance(words, str) else (words or ["it gave no reason"])[-1]
        raise JobError(f"SLURM refused it: {last.removeprefix('sbatch: ')}")
    return found.stdout.strip().partition(";")[0]


def _for_job(job: JobFolder, options: list[str]) -> tuple[list[str], bool]:
    """Return the options that a job needs, and whether several processes share it."""
    tasks = [option for option in options if option[2:].partition("=")[0] in TASKS]
    if spec_of(job.config().model).kind == "network":
        return options, bool(tasks)
    return [option for option in options if option not in tasks], False


def listed() -> list[SlurmJob] | None:
    """Return our jobs that SLURM knows, None when it does not answer."""
    found = _call(["squeue", "--noheader", "--me", "--all", "--format=%i|%T|%r|%j"])
    if found is None or found.returncode:
        return None
    rows = [line.split("|", 3) for line in found.stdout.splitlines()]
    return [SlurmJob(*row) for row in rows if len(row) == 4]


def cancel(cluster_id: str) -> None:
    """Take a job out of SLURM."""
    if cluster_id.isdigit():
        _call(["scancel", cluster_id])


def _call(
    command: list[str], environment: dict[str, str] | None = None, text: str = ""
) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(
            command,
            env=environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=ASK_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
