"""What a study's folder holds, and how the app reads one while its process is still writing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from thingsviz.core import json_files
from thingsviz.core.errors import JobError
from thingsviz.core.json_files import Data, JsonFile
from thingsviz.jobs import unique_names
from thingsviz.jobs.about import read_about, write_about
from thingsviz.jobs.job_folder import JobFolder, jobs_root
from thingsviz.jobs.run_folder import RunFolder
from thingsviz.studies.config import StudyConfig, parse_study

STUDY = unique_names.FolderKind("study", "studies", "Tune")
LETTERS = {"search": "c", "random": "r"}  # of a candidate's folder: STUDY-c0001
RESULT: JsonFile[Data] = JsonFile("result")
CANDIDATE = re.compile(r"(.+)-[cr]\d{4,}")


class StudyFolder(RunFolder):
    """One study's folder; its candidates are ordinary job folders beside it."""

    @property
    def root(self) -> Path:
        """Where the study's candidates lie: the jobs' root."""
        return self.path.parents[1]

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

    def result(self) -> dict[str, Any] | None:
        """Return the table of final trainings, or None before there is one."""
        return RESULT.read(self.file("result.json"))


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
    owner = read_about(study).owner
    if owner:
        write_about(job, owner=owner)
