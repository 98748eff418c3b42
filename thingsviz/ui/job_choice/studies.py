"""Studies among the rows of the Jobs page: one row each, its candidates folded into progress."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from thingsviz.core.errors import ThingsvizError
from thingsviz.jobs.about import read_about
from thingsviz.jobs.index import JobEntry
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.queue.database import STUDIES
from thingsviz.studies.study_folder import CANDIDATE, StudyFolder
from thingsviz.ui.shell.frame import page_path, plain

STUDY = "study"
OPEN_HELP = "Opens the study on Tune: its candidates, and the buttons to stop or resume it."


def with_studies(jobs: Sequence[JobEntry], studies: Sequence[JobEntry]) -> list[JobEntry]:
    """Put the studies among the jobs, the last changed first."""
    if not studies:
        return list(jobs)
    ended = Counter(match[1] for entry in jobs if (match := _ended(entry)))
    found = [_with_progress(study, ended[study.name]) for study in studies]
    return sorted([*jobs, *found], key=lambda entry: (-entry.changed, entry.name))


def _ended(entry: JobEntry) -> re.Match[str] | None:
    """Match the name of a candidate that came to its end; one that was cut short goes on."""
    if entry.role != "candidate":
        return None
    status = entry.status
    over = status.state in {"done", "failed"} or status.message.startswith("pruned")
    return CANDIDATE.fullmatch(entry.name) if over else None


def _with_progress(study: JobEntry, n_ended: int) -> JobEntry:
    """Say how many of a study's candidates have ended."""
    status = study.status
    step = min(n_ended, status.n_steps)
    words = " · ".join(
        part for part in (f"{step} of {status.n_steps} candidates", status.message) if part
    )
    return (
        study if study.fault else replace(study, status=replace(status, step=step, message=words))
    )


def describe_study(job: JobFolder, changed: float) -> JobEntry:
    """Read what a row needs of a study's folder: its steps are candidates, not yet counted."""
    folder, about = StudyFolder(job.path), read_about(job)
    if not folder.file("config.json").is_file():
        return JobEntry(
            folder.name, about, RunStatus()
        )  # no study, or one that is just being made
    try:
        status, config = folder.status(), folder.config()
    except ThingsvizError as error:
        failed = RunStatus("failed")
        return JobEntry(folder.name, about, failed, role=STUDY, changed=changed, fault=str(error))
    return JobEntry(
        folder.name,
        about,
        replace(status, n_steps=config.n_candidates * (2 if "random" in config.controls else 1)),
        model=config.base.model.name,
        split=config.base.split.kind,
        dataset=Path(config.base.dataset).name,
        subject=config.base.subject,
        role=STUDY,
        changed=changed,
    )


def name_in_line(entry: JobEntry) -> str:
    """Return what a row's job or study is called in the line."""
    return f"{STUDIES}/{entry.name}" if entry.role == STUDY else entry.name


def link_to_study(entry: JobEntry, width: int) -> None:
    """Show a study's title, which leads to it on Tune."""
    address = {"dataset": entry.dataset, "subject": entry.subject, "study": entry.name}
    st.page_link(
        page_path("tune.py"),
        label=plain(entry.title),
        help=OPEN_HELP,
        query_params={key: value for key, value in address.items() if value},
        width=width,
    )
