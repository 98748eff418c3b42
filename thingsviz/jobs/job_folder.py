"""What a job folder holds, and how the app reads one while its process is still writing."""

from __future__ import annotations

import io
import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator
from typing_extensions import TypedDict

import thingsviz
from thingsviz.core import json_files, log
from thingsviz.core.errors import JobError
from thingsviz.core.files import crc
from thingsviz.core.json_files import OPEN, VERSION, Count, Data, JsonFile, Number
from thingsviz.core.locks import is_locked
from thingsviz.core.settings import FolderSettings
from thingsviz.jobs import unique_names
from thingsviz.jobs.recipe import JobConfig, dump_config, parse_config

if TYPE_CHECKING:
    import pandas as pd

STATES = ("queued", "running", "stopping", "stopped", "done", "failed")
ALIVE = {"queued", "running", "stopping"}
JOB = unique_names.FolderKind("job", "jobs", "the Train page")
# says that the job waits in the line (ticket.py)
TICKET = "ticket.json"


def _known(state: str) -> str:
    if state not in STATES:
        raise ValueError(f"one of {', '.join(STATES)}")
    return state


State = Annotated[str, AfterValidator(_known)]


class ScoreRecord(TypedDict, total=False):
    """What of scores.json every reader needs."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    rows: list[Data]
    differences: list[Data]
    could_not_show: list[str]


class MetricRow(TypedDict, total=False):
    """What of a line of metrics.jsonl every reader needs."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    step: Count
    kind: str
    time: Number


MANIFEST: JsonFile[Data] = JsonFile("manifest")
SCORES: JsonFile[Data] = JsonFile("scores", ScoreRecord)
METRIC: JsonFile[Data] = JsonFile("metrics", MetricRow)
PREDICTIONS: JsonFile[Data] = JsonFile("predictions")


@dataclass(frozen=True)
class JobStatus:
    """Where a job is; times are seconds since 1970, `eta_s` is None while nobody can know."""

    state: State = "stopped"
    epoch: Count = 0
    n_epochs: Count = 0
    step: Count = 0
    n_steps: Count = 0
    eta_s: Number | None = None
    message: str = ""
    started_at: Number | None = None
    updated_at: Number | None = None

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        if self.state == "done":
            return 1.0
        return min(self.step / self.n_steps, 1.0) if self.n_steps else 0.0


STATUS: JsonFile[JobStatus] = JsonFile("status", JobStatus)


@dataclass(frozen=True)
class JobFolder:
    """One training's folder; every file name in it is known here and nowhere else."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's name, which is the job's address."""
        return self.path.name

    def file(self, name: str) -> Path:
        """Return where a file of the folder is."""
        return self.path / name

    @property
    def checkpoints(self) -> Path:
        """The folder of weights and training states."""
        return self.path / "checkpoints"

    def config(self) -> JobConfig:
        """Return the recipe."""
        path = self.file("config.json")
        data = json_files.read_json(path)
        if data is None:
            msg = f"{path} is missing: a job folder needs the recipe of its training"
            raise JobError(msg)
        return parse_config(data, str(path))

    def base_recipe(self) -> JobConfig:
        """Return the recipe that a study varies, where this is the folder of one."""
        path = self.file("config.json")
        return parse_config((json_files.read_json(path) or {}).get("base"), f"{path}: base")

    def status(self) -> JobStatus:
        """Return where the job is; one that neither waits nor holds its lock cannot be alive."""
        status = STATUS.read(self.file("status.json"))
        if status is None:
            return JobStatus(message="not started yet")
        if status.state in ALIVE and not self.is_alive():
            return self._silent(status)
        if status.state in {"queued", "running"} and self.file("stop").exists():
            return replace(status, state="stopping", message="will stop after this batch")
        return status

    def _silent(self, status: JobStatus) -> JobStatus:
        # It may have ended well between the two looks: then its last status counts.
        again = json_files.read_json(self.file("status.json")) or {}
        if again.get("state") not in ALIVE and again.get("updated_at") != status.updated_at:
            return self.status()
        return replace(
            status, state="stopped", eta_s=None, message="the process ended without a word"
        )

    def write_status(self, status: JobStatus) -> None:
        """Publish where the job is; only its own process and its launcher do that."""
        STATUS.write(self.file("status.json"), replace(status, updated_at=time.time()))

    def is_alive(self) -> bool:
        """Whether the job waits in the line, or a process holds its lock."""
        # In this order: a process takes the lock before it consumes the ticket.
        return self.is_waiting() or is_locked(self.file("lock"))

    def is_waiting(self) -> bool:
        """Whether the job waits in the line for its turn."""
        return self.file(TICKET).is_file()

    def is_done(self) -> bool:
        """Whether nothing is left to do: the scores are written last; a candidate has none."""
        return self.status().state == "done" and (
            self.file("scores.json").is_file() or self.config().role == "candidate"
        )

    def metrics(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Return the rows written after `offset` and the next offset.

        A resumed job writes again what came after its checkpoint: see `merge`.
        """
        rows, end = json_files.read_lines(self.file("metrics.jsonl"), offset)
        return [row for row in rows if METRIC.fits(row)], end

    def predictions(self) -> pd.DataFrame | None:
        """Return true and predicted ratings on their own scales, or None before the end."""
        expected = self.manifest().get("predictions_crc32")
        return _parquet(self.file("predictions.parquet"), expected)

    def scores(self) -> pd.DataFrame | None:
        """Return the tidy scores with their reference rows, or None before the end."""
        table = self._table("rows")
        return None if table is None or table.empty else table

    def differences(self) -> pd.DataFrame | None:
        """Return how the model differs from mean and ridge; None before the end."""
        return self._table("differences")

    def _table(self, part: str) -> pd.DataFrame | None:
        import pandas as pd

        data = self.score_record()
        return None if data is None else pd.DataFrame(data.get(part, []))

    def score_record(self) -> dict[str, Any] | None:
        """Return scores, differences and limits as they are written, or None before the end."""
        return SCORES.read(self.file("scores.json"))

    def could_not_show(self) -> list[str]:
        """Return the sentences on what this job's scores cannot show."""
        return list((self.score_record() or {}).get("could_not_show", []))

    def manifest(self) -> dict[str, Any]:
        """Return versions, seeds, fingerprints and dates; empty before the first start."""
        return MANIFEST.read(self.file("manifest.json")) or {}

    def log_tail(self, n: int = 40) -> str:
        """Return the last `n` lines that the process printed, JSON lines as text."""
        return log.tail(self.file("log.txt"), n)


def merge(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put rows read later over the same steps read before, in the order of their steps."""
    rows = {(row.get("step", 0), row.get("kind", "")): row for row in [*old, *new]}
    return [rows[key] for key in sorted(rows, key=lambda key: (key[0], key[1] != "step"))]


def sign(handle: int) -> None:
    """Write into a lock whose it is, for a supervisor that has not started this process."""
    cluster_id = os.environ.get("SLURM_JOB_ID")
    with suppress(OSError):
        os.ftruncate(handle, 0)
        words = f"slurm {cluster_id}" if cluster_id else str(os.getpid())
        os.pwrite(handle, words.encode(), 0)


def jobs_root() -> Path:
    """Return where job folders live: THINGSVIZ_JOBS, or checkpoints/ of a clone, or here."""
    clone = Path(thingsviz.__file__).parents[1]
    usual = (clone if (clone / "app.py").is_file() else Path()) / "checkpoints"
    return (FolderSettings.read().jobs or usual).expanduser().absolute()


def list_jobs() -> list[JobFolder]:
    """Return all job folders, the newest recipe first."""
    return [JobFolder(path) for path in unique_names.listed(jobs_root())]


def open_job(name: str) -> JobFolder:
    """Find a job by a name that may come from a URL: nothing outside the jobs' root is opened."""
    return JobFolder(unique_names.opened(jobs_root(), name, JOB))


def create_job(config: JobConfig) -> JobFolder:
    """Make the folder of a new job, named after the recipe; a taken name gets -2, -3 and so on."""

    def write(path: Path) -> None:
        json_files.write_sealed(path / unique_names.RECIPE, dump_config(config))

    return JobFolder(unique_names.made(jobs_root(), config.name, JOB, write))


def _parquet(path: Path, expected: str | None) -> pd.DataFrame | None:
    import pandas as pd  # half a second, which a launcher and a supervisor need not wait

    try:
        data = path.read_bytes()
        if expected not in {None, crc(data)}:
            msg = "its checksum does not fit"
            raise ValueError(msg)
        table = pd.read_parquet(io.BytesIO(data))
        PREDICTIONS.check_version(table.attrs.pop(VERSION, 1), str(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        words = "delete it and start the job again to write it anew"
        msg = f"{path} cannot be read as parquet ({error}): {words}"
        raise JobError(msg) from None
    return table
