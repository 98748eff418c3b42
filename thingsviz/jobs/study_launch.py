"""How a study becomes a process that outlives the app; its stop, resume and enlargement."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from thingsviz.core.errors import ConfigError, JobError
from thingsviz.jobs import files
from thingsviz.jobs.launch import LOCK_HANDLE, spawn
from thingsviz.jobs.store import JobFolder, try_lock
from thingsviz.jobs.study_config import parse_study
from thingsviz.jobs.study_folder import StudyFolder, write_config


def start_study(study: StudyFolder) -> None:
    """Start or resume a study, or do nothing when it runs; returns at once."""
    study.config()
    try:
        handle = try_lock(study.file("lock"))
        if handle is None:
            return
        try:
            study.file("stop").unlink(missing_ok=True)
            status = replace(study.status(), state="queued", message="starting")
            study.write_status(status)
            command = [sys.executable, "-m", "thingsviz.jobs.tune", str(study.path)]
            spawn(command, study.file("log.txt"), handle, {LOCK_HANDLE: str(handle)})
        finally:
            os.close(handle)
    except OSError as error:
        sentence = files.disk_sentence(error, study.path)
        raise JobError(sentence or f"{study.path} cannot be started: {error}") from None


def stop_study(study: StudyFolder) -> None:
    """Ask a running study to end after the batch it is in; nothing of it is lost."""
    if not study.is_alive():
        return
    study.file("stop").touch()
    for which in ("default", "random", "best"):
        for path in study.root.glob(f"{study.name}-{which}*"):
            if (job := JobFolder(path)).is_alive():
                job.file("stop").touch()


def add_candidates(study: StudyFolder, n: int) -> None:
    """Let a study try `n` more candidates, its random control too."""
    if study.is_alive():
        msg = f"{study.name} is running: stop it, or wait for its end, before adding candidates"
        raise ConfigError(msg)
    config = study.config()
    data = config.model_dump(mode="json") | {"n_candidates": config.n_candidates + n}
    write_config(study, parse_study(data))
