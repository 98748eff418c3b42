"""What the pages read of a study: its candidates as plain rows, and which settings matter."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from thingsviz.core.errors import JobError
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.studies.config import StudyConfig
from thingsviz.studies.records import check_trial
from thingsviz.studies.storage import open_storage, storage_sentence
from thingsviz.studies.study_folder import StudyFolder

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

STATES = {
    "WAITING": "waiting",
    "RUNNING": "running",
    "COMPLETE": "done",
    "PRUNED": "pruned",
    "FAIL": "failed",
}
FEWEST_FOR_IMPORTANCE = 4


class CandidateRow(NamedTuple):
    """One candidate; `epochs` are (epoch, validation value), `number` counts from 0."""

    phase: str
    number: int
    attempt: int
    job: str
    state: str
    value: float | None
    params: dict[str, Any]
    epochs: tuple[tuple[int, float], ...]
    seconds: float | None
    reason: str


class Reader:
    """An open study that is only looked at; a second look reads what has changed since."""

    def __init__(self, folder: StudyFolder, config: StudyConfig) -> None:
        self.folder, self.config = folder, config
        self.storage: Any = None

    def _study(self, phase: str) -> Study | None:
        import optuna

        from thingsviz.studies.records import study_name

        if self.storage is None:
            self.storage = open_storage(self.folder, patience_s=5, reader=True)
        try:
            return optuna.load_study(
                study_name=study_name(self.folder, phase), storage=self.storage
            )
        except KeyError:
            return None

    def rows(self, phase: str = "search") -> list[CandidateRow]:
        """Return the candidates of a search in their order; none before it has begun."""
        from optuna.exceptions import StorageInternalError
        from sqlalchemy.exc import SQLAlchemyError

        try:
            study = self._study(phase)
            trials = [] if study is None else study.get_trials(deepcopy=False)
            return [self._row(phase, trial) for trial in trials]
        except JobError:
            if self.folder.database.exists():
                raise
            return []
        except (SQLAlchemyError, StorageInternalError, ValueError, TypeError, KeyError) as error:
            # damaged pages, and the JSON of settings in sound ones
            raise JobError(storage_sentence(self.folder, error)) from None

    def _row(self, phase: str, trial: FrozenTrial) -> CandidateRow:
        about = check_trial(trial).user_attrs
        index = int(about.get("index", trial.number))
        name = self.folder.candidate_name(phase, index)
        has_job = JobFolder(self.folder.root / name).file("config.json").is_file()
        return CandidateRow(
            phase=phase,
            number=index,
            attempt=int(about.get("attempt", 1)),
            job=name if has_job else "",
            state=STATES[trial.state.name],
            value=_known(trial.value),
            params=dict(trial.params),
            epochs=tuple(sorted(trial.intermediate_values.items())),
            seconds=_known(about.get("seconds")),
            reason=str(about.get("reason", "")),
        )

    def importances(self) -> dict[str, float]:
        """Return how much each setting matters to the objective, as shares that add up to 1.

        PED-ANOVA (Watanabe et al. 2023): how much a setting's values among the better candidates
        differ from those among all. Nothing for fewer than four candidates or one setting.
        """
        done = [row for row in self.rows() if row.state == "done"]
        names = {name for row in done for name in row.params}
        if len(done) < FEWEST_FOR_IMPORTANCE or len(names) < 2:
            return {}
        from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

        study = self._study("search")
        if study is None:
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
        return {name: float(v) for name, v in found.items() if math.isfinite(v)}


def _known(value: object) -> float | None:
    if value is None or not math.isfinite(float(value)):  # type: ignore[arg-type]
        return None
    return float(value)  # type: ignore[arg-type]


def best_of(rows: list[CandidateRow], *, maximises: bool) -> CandidateRow | None:
    """Return the candidate with the best validation value."""
    done = [row for row in rows if row.state == "done" and row.value is not None]
    sign = 1 if maximises else -1
    return max(done, key=lambda row: sign * (row.value or 0.0), default=None)
