"""Trainings as a notebook starts them: here, or through the queue; and the list of them."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from models.api import Decoder
from models.catalog.config import CONFIGS
from models.catalog.registered import is_at_hand_only
from thingsviz.api.job import Job
from thingsviz.api.parts import Folds, Split
from thingsviz.api.subject import Subject
from thingsviz.core.errors import ConfigError, JobError
from thingsviz.jobs.index import JobIndex
from thingsviz.jobs.job_folder import JobFolder, create_job, jobs_root
from thingsviz.jobs.learned import Learns
from thingsviz.jobs.recipe import JobConfig, parse_config

Model = str | dict[str, Any] | object


def train(
    model: Model,
    sub: Subject,
    split: Split | Folds,
    *,
    name: str | None = None,
    targets: Sequence[str] | None = None,
    learns: Learns = "ratings",
    **settings: Any,  # noqa: ANN401
) -> Job:
    """Train here, and wait for it; the job appears on every page.

    Parameters
    ----------
    model : str, dict or estimator
        A decoder's name ("ridge", "vit3d", …) with its defaults, a dict with a name and settings,
        or an estimator of `tv.models` whose parameters are taken (it is not fitted itself).
    sub : Subject
    split : Split or Folds
        Folds (`sub.folds("session")`): a decoder a fold, and the scores of all folds.
    name : str, optional
        The job's name; a taken one gets -2, -3 and so on.
    targets : sequence of str, optional
        Which properties are learned; None: those of a recipe that says nothing (twelve).
    learns : {"ratings", "concepts", "categories27", "categories53"}
    **settings
        The rest of a recipe: fit={"epochs": 3}, standardise="none", rating_scale="z".

    Returns
    -------
    Job
        Done: its scores, predictions and curves are there.

    Raises
    ------
    ConfigError
        A setting cannot work.
    JobError
        The training ended before its end; the sentence says why.

    Examples
    --------
    >>> job = tv.train("ridge", sub, sub.split(seed=0), targets=["heavy", "lives"])
    >>> job
    Job('ridge': ridge, done)
    >>> job.scores[["property", "r", "chance", "ridge", "ceiling"]].shape
    (3, 5)
    """
    recipe = recipe_of(model, sub, split, name=name, targets=targets, learns=learns, **settings)
    job = Job(create_job(recipe))
    _run_here(job.folder)
    if job.state != "done":
        msg = f"{job.name!r} {job.state}: {job.status.message}"
        raise JobError(msg)
    return job


def submit(
    model: Model,
    sub: Subject,
    split: Split | Folds,
    *,
    name: str | None = None,
    targets: Sequence[str] | None = None,
    learns: Learns = "ratings",
    **settings: Any,  # noqa: ANN401
) -> Job:
    """Put a training into the queue and return at once; parameters are those of `train`.

    The supervisor starts it when it is its turn, in a process of its own that outlives this one.

    Returns
    -------
    Job
        Waiting: `job.wait()`, `job.status`, `job.stop()`.

    Examples
    --------
    >>> job = tv.submit("mean", sub, sub.split(seed=0), targets=["heavy"])
    >>> job.wait(timeout_s=120).state
    'done'
    """
    from thingsviz.queue.submit import start

    recipe = recipe_of(model, sub, split, name=name, targets=targets, learns=learns, **settings)
    if is_at_hand_only(recipe.model.name):
        msg = (
            f"{recipe.model.name!r} was registered in this notebook, which another process does "
            "not see: put the class into a file and name it in THINGSVIZ_OWN_MODELS"
        )
        raise ConfigError(msg)
    job = Job(create_job(recipe))
    start(job.folder)
    return job


def list_jobs() -> pd.DataFrame:
    """List all jobs below THINGSVIZ_JOBS, the last changed first; also called as `tv.jobs()`.

    Returns
    -------
    pandas.DataFrame
        A row a job: name, title, state, model, split, dataset, subject, changed (UTC).

    Examples
    --------
    >>> job = tv.train("mean", sub, sub.split(seed=0), name="first", targets=["heavy"])
    >>> tv.jobs().loc[0, ["name", "state", "model"]].tolist()
    ['first', 'done', 'mean']
    """
    columns = ("name", "title", "model", "split", "dataset", "subject")
    rows = [
        {
            **{c: getattr(job, c) for c in columns},
            "state": job.status.state,
            "changed": job.changed,
        }
        for job in JobIndex(jobs_root()).refresh()
    ]
    table = pd.DataFrame(rows, columns=[*columns, "state", "changed"])
    return table.assign(changed=pd.to_datetime(table["changed"].astype(float), unit="s"))


def recipe_of(
    model: Model,
    sub: Subject,
    split: Split | Folds,
    *,
    name: str | None,
    **settings: Any,  # noqa: ANN401
) -> JobConfig:
    """Return the recipe that `train` and `submit` run."""
    chosen, fit = _model(model)
    rest = {key: value for key, value in settings.items() if value is not None}
    data = {
        "name": name or str(chosen.get("name", "training")),
        "dataset": sub.address,
        "subject": sub.name,
        "split": split.recipe,
        "model": chosen,
        **rest,
    }
    if fit or "fit" in rest:
        data["fit"] = fit | dict(rest.get("fit", {}))
    return parse_config(data, "the recipe")


def _model(model: Model) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings of the model, and those of its training."""
    if isinstance(model, str | dict):
        return {"name": model} if isinstance(model, str) else model, {}
    if isinstance(model, Decoder):
        fit = getattr(model, "fit_config", None)
        return model.config.model_dump(), {} if fit is None else fit.model_dump()
    name = str(getattr(model, "model_name", ""))
    if name not in CONFIGS:
        msg = (
            f"a decoder's name, a dict or an estimator was expected, but {type(model).__name__} "
            "came: register a class of your own with tv.register_model"
        )
        raise ConfigError(msg)
    fields = [field for field in CONFIGS[name].model_fields if field != "name"]
    return {"name": name, **{field: getattr(model, field) for field in fields}}, {}


def _run_here(job: JobFolder) -> None:
    """Run a job in this process; what it prints goes to its log, signals stay as they were."""
    from thingsviz.pipeline.run_job import run_job

    with contextlib.ExitStack() as stack:
        stack.enter_context(_signals_kept())
        log = stack.enter_context(job.file("log.txt").open("a"))
        stack.enter_context(contextlib.redirect_stdout(log))
        stack.enter_context(contextlib.redirect_stderr(log))
        run_job(job)


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        msg = "tv.train listens to Ctrl-C, which only the main thread can: use tv.submit"
        raise JobError(msg)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
