"""What a study's folder holds, and how the app reads one while its process is still writing."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from thingsviz.core import json_files, log
from thingsviz.core.errors import JobError
from thingsviz.core.json_files import Data, JsonFile, Number
from thingsviz.core.locks import is_locked
from thingsviz.jobs import unique_names
from thingsviz.jobs.about import read_about, write_about
from thingsviz.jobs.job_folder import ALIVE, TICKET, JobFolder, State, jobs_root
from thingsviz.studies.config import StudyConfig, parse_study

STUDY = unique_names.FolderKind("study", "studies", "Tune")
LETTERS = {"search": "c", "random": "r"}  # of a candidate's folder: STUDY-c0001
RESULT: JsonFile[Data] = JsonFile("result")
CANDIDATE = re.compile(r"(.+)-[cr]\d{4,}")


@dataclass(frozen=True)
class StudyStatus:
    """Where a study is; `phase` is search, random or final."""

    state: State = "stopped"
    phase: str = ""
    message: str = ""
    started_at: Number | None = None
    updated_at: Number | None = None


STATUS: JsonFile[StudyStatus] = JsonFile("status", StudyStatus)


@dataclass(frozen=True)
class StudyFolder:
    """One study's folder; its candidates are ordinary job folders beside it."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's name, which is the study's address."""
        return self.path.name

    @property
    def root(self) -> Path:
        """Where the study's candidates lie: the jobs' root."""
        return self.path.parents[1]

    def file(self, name: str) -> Path:
        """Return where a file of the folder is."""
        return self.path / name

    @property
    def database(self) -> Path:
        """The file of Optuna's records."""
        return self.file("study.sqlite3")

    def config(self) -> StudyConfig:
        """Return the recipe."""
        path = self.file("config.json")
        data = json_files.read_json(path)
        if data is None:
            msg = f"{path} is missing: a study's folder needs the recipe of its search"
            raise JobError(msg)
        return parse_study(data, str(path))

    def candidate_name(self, phase: str, number: int) -> str:
        """Return the job of a candidate; numbers count from 0, names from 1."""
        return f"{self.name}-{LETTERS[phase]}{number + 1:04d}"

    def is_alive(self) -> bool:
        """Whether the study waits in the line, or a process holds its lock."""
        # In this order: a process takes the lock before it consumes the ticket.
        return self.file(TICKET).is_file() or is_locked(self.file("lock"))

    def wants_stop(self) -> bool:
        """Whether somebody asked the study to stop."""
        return self.file("stop").exists()

    def status(self) -> StudyStatus:
        """Return where the study is; one whose lock nobody holds cannot be running."""
        status = STATUS.read(self.file("status.json"))
        if status is None:
            return StudyStatus(message="not started yet")
        if status.state in ALIVE and not self.is_alive():
            again = json_files.read_json(self.file("status.json")) or {}
            if again.get("updated_at") != status.updated_at:
                return self.status()
            return replace(status, state="stopped", message="its process ended without a word")
        if status.state in ALIVE and self.wants_stop():
            return replace(status, state="stopping", message="stops after the batch it is in")
        return status

    def write_status(self, status: StudyStatus) -> None:
        """Publish where the study is; only its own process and its launcher do that."""
        STATUS.write(self.file("status.json"), replace(status, updated_at=time.time()))

    def result(self) -> dict[str, Any] | None:
        """Return the table of final trainings, or None before there is one."""
        return RESULT.read(self.file("result.json"))

    def log_tail(self, n: int = 40) -> str:
        """Return the last `n` lines that the process printed, JSON lines as text."""
        return log.tail(self.file("log.txt"), n)


def studies_root() -> Path:
    """Return where studies are kept; the dot hides it from the list of jobs."""
    return jobs_root() / ".studies"


def list_studies() -> list[StudyFolder]:
    """Return all studies, the newest recipe first."""
    return [StudyFolder(path) for path in unique_names.listed(studies_root())]


def without_candidates(jobs: list[JobFolder]) -> list[JobFolder]:
    """Leave out the candidates of studies, which are listed with their study; reads no recipe."""
    studies = {path.name for path in studies_root().glob("[!.]*")}
    found = [(job, CANDIDATE.fullmatch(job.name)) for job in jobs]
    return [job for job, match in found if not (match and match[1] in studies)]


def open_study(name: str) -> StudyFolder:
    """Find a study by a name that may come from a URL."""
    return StudyFolder(unique_names.opened(studies_root(), name, STUDY))


def create_study(config: StudyConfig) -> StudyFolder:
    """Make the folder of a new study, named after the recipe; a taken name gets -2 and so on."""

    def write(path: Path) -> None:
        write_config(StudyFolder(path), config.model_copy(update={"name": path.name}))

    return StudyFolder(
        unique_names.made(studies_root(), config.name, STUDY, write, _has_candidates)
    )


def _has_candidates(name: str) -> bool:
    """Whether candidates of an earlier study of that name may be all that is left of it."""
    return any(jobs_root().glob(f"{name}-c[0-9]*"))


def write_config(study: StudyFolder, config: StudyConfig) -> None:
    """Write a study's recipe, new or with more candidates."""
    json_files.write_sealed(study.file("config.json"), config.model_dump(mode="json"))


def inherit_owner(study: StudyFolder, job: JobFolder) -> None:
    """Give a training that a study has made to the study's owner, where it has one."""
    owner = read_about(JobFolder(study.path)).owner
    if owner:
        write_about(job, owner=owner)
