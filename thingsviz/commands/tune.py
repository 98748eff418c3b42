"""Run a whole study from its folder; starting it twice does no harm."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from models.base.errors import ModelError
from thingsviz.commands.cli import run_command
from thingsviz.commands.folders import job_path
from thingsviz.core import log
from thingsviz.core.errors import (
    EXIT_BAD_INPUT,
    EXIT_INTERRUPTED,
    ConfigError,
    JobError,
    ThingsvizError,
)
from thingsviz.core.files import disk_sentence
from thingsviz.core.locks import LOCK_HANDLE, given_lock, try_lock
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.trials.folds import make_chosen
from thingsviz.jobs.job_folder import MANIFEST, JobFolder, sign
from thingsviz.pipeline.training_data import check_targets, find_dataset, open_store
from thingsviz.queue.reporter import StoppedError
from thingsviz.queue.submit import tend_if_waiting
from thingsviz.queue.ticket import take_ticket
from thingsviz.studies.candidate import CandidateRunner
from thingsviz.studies.config import StudyConfig
from thingsviz.studies.final import final_recipes, result_rows, train_finals
from thingsviz.studies.records import ClaimedCandidate, StudyRecords, phases_of, work
from thingsviz.studies.storage import open_storage, storage_sentence
from thingsviz.studies.study_folder import RESULT, StudyFolder

UNEXPECTED = 1


def run(options: argparse.Namespace) -> int:
    """Run or continue a study; 0 done or stopped."""
    folder = StudyFolder(job_path(options.study).absolute())
    log.begin("study", usual="text")
    if not folder.file("config.json").is_file():
        msg = f"{folder.path} is not a study's folder: it needs a config.json"
        raise JobError(msg)
    if options.worker:
        return StudyProcess(folder).run(as_worker=True)
    # The launcher has taken the lock, and removed an old wish to stop: a new one counts.
    launched = LOCK_HANDLE in os.environ
    handle = _hold(folder)
    if handle is None:
        print(f"{folder.name} is already running", file=sys.stderr)
        return 0
    try:
        sign(handle)
        if not (take_ticket(JobFolder(folder.path)) or launched):
            folder.file("stop").unlink(missing_ok=True)
        return StudyProcess(folder).run(as_worker=False)
    finally:
        os.close(handle)
        with suppress(OSError):
            tend_if_waiting()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("study", type=Path, metavar="STUDY_DIR", help="folder with a config.json")
    parser.add_argument(
        "--worker", action="store_true", help="only help a running study with its candidates"
    )


def _hold(folder: StudyFolder) -> int | None:
    """Take the study's lock, or the one that the launcher took and handed over."""
    lock = folder.file("lock")
    handle = given_lock(lock)
    return try_lock(lock) if handle is None else handle


class StudyProcess:
    """The process of a study, or one of its workers."""

    def __init__(self, folder: StudyFolder) -> None:
        self.folder = folder
        self.status = replace(folder.status(), state="running", started_at=time.time())
        self.signalled: int | None = None
        self.is_worker = False

    def run(self, *, as_worker: bool) -> int:
        """Turn every ending into a status, a sentence and an exit code."""
        self.is_worker = as_worker
        started = time.monotonic()
        try:
            config = self.folder.config()
            self._listen()
            searches, run = self._open(config)
            if as_worker:
                self._search(searches, run)
            else:
                self._whole(config, searches, run)
                self.say("done", f"done in {time.monotonic() - started:.0f} s")
        except (StoppedError, KeyboardInterrupt):
            return self._stopped()
        except Exception as error:
            return self._failed(error)
        return 0

    def _open(self, config: StudyConfig) -> tuple[dict[str, StudyRecords], CandidateRunner]:
        self.say("running", "opening the data")
        store = open_store(find_dataset(config.base), config.base.subject)
        check_data(self.folder, config, store)
        storage = open_storage(self.folder)
        searches = {p: StudyRecords(self.folder, config, p, storage) for p in phases_of(config)}
        return searches, CandidateRunner(self.folder, config, store, self.should_stop)

    def _whole(
        self, config: StudyConfig, searches: dict[str, StudyRecords], run: CandidateRunner
    ) -> None:
        for records in searches.values():
            records.plan()
        helpers = self._start_helpers(config.workers - 1)
        self._search(searches, run)
        for helper in helpers:
            helper.wait()
        if not any(_has_result(records) for records in searches.values()):
            msg = "no candidate came to its end: the first one's reason is in the table"
            raise JobError(msg)
        if config.final:
            recipes = final_recipes(self.folder, config, searches)
            jobs = train_finals(self.folder, recipes, self._final, self.check)
            self._listen()
            rows = result_rows(jobs, searches, config)
            RESULT.write(self.folder.file("result.json"), {"rows": rows})
            check_finals(rows)

    def _search(self, searches: dict[str, StudyRecords], run: CandidateRunner) -> None:
        for phase, records in searches.items():
            self.status = replace(self.status, phase=phase)

            def shown_run(records: StudyRecords, claimed: ClaimedCandidate) -> None:
                n = records.config.n_candidates
                self.say("running", f"candidate {claimed.index + 1} of {n}")
                run(records, claimed)

            work(records, shown_run, self.check)

    def _final(self, message: str) -> None:
        self.status = replace(self.status, phase="final")
        self.say("running", message)

    def _start_helpers(self, n: int) -> list[subprocess.Popen[bytes]]:
        command = [
            sys.executable,
            "-m",
            "thingsviz.commands.tune",
            str(self.folder.path),
            "--worker",
        ]
        return [subprocess.Popen(command, start_new_session=True) for _ in range(n)]

    def should_stop(self) -> bool:
        """Whether a signal, the request file, or the end of the study's own process says so."""
        if self.signalled is not None or self.folder.wants_stop():
            return True
        return self.is_worker and not self.folder.is_alive()

    def check(self) -> None:
        """Leave the work at hand if the study should stop."""
        if self.should_stop():
            raise StoppedError

    def say(self, state: str, message: str) -> None:
        """Publish a state, and note it in the log; a worker only notes it."""
        if log.is_json():
            log.event(f"{state}: {message}", job=self.folder.name)
        else:
            print(f"{time.strftime('%H:%M:%S')} {state}: {message}", flush=True)
        if not self.is_worker:
            self.status = replace(self.status, state=state, message=message)
            self.folder.write_status(self.status)

    def _listen(self) -> None:
        signal.signal(signal.SIGTERM, self._hear)
        signal.signal(signal.SIGINT, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.signalled = number

    def _stopped(self) -> int:
        if not self.is_worker:
            self.folder.file("stop").unlink(missing_ok=True)
        self.say("stopped", "stopped on request; it can be resumed")
        return EXIT_INTERRUPTED if self.signalled == signal.SIGINT else 0

    def _failed(self, error: Exception) -> int:
        sentence, code = self._verdict(error)
        with suppress(OSError):
            self.say("failed", sentence)
        return _refuse(sentence, code)

    def _verdict(self, error: Exception) -> tuple[str, int]:
        if isinstance(error, ThingsvizError | ModelError):
            return str(error), EXIT_BAD_INPUT
        if isinstance(error, OSError) and (s := disk_sentence(error, self.folder.path)):
            return s, EXIT_BAD_INPUT
        if isinstance(error, SQLAlchemyError) or isinstance(error.__cause__, SQLAlchemyError):
            return storage_sentence(self.folder, error), EXIT_BAD_INPUT
        if log.is_json():
            log.failure("an error in thingsviz ended the study", job=self.folder.name)
        else:
            traceback.print_exception(error)
        kind = type(error).__name__
        return f"an error in thingsviz ended the study ({kind}): its log tells more", UNEXPECTED


def check_data(folder: StudyFolder, config: StudyConfig, store: BetaStore) -> None:
    """Refuse a study of other data, or one that has nothing to compare candidates by."""
    check_targets(config.base, store)
    known = MANIFEST.read(folder.file("manifest.json")) or {}
    begun = known.get("dataset_fingerprint", store.fingerprint)
    if begun != store.fingerprint:
        msg = (
            f"this is a study of another dataset: it was begun with data {begun[:12]}, but "
            f"{config.base.dataset!r} holds {store.fingerprint[:12]}; begin a new study"
        )
        raise JobError(msg)
    wish = config.base.split
    split = make_chosen(store.trials, wish.choice)
    if not len(split.validation):
        msg = "the split has no validation trials to choose by: give validation a share"
        raise ConfigError(msg)
    if not known:
        begun_with = {"dataset_fingerprint": store.fingerprint}
        MANIFEST.write(folder.file("manifest.json"), begun_with)


def check_finals(rows: list[dict[str, Any]]) -> None:
    """Say which final training failed; a resume tries it again."""
    for row in rows:
        if row["state"] != "done":
            msg = f"the final training of the {row['title']} failed: {row['message']}"
            raise JobError(msg)


def _has_result(records: StudyRecords) -> bool:
    return any(trial.values for trial in records.trials())


def _refuse(sentence: str, code: int = EXIT_BAD_INPUT) -> int:
    print(sentence, file=sys.stderr)
    return code


main = partial(run_command, "tune")

if __name__ == "__main__":
    sys.exit(main())
