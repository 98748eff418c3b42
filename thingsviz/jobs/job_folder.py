"""What a job folder holds, and how the app reads one while its process is still writing."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

import thingsviz
from thingsviz.core import json_files
from thingsviz.core.errors import JobError
from thingsviz.core.files import crc
from thingsviz.core.json_files import OPEN, VERSION, Count, Data, JsonFile, Number
from thingsviz.core.settings import FolderSettings
from thingsviz.jobs import unique_names
from thingsviz.jobs.recipe import JobConfig, dump_config
from thingsviz.jobs.run_folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd

JOB = unique_names.FolderKind("job", "jobs", "the Train page")


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


SCORES: JsonFile[Data] = JsonFile("scores", ScoreRecord)
METRIC: JsonFile[Data] = JsonFile("metrics", MetricRow)
PREDICTIONS: JsonFile[Data] = JsonFile("predictions")


class JobFolder(RunFolder):
    """One training's folder; every file name in it is known here and nowhere else."""

    @property
    def checkpoints(self) -> Path:
        """The folder of weights and training states."""
        return self.path / "checkpoints"

    def config(self) -> JobConfig:
        """Return the recipe."""
        return self.recipe()

    def is_done(self, config: JobConfig | None = None) -> bool:
        """Whether nothing is left to do: the scores are written last; a candidate has none."""
        return self.status().state == "done" and (
            self.file("scores.json").is_file() or (config or self.config()).role == "candidate"
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


def merge(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put rows read later over the same steps read before, in the order of their steps."""
    rows = {(row.get("step", 0), row.get("kind", "")): row for row in [*old, *new]}
    return [rows[key] for key in sorted(rows, key=lambda key: (key[0], key[1] != "step"))]


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
