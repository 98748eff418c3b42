"""Run one study in this process, or help a running one with its candidates."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from thingsviz.core.errors import ConfigError, JobError
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.trials.folds import make_chosen
from thingsviz.jobs.run_folder import MANIFEST, RunStatus
from thingsviz.pipeline import out_of_memory
from thingsviz.pipeline.training_data import check_targets, find_dataset, open_store
from thingsviz.queue.reporter import RunReporter
from thingsviz.queue.run_process import hold, tell_ending
from thingsviz.studies.candidate import CandidateRunner
from thingsviz.studies.config import StudyConfig
from thingsviz.studies.final import Row, final_recipes, result_rows, train_finals
from thingsviz.studies.records import ClaimedCandidate, StudyRecords, phases_of, work
from thingsviz.studies.storage import open_storage, storage_sentence
from thingsviz.studies.study_folder import RESULT, StudyFolder

Searches = dict[str, StudyRecords]
LOOK_EVERY_S = 0.3


def run_study(folder: StudyFolder) -> int:
    """Hold the study and run it; nothing happens to one that runs already."""
    return hold(folder, lambda: _run(StudyReporter(folder)))


def help_study(folder: StudyFolder) -> int:
    """Run candidates of a study whose own process holds it, until none is left."""
    return _run(HelperReporter(folder))


class StudyReporter(RunReporter):
    """The one writer of a study's status.json."""

    def enter(self, phase: str, message: str) -> None:
        """Publish what the study does, in which of its phases."""
        self.status = replace(self.status, phase=phase)
        self.announce(message)


class HelperReporter(StudyReporter):
    """Writes nothing but its log, and ends with the study's own process."""

    def should_stop(self) -> bool:
        """Whether a signal, the request file, or the end of the study's own process says so."""
        return super().should_stop() or not self.folder.is_alive()

    def take_wish(self) -> str:
        """Leave the request to stop for the study's own process."""
        return ""

    def _publish(self, status: RunStatus) -> None:
        self.status = status


def _run(reporter: StudyReporter) -> int:
    folder = StudyFolder(reporter.folder.path)
    return tell_ending(reporter, lambda: _study(folder, reporter), partial(explain, folder))


def explain(folder: StudyFolder, error: Exception) -> str | None:
    """Say what of the study's database, or of memory, ended it."""
    if isinstance(error, SQLAlchemyError) or isinstance(error.__cause__, SQLAlchemyError):
        return storage_sentence(folder, error)
    return out_of_memory.explain(folder, error)


def _study(folder: StudyFolder, reporter: StudyReporter) -> None:
    started, config = time.monotonic(), folder.config()
    reporter.listen()
    reporter.announce("opening the data")
    store = open_store(find_dataset(config.base), config.base.subject)
    check_data(folder, config, store)
    storage = open_storage(folder)
    searches = {p: StudyRecords(folder, config, p, storage) for p in phases_of(config)}
    run = CandidateRunner(folder, config, store, reporter.should_stop)
    if isinstance(reporter, HelperReporter):
        _search(searches, run, reporter)
        return
    for records in searches.values():
        records.plan()
    helpers = _start_helpers(folder, config.workers - 1)
    _search(searches, run, reporter)
    while any(helper.poll() is None for helper in helpers):
        reporter.check()
        time.sleep(LOOK_EVERY_S)
    if not any(trial.values for records in searches.values() for trial in records.trials()):
        msg = "no candidate came to its end: the first one's reason is in the table"
        raise JobError(msg)
    if config.final:
        _finals(folder, config, searches, reporter)
    reporter.finish(time.monotonic() - started)


def _search(searches: Searches, run: CandidateRunner, reporter: StudyReporter) -> None:
    for phase, records in searches.items():

        def shown_run(
            records: StudyRecords, claimed: ClaimedCandidate, phase: str = phase
        ) -> None:
            n = records.config.n_candidates
            reporter.enter(phase, f"candidate {claimed.index + 1} of {n}")
            run(records, claimed)

        work(records, shown_run, reporter.check)


def _start_helpers(folder: StudyFolder, n: int) -> list[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "thingsviz.commands.tune", str(folder.path), "--worker"]
    return [subprocess.Popen(command, start_new_session=True) for _ in range(n)]


def _finals(
    folder: StudyFolder, config: StudyConfig, searches: Searches, reporter: StudyReporter
) -> None:
    recipes = final_recipes(folder, config, searches)
    jobs = train_finals(folder, recipes, partial(reporter.enter, "final"), reporter.check)
    reporter.listen()
    rows = result_rows(jobs, searches, config)
    RESULT.write(folder.file("result.json"), {"rows": rows})
    check_finals(rows)


def check_data(folder: StudyFolder, config: StudyConfig, store: BetaStore) -> None:
    """Refuse a study of other data, or one that has nothing to compare candidates by."""
    check_targets(config.base, store)
    known = folder.manifest()
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


def check_finals(rows: list[Row]) -> None:
    """Say which final training failed; a resume tries it again."""
    for row in rows:
        if row["state"] != "done":
            msg = f"the final training of the {row['title']} failed: {row['message']}"
            raise JobError(msg)
