"""How candidates are planned, drawn, claimed, told and repeated: none lost, none run twice.

A candidate is a trial of Optuna. All are enqueued when the study begins; a worker claims a waiting
one by taking the lock of its job folder and then its state. A running one whose lock is free has
lost its process: it is marked failed and enqueued once more, with the same values and the same job
folder, so that its training goes on from the last saved state (how often: study_deaths.py).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from thingsviz.core.errors import JobError
from thingsviz.core.json_files import KEY, crc_of
from thingsviz.core.locks import is_locked, try_lock, wait_for_lock
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.studies.config import StudyConfig
from thingsviz.studies.database_retry import patient
from thingsviz.studies.retries import place_of, to_repeat
from thingsviz.studies.study_folder import StudyFolder

PHASES = ("search", "random")
DIED = "its process ended without a word"
OPEN = (TrialState.WAITING, TrialState.RUNNING)


def phases_of(config: StudyConfig) -> tuple[str, ...]:
    """Return the searches of a study: its own, and the equal-cost random one."""
    return PHASES if "random" in config.controls else PHASES[:1]


def study_name(folder: StudyFolder, phase: str) -> str:
    """Return the name under which Optuna keeps a search."""
    return folder.name if phase == "search" else f"{folder.name}-{phase}"


@dataclass
class ClaimedCandidate:
    """A candidate that this process alone runs, and the open lock of its job folder."""

    trial: optuna.Trial
    job: JobFolder
    handle: int

    @property
    def index(self) -> int:
        """Which candidate of its search it is, from 0; a repetition has its forerunner's."""
        return int(self.trial.user_attrs["index"])


class StudyRecords:
    """One search in Optuna's storage."""

    def __init__(
        self,
        folder: StudyFolder,
        config: StudyConfig,
        phase: str,
        storage: Any,  # noqa: ANN401
    ) -> None:
        self.folder, self.config, self.phase = folder, config, phase
        self.storage = storage
        self.study = optuna.create_study(
            study_name=study_name(folder, phase),
            storage=storage,
            sampler=sampler_of(config, phase),
            pruner=pruner_of(config),
            direction="maximize" if config.maximises else "minimize",
            load_if_exists=True,
        )

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """Return the trials in these states, or all."""
        return self.study.get_trials(deepcopy=False, states=states or None)

    def job_of(self, trial: FrozenTrial) -> JobFolder:
        """Return the job folder of a candidate."""
        name = self.folder.candidate_name(self.phase, int(trial.user_attrs["index"]))
        return JobFolder(self.folder.root / name)

    def plan(self) -> None:
        """Enqueue the candidates that the recipe asks for and that are not there yet."""
        patient(self.storage, self._plan)

    def _plan(self) -> None:
        with self._alone():
            known = sum(t.user_attrs["attempt"] == 1 for t in self.trials())
            for index in range(known, self.config.n_candidates):
                self.study.enqueue_trial({}, {"index": index, "attempt": 1})

    def repair(self) -> int:
        """Mark candidates without a process as failed, and enqueue the hopeful ones once more."""
        return int(patient(self.storage, self._repair))

    def _repair(self) -> int:
        if not self._needs_repair():
            return 0
        with self._alone():
            for trial in self.trials(TrialState.RUNNING):
                if not is_locked(self.job_of(trial).file("lock")):
                    self._bury(trial)
            return self._repeat_failed()

    def _needs_repair(self) -> bool:
        running = self.trials(TrialState.RUNNING)
        return any(not is_locked(self.job_of(t).file("lock")) for t in running) or bool(
            to_repeat(self.trials())
        )

    def _bury(self, trial: FrozenTrial) -> None:
        with suppress(UpdateFinishedTrialError):  # it ended between the two looks
            attributes: dict[str, Any] = {"reason": DIED, "again": True}
            attributes |= {"seconds": self._lived(trial), **self._place(trial)}
            for key, value in attributes.items():
                self.storage.set_trial_user_attr(trial._trial_id, key, value)
            self.storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)

    def _lived(self, trial: FrozenTrial) -> float:
        """Return the seconds until the last sign of life of a candidate."""
        before = float(trial.user_attrs.get("seconds", 0))
        last = self.job_of(trial).status().updated_at
        if last is None or trial.datetime_start is None:
            return before
        return before + max(0.0, last - trial.datetime_start.timestamp())

    def _place(self, trial: FrozenTrial) -> dict[str, Any]:
        begun = trial.datetime_start
        return place_of(self.job_of(trial), begun.timestamp() if begun else None)

    def _repeat_failed(self) -> int:
        failed = to_repeat(self.trials())
        for trial in failed:
            index, attempt = trial.user_attrs["index"], trial.user_attrs["attempt"]
            self.study.enqueue_trial(trial.params, {"index": index, "attempt": attempt + 1})
        return len(failed)

    def claim(self) -> ClaimedCandidate | None:
        """Take a waiting candidate, repetitions first; None when none is free."""
        waiting = self.trials(TrialState.WAITING)
        for trial in sorted(waiting, key=lambda t: (-t.user_attrs["attempt"], t.number)):
            job = self.job_of(trial)
            job.path.mkdir(exist_ok=True)
            handle = try_lock(job.file("lock"), patience_s=0)
            if handle is None:
                continue
            if self._begin(trial):
                return ClaimedCandidate(optuna.Trial(self.study, trial._trial_id), job, handle)
            os.close(handle)
        return None

    def _begin(self, trial: FrozenTrial) -> bool:
        try:
            won = self.storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
        except UpdateFinishedTrialError:
            return False
        return bool(won)

    def complete(self, claimed: ClaimedCandidate, value: float, seconds: float) -> None:
        """Record the result of a candidate."""
        self._spent(claimed, seconds)
        for key, kept in sum_of(claimed.trial.params, value).items():
            claimed.trial.set_user_attr(key, kept)
        self.study.tell(claimed.trial, value)

    def prune(self, claimed: ClaimedCandidate, seconds: float) -> None:
        """Record that a candidate was ended early because others did better."""
        self._spent(claimed, seconds)
        self.study.tell(claimed.trial, state=TrialState.PRUNED)

    def fail(self, claimed: ClaimedCandidate, reason: str, seconds: float, *, again: bool) -> None:
        """Record why a candidate failed, and whether a second attempt could end otherwise."""
        claimed.trial.set_user_attr("reason", reason[:500])
        claimed.trial.set_user_attr("again", again)
        self._spent(claimed, seconds)
        self.study.tell(claimed.trial, state=TrialState.FAIL)

    def put_back(self, claimed: ClaimedCandidate, seconds: float) -> None:
        """Let a candidate that was stopped on request wait for a resume, with its values."""
        self._spent(claimed, seconds)
        self.storage.set_trial_state_values(claimed.trial._trial_id, TrialState.WAITING)

    def _spent(self, claimed: ClaimedCandidate, seconds: float) -> None:
        before = float(claimed.trial.user_attrs.get("seconds", 0))
        claimed.trial.set_user_attr("seconds", round(before + seconds, 3))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one worker at a time plan or repair."""
        with wait_for_lock(self.folder.file("repair.lock")):
            yield


def work(
    records: StudyRecords,
    run: Callable[[StudyRecords, ClaimedCandidate], None],
    check: Callable[[], None],
    pause_s: float = 0.3,
) -> None:
    """Run candidates until none waits and none runs; `check` raises to leave."""
    while True:
        check()
        records.repair()
        claimed = records.claim()
        if claimed is not None:
            try:
                run(records, claimed)
            finally:
                os.close(claimed.handle)
        elif records.trials(*OPEN):
            time.sleep(pause_s)  # another worker has the last ones; it may still die
        else:
            return


class SeededByIndex(BaseSampler):
    """Draws each candidate from a generator of its own, so that a resumed study goes on alike.

    A sampler with one seed would begin anew after a restart and draw its first candidates twice.
    """

    def __init__(self, make: Callable[[int], BaseSampler], entropy: tuple[int, ...]) -> None:
        self.make, self.entropy = make, entropy
        self.inner = make(0)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Begin a candidate's own sequence."""
        words = (*self.entropy, int(trial.user_attrs.get("index", trial.number)))
        self.inner = self.make(int(np.random.SeedSequence(words).generate_state(1)[0]))
        self.inner.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Ask the sampler inside."""
        return self.inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Ask the sampler inside."""
        return self.inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:  # noqa: ANN401
        """Ask the sampler inside."""
        return self.inner.sample_independent(study, trial, param_name, param_distribution)


def sampler_of(config: StudyConfig, phase: str) -> BaseSampler:
    """Return the sampler of a search.

    TPE draws its first candidates at random: a third of them, 10 at most. (Optuna's own 10 would
    leave 2 of the original study's 12 candidates to TPE.)
    """
    entropy = (config.seed, PHASES.index(phase))
    if phase == "random" or config.sampler == "random":
        return SeededByIndex(lambda seed: RandomSampler(seed=seed), entropy)
    first = min(10, max(3, config.n_candidates // 3))

    def tpe(seed: int) -> BaseSampler:
        return TPESampler(n_startup_trials=first, constant_liar=config.workers > 1, seed=seed)

    return SeededByIndex(tpe, entropy)


def pruner_of(config: StudyConfig) -> optuna.pruners.BasePruner:
    """Return what ends candidates early; it sees an epoch's validation value at a time."""
    epochs = config.base.fit.epochs
    if config.pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1)
    if config.pruner == "successive_halving":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=max(1, epochs // 8))
    if config.pruner == "hyperband":
        low = max(1, epochs // 9)
        return optuna.pruners.HyperbandPruner(min_resource=low, max_resource=max(epochs, low))
    return optuna.pruners.NopPruner()


def sum_of(params: Mapping[str, Any], value: float) -> dict[str, str]:
    """Return the checksum that a finished trial carries as an attribute."""
    return {KEY: crc_of([dict(params), value])}


def check_trial(trial: FrozenTrial) -> FrozenTrial:
    """Refuse a finished trial whose numbers have changed; one without a checksum passes."""
    expected = trial.user_attrs.get(KEY)
    if expected is None or trial.value is None:
        return trial
    if sum_of(trial.params, trial.value)[KEY] != expected:
        msg = (
            f"candidate {trial.number + 1} of the study's records is damaged (its checksum "
            "does not fit): restore study.sqlite3 from a backup, or begin a new study"
        )
        raise JobError(msg)
    return trial
