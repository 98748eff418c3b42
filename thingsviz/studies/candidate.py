"""How one candidate is trained: an ordinary job that tells Optuna its validation, and no test."""

from __future__ import annotations

import math
import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any

import optuna

from models.base.errors import ModelError
from thingsviz.core import json_files
from thingsviz.core.errors import ThingsvizError
from thingsviz.core.files import disk_sentence
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import JobConfig, dump_config
from thingsviz.pipeline import out_of_memory
from thingsviz.pipeline.tasks.registry import open_task
from thingsviz.queue.reporter import Reporter, StoppedError
from thingsviz.studies.config import StudyConfig
from thingsviz.studies.records import ClaimedCandidate, StudyRecords
from thingsviz.studies.space import suggest, with_values
from thingsviz.studies.study_folder import StudyFolder, inherit_owner

# Drawn and fitted once a study: all candidates have the same trials and the same z-scoring.
SHARED = (Path("split.json"), Path("checkpoints") / "scaler.safetensors")
Stop = Callable[[], bool]


class PrunedError(Exception):
    """The candidate was ended early, because others were better at this epoch."""


class CandidateReporter(Reporter):
    """A job's clerk that also tells Optuna each epoch's validation."""

    def __init__(self, job: JobFolder, trial: optuna.Trial, objective: str, wish: Stop) -> None:
        super().__init__(job)
        self.trial, self.objective, self.wish = trial, objective, wish
        self.values: list[float] = []
        # A repeated candidate goes on where its trial has values; asked once, it takes 8 ms.
        self.told = set(trial.storage.get_trial(trial._trial_id).intermediate_values)

    def should_stop(self) -> bool:
        """Whether the candidate or its study should stop."""
        return super().should_stop() or self.wish()

    def report(self, row: dict[str, Any]) -> None:
        """Publish a row of metrics; leave the training when the pruner says so."""
        super().report(row)
        if row["kind"] == "epoch" and self._tell(row) and self.trial.should_prune():
            msg = f"pruned after epoch {row['epoch']}: others were better by then"
            raise PrunedError(msg)

    def keep_reports(self, n_rows: int) -> None:
        """Tell Optuna again what an earlier process of this candidate had reached."""
        super().keep_reports(n_rows)
        self.recall()

    def recall(self) -> None:
        """Read the values of the epochs that are behind this candidate."""
        self.values = []
        for row in self.job.metrics()[0]:
            if row.get("kind") == "epoch":
                self._tell(row)

    def _tell(self, row: dict[str, Any]) -> bool:
        value = row.get(self.objective)
        if value is None or not math.isfinite(value):
            return False
        self.values.append(float(value))
        step = int(row["epoch"])
        if step not in self.told:
            self.trial.report(float(value), step)
            self.told.add(step)
        return True

    def best(self) -> float | None:
        """Return the best epoch's value: of the epoch whose weights a final training keeps."""
        if not self.values:
            return None
        return min(self.values) if self.objective == "validation_loss" else max(self.values)


class CandidateRunner:
    """Trains the candidates of a study in this process, on data opened once."""

    def __init__(
        self, folder: StudyFolder, config: StudyConfig, store: BetaStore, wish: Stop
    ) -> None:
        self.folder, self.config, self.store, self.wish = folder, config, store, wish

    def __call__(self, records: StudyRecords, claimed: ClaimedCandidate) -> None:
        """Train a candidate and record how it ended; what it prints goes into its own log."""
        with claimed.job.file("log.txt").open("a", buffering=1) as log, redirect_stdout(log):
            self._one(records, claimed)

    def _one(self, records: StudyRecords, claimed: ClaimedCandidate) -> None:
        started = time.monotonic()

        def seconds() -> float:
            return time.monotonic() - started

        reporter = CandidateReporter(claimed.job, claimed.trial, self.config.objective, self.wish)
        try:
            value = self._train(reporter, claimed)
        except StoppedError:
            reporter.say("stopped", "stopped with its study; resume the study to go on")
            records.put_back(claimed, seconds())
            raise
        except PrunedError as pruned:
            reporter.say("stopped", str(pruned))
            _drop_weights(claimed.job)
            records.prune(claimed, seconds())
        except Exception as error:
            self._failed(records, claimed, reporter, error, seconds())
        else:
            reporter.finish(seconds())
            _drop_weights(claimed.job)
            records.complete(claimed, value, seconds())

    def _train(self, reporter: CandidateReporter, claimed: ClaimedCandidate) -> float:
        job = claimed.job
        values = suggest(claimed.trial, self.config.space)
        if not job.file("config.json").is_file():
            recipe = candidate_recipe(self.config, values, self.folder.name, job.name)
            json_files.write_sealed(job.file("config.json"), dump_config(recipe))
            inherit_owner(self.folder, job)
        job.file("stop").unlink(missing_ok=True)
        _borrow(self.folder.file("shared"), job)
        reporter.announce("opening the data")
        material = open_task(job, self.store)
        from thingsviz.pipeline.run import run

        run(reporter, material)
        _lend(self.folder.file("shared"), job)
        if not reporter.values:  # it was fitted before its process ended
            reporter.recall()
        value = reporter.best()
        if value is None:
            msg = f"no epoch has a finite {self.config.objective}: nothing to compare it by"
            raise ModelError(msg)
        return value

    def _failed(
        self,
        records: StudyRecords,
        claimed: ClaimedCandidate,
        reporter: CandidateReporter,
        error: Exception,
        seconds: float,
    ) -> None:
        """Tell what is the recipe's fault from what may pass; a full disk ends the study."""
        if isinstance(error, OSError) and disk_sentence(error, claimed.job.path):
            records.put_back(claimed, seconds)
            raise error
        known = isinstance(error, ThingsvizError | ModelError)
        reason = str(error) if known else f"{type(error).__name__}: {error}"
        if out_of_memory.ran_out(error):
            reason = out_of_memory.sentence(claimed.job, error)
        print(f"{claimed.job.name} failed: {reason}", file=sys.stderr, flush=True)
        if claimed.job.file("config.json").is_file():
            with suppress(OSError):
                reporter.say("failed", reason)
        # The same recipe on the same data would end in the same sentence again.
        records.fail(claimed, reason, seconds, again=not known)


def candidate_recipe(
    config: StudyConfig, values: dict[str, Any], study: str, name: str
) -> JobConfig:
    """Return a candidate's recipe: the base with its values, judged by the study's objective."""
    return with_values(
        config.base, {**values, **config.judged}, name=name, role="candidate", study=study
    )


def _borrow(shared: Path, job: JobFolder) -> None:
    for name in SHARED:
        _link(shared / name.name, job.path / name)


def _lend(shared: Path, job: JobFolder) -> None:
    """Keep what the first candidate drew and fitted for the others."""
    shared.mkdir(exist_ok=True)
    for name in SHARED:
        _link(job.path / name, shared / name.name)


def _link(source: Path, target: Path) -> None:
    """Give a finished file a second name, which costs no space, or copy it."""
    if target.exists() or not source.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:
        part = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copyfile(source, part)
        part.replace(target)


def _drop_weights(job: JobFolder) -> None:
    """Remove weights and states: the final training draws and fits the same ones again."""
    for path in job.checkpoints.glob("*.safetensors"):
        path.unlink()
