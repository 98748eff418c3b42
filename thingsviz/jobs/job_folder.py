"""What a job folder holds, and how the app reads one while its process is still writing."""

from __future__ import annotations

import io
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import thingsviz
from thingsviz.core.errors import JobError
from thingsviz.core.files import crc
from thingsviz.core.locks import is_locked
from thingsviz.core.settings import FolderSettings
from thingsviz.jobs import json_files, kinds, schema, unique_names
from thingsviz.jobs.recipe import JobConfig, dump_config, parse_config

if TYPE_CHECKING:
    import pandas as pd

STATES = ("queued", "running", "stopping", "stopped", "done", "failed")
ALIVE = {"queued", "running", "stopping"}
JOB = unique_names.FolderKind("job", "jobs", "the Train page")
# says that the job waits in the line (ticket.py)
TICKET = "ticket.json"
STATUS = {
    "state": kinds.one_of(STATES),
    "message": kinds.TEXT,
    **dict.fromkeys(("epoch", "n_epochs", "step", "n_steps"), kinds.COUNT),
    **dict.fromkeys(("eta_s", "started_at", "updated_at"), kinds.MAYBE_NUMBER),
}
SCORES = {"rows": kinds.ROWS, "differences": kinds.ROWS, "could_not_show": kinds.WORDS}
METRIC = {"step": kinds.COUNT, "kind": kinds.TEXT}


@dataclass(frozen=True)
class JobStatus:
    """Where a job is; times are seconds since 1970, `eta_s` is None while nobody can know."""

    state: str = "stopped"
    epoch: int = 0
    n_epochs: int = 0
    step: int = 0
    n_steps: int = 0
    eta_s: float | None = None
    message: str = ""
    started_at: float | None = None
    updated_at: float | None = None

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        if self.state == "done":
            return 1.0
        return min(self.step / self.n_steps, 1.0) if self.n_steps else 0.0


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
        data = schema.read("status", self.file("status.json"))
        if data is None:
            return JobStatus(message="not started yet")
        kinds.check(self.file("status.json"), data, STATUS)
        status = JobStatus(**{key: value for key, value in data.items() if key in STATUS})
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
        stamped = replace(status, updated_at=time.time())
        schema.write("status", self.file("status.json"), asdict(stamped))

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
        return [row for row in rows if kinds.fit(row, METRIC)], end

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
        data = schema.read("scores", self.file("scores.json"))
        kinds.check(self.file("scores.json"), data or {}, SCORES)
        return data

    def could_not_show(self) -> list[str]:
        """Return the sentences on what this job's scores cannot show."""
        return list((self.score_record() or {}).get("could_not_show", []))

    def manifest(self) -> dict[str, Any]:
        """Return versions, seeds, fingerprints and dates; empty before the first start."""
        return schema.read("manifest", self.file("manifest.json")) or {}

    def log_tail(self, n: int = 40) -> str:
        """Return the last `n` lines that the process printed, JSON lines as text."""
        return json_files.read_tail(self.file("log.txt"), n)


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
        schema.check("predictions", table.attrs.pop(schema.VERSION, 1), str(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        words = "delete it and start the job again to write it anew"
        msg = f"{path} cannot be read as parquet ({error}): {words}"
        raise JobError(msg) from None
    return table
