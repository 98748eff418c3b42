"""Kills of all that works, full disks and flipped bits at random moments: what is lost.

    python -m benchmarks.faults [--short] [--only training,supervisor,...] [--seed 1]

Plants the tiny subject, then ends real processes with SIGKILL and starts them again until their
work is done. Each row counts what must be 0: files that cannot be read, work that was lost, work
that was done twice, results that differ from those of an undisturbed run, processes that run
without being seen. Exit status 1 if any is not 0.

Processes are forked from this one with everything imported, so that kills fall into the work
itself and not into the seconds of importing; the supervisor and what it starts are ordinary
commands.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
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
LONG = {"training": 200, "supervisor": 50, "launcher": 50, "study": 50, "prepare": 50}
LONG |= {"disk": 50, "flips": 2000}
SHORT = {"training": 6, "supervisor": 3, "launcher": 3, "study": 3, "prepare": 4}
SHORT |= {"disk": 1, "flips": 52}
PATIENCE_S = 900.0


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


def main(argv: list[str] | None = None) -> int:
    """Run the rows and print the table; 1 when anything was lost, doubled or damaged."""
    parser = argparse.ArgumentParser(prog="benchmarks faults", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few kills of each, in 45 s")
    parser.add_argument("--only", default=",".join(LONG), help="some of the rows")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    options = parser.parse_args(argv)
    wanted = [name for name in options.only.split(",") if name]
    unknown = sorted(set(wanted) - set(ROWS))
    if unknown:
        print(f"there is no row {unknown[0]!r}: {', '.join(ROWS)}", file=sys.stderr)
        return 2
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "THINGSVIZ_THREADS"):
        os.environ.setdefault(name, "1")
    counts = SHORT if options.short else LONG
    with workplace() as root:
        _import_all()
        rows = []
        for name in wanted:
            began, row = time.monotonic(), Row(name)
            ROWS[name](row, counts[name], root, random.Random(options.seed))
            row.seconds = round(time.monotonic() - began, 1)
            rows.append(row)
            print(" ".join(f"{key}={value}" for key, value in vars(row).items()), flush=True)
    print(f"\n{table(rows)}")
    faults = sum(row.faults for row in rows)
    print(f"{faults} faults" if faults else "nothing lost, nothing twice, nothing unreadable")
    return 1 if faults else 0


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
    from thingsviz.jobs import plant, prepare

    root = Path(tempfile.mkdtemp(prefix="thingsviz-faults-"))
    os.environ["THINGSVIZ_DATA"] = str(root / "data")
    os.environ.pop("THINGSVIZ_DERIVATIVES", None)
    os.environ.pop("THINGSVIZ_ENGINE", None)
    try:
        with quiet():
            assert (
                plant.main([str(root / "data" / "tiny"), "--preset", "tiny", "--seed", "7"]) == 0
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


def _import_all() -> None:
    import lightning_fabric  # noqa: F401
    import torch

    import thingsviz.jobs.train
    import thingsviz.jobs.training.stages
    import thingsviz.jobs.tune  # noqa: F401

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
    from thingsviz.jobs.folder.config import parse_config
    from thingsviz.jobs.folder.store import create_job

    return create_job(parse_config({"dataset": "tiny", "seed": 3, "name": name, **recipe}))


def essence(job: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return all that decides whether two trainings are the same: rows, weights, predictions."""
    from safetensors.numpy import load_file

    from thingsviz.jobs.folder.weights import best_file

    rows, _ = job.metrics()
    return {
        "rows": [{k: v for k, v in row.items() if k != "time"} for row in rows],
        "weights": {k: v.tobytes() for k, v in load_file(best_file(job)).items()},
        "predictions": job.predictions().to_json(),
    }


def training(row: Row, kills: int, root: Path, moments: random.Random) -> None:
    """Kill trainings until there were enough; each ends as the undisturbed one did."""
    from thingsviz.jobs import train

    jobs_folder(root, "training")
    whole = new_job("whole", model=VIT, fit=FIT)
    began = time.monotonic()
    os.waitpid(fork(lambda: train.main([str(whole.path)])), 0)
    length = time.monotonic() - began
    expected = essence(whole)
    while row.kills < kills:
        job = new_job("killed", model=VIT, fit=FIT)
        for _ in range(50):
            # most kills fall into the batches, some into predicting and scoring
            moment = moments.uniform(0, length * moments.choice((0.5, 1.0)))
            if row.kills >= kills or not killed_at_random(_train(job), moment):
                break
            row.kills += 1
            row.unreadable += _unreadable(job)
            row.unseen += job.is_alive()
        os.waitpid(fork(_train(job)), 0)
        if job.status().state != "done":
            row.lost += 1
            continue
        found = essence(job)
        steps = [(line["kind"], line["step"]) for line in found["rows"]]
        row.doubled += len(steps) - len(set(steps))
        row.doubled += len(job.manifest().get("test_set_touched", [])) > row.kills + 1
        row.lost += len({(line["kind"], line["step"]) for line in expected["rows"]} - set(steps))
        row.different += found != expected
        shutil.rmtree(job.path)


def _train(job: Any) -> Callable[[], object]:  # noqa: ANN401
    from thingsviz.jobs import train

    return lambda: train.main([str(job.path)])


def _unreadable(job: Any) -> int:  # noqa: ANN401
    """Count the files of a killed job that a reader would stumble over."""
    from models.checkpoint import load_tensors
    from thingsviz.jobs.folder import files

    bad = 0
    for path in job.checkpoints.glob("*.safetensors"):
        if path.name == "scaler.safetensors":
            continue
        try:
            load_tensors(path)
        except Exception:
            bad += 1
    for name in ("status.json", "manifest.json", "config.json", "split.json", "scores.json"):
        try:
            files.read_json(job.file(name))
        except Exception:
            bad += 1
    lines = job.file("metrics.jsonl")
    if lines.is_file():
        whole = lines.read_bytes().split(b"\n")[:-1]
        bad += sum(not _is_json(line) for line in whole)
    return bad


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


MEAN = {"model": {"name": "mean"}, "role": "candidate", "study": "faults"}


def supervisor(row: Row, kills: int, root: Path, moments: random.Random) -> None:
    """Kill the supervisor while jobs come, wait, run and end."""
    from thingsviz.jobs.engine import launch

    folder = jobs_folder(root, "supervisor")
    os.environ["THINGSVIZ_SLOTS"] = "2"
    jobs = []
    for number in range(kills):
        jobs.append(new_job(f"job-{number:03d}", **MEAN))
        launch.start(jobs[-1])
        time.sleep(moments.uniform(0, 2.5))
        for process in _supervisors(folder):
            process.kill()
            process.wait(10)
            row.kills += 1
        row.unseen += _unseen(folder, jobs)
    _to_the_end(row, folder, jobs)


def launcher(row: Row, kills: int, root: Path, moments: random.Random) -> None:
    """Kill what starts jobs, as an app is killed, at moments around the start."""
    from thingsviz.jobs.engine import launch

    folder = jobs_folder(root, "launcher")
    os.environ["THINGSVIZ_SLOTS"] = "2"
    asked, jobs = [], []
    for number in range(kills):
        job = new_job(f"job-{number:03d}", **MEAN)
        said = folder / f".said-{number}"

        def start(job: Any = job, said: Path = said) -> None:  # noqa: ANN401
            launch.start(job)
            said.touch()
            time.sleep(60)

        row.kills += killed_at_random(start, moments.uniform(0, 0.08))
        jobs.append(job)
        if said.exists():
            asked.append(job)
        elif not job.is_alive():
            row.unreadable += job.status().state not in {"stopped", "queued"}
            launch.start(job)  # the visitor, who saw no answer, clicks again
            asked.append(job)
    _to_the_end(row, folder, jobs)


def _supervisors(folder: Path) -> list[psutil.Process]:
    return [p for p in processes(folder) if "thingsviz.jobs.supervisor" in (p.cmdline() or [])]


def _unseen(folder: Path, jobs: list[Any]) -> int:
    """Count processes of jobs that no page would show; one that is just ending gets 5 s for it."""
    end = time.monotonic() + 5
    while True:
        trained = [word for p in processes(folder) for word in _command(p) if "/job-" in word]
        alive = {str(job.path) for job in jobs if job.is_alive()}
        unseen = sum(word not in alive for word in trained)
        if not unseen or time.monotonic() > end:
            return unseen
        time.sleep(0.2)


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def _to_the_end(row: Row, folder: Path, jobs: list[Any]) -> None:
    """Let all jobs end, and count those that did not, or did more than once."""
    from thingsviz.jobs.engine import launch
    from thingsviz.jobs.engine.queue import Queue, queue_folder

    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and any(launch.is_alive(job) for job in jobs):
        time.sleep(0.1)
    for job in jobs:
        row.lost += job.status().state != "done"
        row.doubled += len(job.manifest().get("starts", [])) > 1
    while time.monotonic() < end:
        with closing(Queue(queue_folder())) as queue:
            if not queue.rows():
                break
        time.sleep(0.1)
    row.unseen += _unseen(folder, jobs)
    for process in _supervisors(folder):
        process.terminate()


def study(row: Row, kills: int, root: Path, moments: random.Random) -> None:
    """Kill a study's process; each candidate ends once, none is left out."""
    from thingsviz.jobs import tune
    from thingsviz.jobs.studies.config import parse_study
    from thingsviz.jobs.studies.folder import create_study
    from thingsviz.jobs.studies.records import Records
    from thingsviz.jobs.studies.storage import open_storage

    jobs_folder(root, "study")
    n = max(4, 3 * kills)
    base = {"dataset": "tiny", "model": VIT, "fit": FIT | {"epochs": 2}}
    space = {"fit.learning_rate": {"kind": "float", "low": 1e-4, "high": 1e-2, "log": True}}
    recipe = {"name": "faults", "base": base, "space": space, "n_candidates": n}
    config = parse_study({**recipe, "sampler": "random", "controls": [], "final": False})
    folder = create_study(config)

    def search() -> None:
        tune.main([str(folder.path)])

    while row.kills < kills and killed_at_random(search, moments.uniform(0.2, 2.5)):
        row.kills += 1
    os.waitpid(fork(search), 0)
    records = Records(folder, config, "search", open_storage(folder))
    done: dict[int, int] = {}
    for trial in records.trials():
        if trial.values:
            index = int(trial.user_attrs["index"])
            done[index] = done.get(index, 0) + 1
    row.lost += n - len(done)
    row.doubled += sum(count - 1 for count in done.values())
    for index in done:
        job = records.job_of(next(t for t in records.trials() if t.user_attrs["index"] == index))
        steps = [(line["kind"], line["step"]) for line in job.metrics()[0]]
        row.doubled += len(steps) - len(set(steps))


def prepare(row: Row, kills: int, root: Path, moments: random.Random) -> None:
    """Kill the preparing of a subject; what comes of it has the bytes of an undisturbed one."""
    from thingsviz.jobs import prepare as command

    source, out = root / "data" / "tiny", root / "derived"
    expected = _bytes_of(source / "derivatives" / "thingsviz")
    began = time.monotonic()
    os.waitpid(fork(_prepare(source, root / "timed")), 0)
    length = time.monotonic() - began
    while row.kills < kills:
        shutil.rmtree(out, ignore_errors=True)
        for _ in range(5):
            moment = moments.uniform(0, 1.1 * length)
            if row.kills >= kills or not killed_at_random(_prepare(source, out), moment):
                break
            row.kills += 1
        with quiet():
            code = command.main([str(source), "--derivatives", str(out), "--verify"])
        row.lost += code != 0
        row.different += code == 0 and _bytes_of(out) != expected


def _prepare(source: Path, out: Path) -> Callable[[], object]:
    from thingsviz.jobs import prepare as command

    return lambda: command.main([str(source), "--derivatives", str(out)])


def _bytes_of(folder: Path) -> dict[str, str]:
    """Return a checksum of each file of a store; the trials table as its values."""
    found = {}
    for name in ("betas.npy", "brain_mask.nii.gz", "trials.parquet"):
        (path,) = folder.rglob(name)
        data = path.read_bytes() if name != "betas.npy" else np.load(path).tobytes()
        found[name] = hashlib.sha256(data).hexdigest()
    return found


def disk(row: Row, faults: int, root: Path, moments: random.Random) -> None:
    """Let the disk of the jobs be full at a random row; with room again the job ends as ever."""
    from benchmarks._damage import filled_at, small_disk
    from thingsviz.jobs import train

    with small_disk(root / "disk") as mounted:
        if not mounted:
            print("no small disk can be mounted here: that needs the rights of root")
            return
        os.environ["THINGSVIZ_JOBS"] = str(root / "disk")
        recipe = {"model": VIT, "fit": FIT | {"epochs": 3}, "role": "candidate", "study": "faults"}
        whole = new_job("whole", **recipe)
        os.waitpid(fork(_train(whole)), 0)
        expected = _learned(whole)
        for _ in range(faults):
            job, number = new_job("job", **recipe), moments.randint(1, len(expected[0]))

            def work(job: Any = job, number: int = number) -> None:  # noqa: ANN401
                filled_at(root / "disk", number)
                train.main([str(job.path)])

            os.waitpid(fork(work), 0)
            row.kills += 1
            row.unreadable += _unreadable(job)
            (root / "disk" / "filler").unlink()
            os.waitpid(fork(_train(job)), 0)
            row.lost += job.status().state != "done"
            row.different += job.status().state == "done" and _learned(job) != expected
            shutil.rmtree(job.path)


def _learned(job: Any) -> tuple[list[dict[str, Any]], dict[str, bytes]]:  # noqa: ANN401
    from safetensors.numpy import load_file

    from thingsviz.jobs.folder.weights import best_file

    rows = [{k: v for k, v in line.items() if k != "time"} for line in job.metrics()[0]]
    return rows, {k: v.tobytes() for k, v in load_file(best_file(job)).items()}


def flips(row: Row, faults: int, root: Path, moments: random.Random) -> None:
    """Flip single bits in the files of a finished job and of a store: found, or harmless."""
    from benchmarks._damage import flip_one, readers

    jobs_folder(root, "flips")
    job = new_job("whole", model=VIT, fit=FIT | {"epochs": 1})
    os.waitpid(fork(_train(job)), 0)
    store = root / "data" / "tiny" / "derivatives" / "thingsviz" / "sub-01"
    known = readers(job, store)
    for number in range(faults):
        path = list(known)[number % len(known)]
        row.kills += 1
        try:
            row.different += flip_one(path, known[path], moments) == "wrong"
        except Exception as error:
            print(f"{path.name}: {type(error).__name__}: {error}", file=sys.stderr)
            row.unreadable += 1


ROWS: dict[str, Callable[[Row, int, Path, random.Random], None]] = {
    "training": training,
    "supervisor": supervisor,
    "launcher": launcher,
    "study": study,
    "prepare": prepare,
    "disk": disk,
    "flips": flips,
}

if __name__ == "__main__":
    sys.exit(main())
