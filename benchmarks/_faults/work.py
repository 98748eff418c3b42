"""What all rows of benchmarks.faults share: a scratch workplace, forked work, kills, the table."""

from __future__ import annotations

import os
import platform
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import psutil

VIT = {
    "name": "vit3d",
    "patch_size": [6, 7, 5],
    "tokens": "brain",
    "patch_embedding": "local",
    "embed_dim": 16,
    "n_layers": 1,
    "n_heads": 2,
    "pooling": "sum",
    "start": "mean",
}
FIT = {"epochs": 12, "batches_per_epoch": 5, "batch_size": 16, "precision": "float32"}


@dataclass
class Row:
    """What became of one kind of process; all but the first two must be 0."""

    what: str
    kills: int = 0
    unreadable: int = 0
    lost: int = 0
    doubled: int = 0
    different: int = 0
    unseen: int = 0
    seconds: float = 0.0

    @property
    def faults(self) -> int:
        """All that must not be."""
        return self.unreadable + self.lost + self.doubled + self.different + self.unseen


def table(rows: list[Row]) -> str:
    """Write the rows as a table for the README."""
    names = [field.name for field in fields(Row)]
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    lines += [f"| {' | '.join(str(getattr(row, name)) for name in names)} |" for row in rows]
    cores, when = len(os.sched_getaffinity(0)), time.strftime("%Y-%m-%d")
    return "\n".join([*lines, "", f"{platform.machine()}, {cores} cores, {when}"])


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder with the planted dataset `tiny`, not yet prepared, and no jobs."""
    from thingsviz.commands import prepare, simulate

    root = Path(tempfile.mkdtemp(prefix="thingsviz-faults-"))
    os.environ["THINGSVIZ_DATA"] = str(root / "data")
    os.environ.pop("THINGSVIZ_DERIVATIVES", None)
    os.environ.pop("THINGSVIZ_ENGINE", None)
    try:
        with quiet():
            assert (
                simulate.main([str(root / "data" / "tiny"), "--preset", "tiny", "--seed", "7"])
                == 0
            )
            assert prepare.main([str(root / "data" / "tiny")]) == 0
        yield root
    finally:
        for process in processes(root):
            with suppress(psutil.Error):
                process.kill()
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def quiet() -> Iterator[None]:
    """Send what commands print to nowhere."""
    saved = os.dup(1), os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for handle, number in zip(saved, (1, 2), strict=True):
                os.dup2(handle, number)
                os.close(handle)


def import_all() -> None:
    """Import what the forked processes need, once."""
    import lightning_fabric  # noqa: F401
    import torch

    torch.set_num_threads(1)


def fork(work: Callable[[], object]) -> int:
    """Do some work in a process and session of its own; returns its id."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    with suppress(BaseException), quiet():
        os.setsid()
        work()
        code = 0
    os._exit(code)


def killed_at_random(work: Callable[[], object], moment: float) -> bool:
    """Kill the work after `moment` seconds; False when it came to its end before."""
    pid = fork(work)
    end = time.monotonic() + moment
    while time.monotonic() < end:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return False
        time.sleep(0.002)
    os.killpg(pid, signal.SIGKILL) if os.getpgid(pid) == pid else os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return True


def processes(root: Path) -> list[psutil.Process]:
    """Return the processes whose command names the folder."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(root) in word for word in process.info["cmdline"] or [])
    ]


def jobs_folder(root: Path, name: str) -> Path:
    """Begin with an empty folder of jobs."""
    folder = root / f"jobs-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.environ["THINGSVIZ_JOBS"] = str(folder)
    return folder


def new_job(name: str, **recipe: object) -> Any:  # noqa: ANN401
    """Make a job of the tiny subject."""
    from thingsviz.jobs.job_folder import create_job
    from thingsviz.jobs.recipe import parse_config

    return create_job(parse_config({"dataset": "tiny", "seed": 3, "name": name, **recipe}))


Fill = Callable[[Row, int, Path, random.Random], None]
