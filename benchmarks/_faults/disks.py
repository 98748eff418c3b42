"""A disk that is full at a random moment, and files with flipped bits."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks._faults.training import train_it, unreadable
from benchmarks._faults.work import FIT, VIT, Row, fork, new_job, quiet
from benchmarks._fuzz import DOORS
from benchmarks._fuzz.judge import verdict_on
from benchmarks._fuzz.place import made


@contextmanager
def small_disk(path: Path) -> Iterator[bool]:
    """Mount 64 MB of memory as a file system; False where that needs rights that we lack."""
    path.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(path)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(path)], check=False)


def filled_at(disk: Path, row_number: int) -> None:
    """Let the disk be full just before this process writes its n-th row of metrics."""
    from thingsviz.queue.reporter import Reporter

    report, count = Reporter.report, [0]

    def hooked(reporter: Reporter, row: dict[str, Any]) -> None:
        count[0] += 1
        if count[0] == row_number:
            with (disk / "filler").open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free)
        report(reporter, row)

    Reporter.report = hooked  # type: ignore[method-assign,assignment]


def disk(row: Row, faults: int, root: Path, moments: random.Random) -> None:
    """Let the disk of the jobs be full at a random row; with room again the job ends as ever."""
    from thingsviz.commands import train

    with small_disk(root / "disk") as mounted:
        if not mounted:
            print("no small disk can be mounted here: that needs the rights of root")
            return
        os.environ["THINGSVIZ_JOBS"] = str(root / "disk")
        recipe = {"model": VIT, "fit": FIT | {"epochs": 3}, "role": "candidate", "study": "faults"}
        whole = new_job("whole", **recipe)
        os.waitpid(fork(train_it(whole)), 0)
        expected = _learned(whole)
        for _ in range(faults):
            job, number = new_job("job", **recipe), moments.randint(1, len(expected[0]))

            def work(job: Any = job, number: int = number) -> None:  # noqa: ANN401
                filled_at(root / "disk", number)
                train.main([str(job.path)])

            os.waitpid(fork(work), 0)
            row.kills += 1
            row.unreadable += unreadable(job)
            (root / "disk" / "filler").unlink()
            os.waitpid(fork(train_it(job)), 0)
            row.lost += job.status().state != "done"
            row.different += job.status().state == "done" and _learned(job) != expected
            shutil.rmtree(job.path)


def _learned(job: Any) -> tuple[list[dict[str, Any]], dict[str, bytes]]:  # noqa: ANN401
    from safetensors.numpy import load_file

    from thingsviz.jobs.weights import best_file

    rows = [{k: v for k, v in line.items() if k != "time"} for line in job.metrics()[0]]
    return rows, {k: v.tobytes() for k, v in load_file(best_file(job)).items()}


def flips(row: Row, faults: int, root: Path, moments: random.Random) -> None:
    """Flip single bits in every kind of file that is read: found, or harmless, or plainly other.

    Other is possible only in tables and images as published, which have no checksum: there the
    app's reading is compared with a plain one.
    """
    data = os.environ["THINGSVIZ_DATA"]
    with quiet():
        place = made(root / "flips", Path(data))
        doors = (d.targets(place, root / "spoilt" / d.__name__.rsplit(".", 1)[1]) for d in DOORS)
        files = [target for targets in doors for target in targets if target.sound]
    for number in range(faults):
        target = files[number % len(files)]
        raw = bytearray(target.sound or b"")
        raw[moments.randrange(len(raw))] ^= 1 << moments.randrange(8)
        verdict, words = verdict_on(target, bytes(raw))
        row.kills += 1
        row.different += verdict == "silent"
        row.unreadable += verdict == "crash"
        if verdict in {"silent", "crash"}:
            print(f"{target.name}: {verdict}: {words}", file=sys.stderr)
    os.environ["THINGSVIZ_DATA"] = data
