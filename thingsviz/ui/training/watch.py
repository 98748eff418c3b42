"""A training as it goes: state, progress, curves that follow by themselves, stop and resume."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import plotly.graph_objects as go
import streamlit as st

from models.catalog.registry import MODELS
from thingsviz.core.errors import ThingsvizError
from thingsviz.core.typography import duration
from thingsviz.figures.base.style import Theme
from thingsviz.figures.training.curves import LossCurvesInfo, curves_info, draw_curves
from thingsviz.jobs.folds import newest_fold
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import JobConfig, dump_config
from thingsviz.jobs.run_folder import ALIVE, RunStatus
from thingsviz.queue import submit
from thingsviz.ui import actions
from thingsviz.ui.access.ownership import whose
from thingsviz.ui.caches import job_cache
from thingsviz.ui.job_choice import job_list as jobs_list
from thingsviz.ui.job_choice.filters import place_text
from thingsviz.ui.job_choice.fold_scores import show_folds
from thingsviz.ui.job_choice.job_list import LOOKS, ago
from thingsviz.ui.job_choice.score_strip import score_strip
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext, guard, page_path, plain
from thingsviz.ui.shell.resting import resting_of, resting_text
from thingsviz.ui.training import job_form
from thingsviz.ui.training.notes import start_text

# seconds between two looks at a running job: with the writing, a point is on the page within 2 s
FOLLOW_S = 1.5
LOG_LINES = 40


class WatchedState(NamedTuple):
    """What the page was drawn for: when it changes, the whole page is drawn anew."""

    state: str
    alive: bool


def job_view(page: PageContext, job: JobFolder) -> None:
    """Show a job in full: its way, its score once it is done, and the way to a next one."""
    status = watch_job(job, page.theme)
    if status.state == "done":
        _score(page, job)
    with st.container(horizontal=True):
        new = st.button("New training", icon=":material/add:", key="w_new")
        again = st.button(
            "Train a variant",
            icon=":material/tune:",
            key="w_again",
            disabled=page.kept is None,
            help="Opens the form with this job's settings.",
        )
    if again:
        job_form.fill_form(job.config(), page.store.grid.shape)
    if new or again:
        jobs_list.leave(page)


def _score(page: PageContext, job: JobFolder) -> None:
    if job.config().role == "candidate":
        _candidate(job.config().study or "")
        return
    scores = job_cache.scores(job)
    info = None if scores is None else jobs_list.headline(scores, job.config().model.name)
    if info is None:
        st.info("This job has no score on its test trials.", icon=":material/info:")
        return
    limits = job_cache.could_not_show(job)
    score_strip(info, page.theme, "headline", could_not_show=limits)
    show_folds(job, info, page.theme, "headline")


def _candidate(study: str) -> None:
    sentence = f"A candidate of the study {study}: compared on validation trials, never tested."
    st.info(plain(sentence), icon=":material/tune:")
    st.page_link(page_path("tune.py"), label="See the study", query_params={"study": study})


def watch_job(job: JobFolder, theme: Theme) -> RunStatus:
    """Show a job; while it lives, the view follows it."""
    config, status = job.config(), job.status()
    alive = status.state in ALIVE
    follow = st.fragment(_view, run_every=FOLLOW_S if alive else None)
    follow(job, config, theme, WatchedState(status.state, alive))
    if status.state == "failed":
        _log(job, expanded=True)
    elif status.state != "queued":
        _log(job, expanded=False)
    return status


def _view(job: JobFolder, config: JobConfig, theme: Theme, shown: WatchedState) -> None:
    status = job.status()
    if status.state == "queued":
        submit.is_alive(job)  # a supervisor that was killed is brought back by who looks
    if status.state != shown.state:
        st.rerun()
    with guard():
        _head(job, config, status)
        _progress(job, status)
        _curves(job, config, theme)


def _head(job: JobFolder, config: JobConfig, status: RunStatus) -> None:
    colour, icon = LOOKS.get(status.state, LOOKS["stopped"])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(job.name, anchor=False, width="content")
        st.badge(status.state, color=colour, icon=icon)  # type: ignore[arg-type]
        st.space("stretch")
        _buttons(job, status)
    of_ratings = config.learned.kind == "ratings"
    learned = f"{len(config.targets)} properties" if of_ratings else config.learned.plural
    words = [config.model.name, learned]
    words += [config.split.words, f"seed {config.seed}"]
    words += [f"started {ago(status.started_at, time.time())}"] if status.started_at else []
    st.caption(plain(" · ".join(words)))


def _buttons(job: JobFolder, status: RunStatus) -> None:
    if status.state in {"queued", "running"}:
        clicked = st.button(
            "Stop",
            icon=":material/stop:",
            key="w_stop",
            help=whose(job) or STOP_HELP,
            disabled=bool(whose(job)),
        )
        if clicked:
            _act(actions.stop_training, job)
    if status.state in {"stopped", "failed"}:
        clicked = st.button(
            "Resume",
            icon=":material/resume:",
            key="w_resume",
            help=whose(job) or RESUME_HELP,
            disabled=bool(whose(job)),
        )
        if clicked:
            _act(actions.resume_training, job)
    if status.state == "done" and job.file("predictions.parquet").is_file():
        st.page_link(
            page_path("predictions.py"),
            label="See the predictions",
            icon=":material/query_stats:",
            query_params={"job": job.name},
        )


STOP_HELP = "Ends the training after the batch it is in; its state is kept for a resume."
RESUME_HELP = "Goes on from the last saved state; the result is the same as without the break."


def _act(action: Callable[[JobFolder], None], job: JobFolder) -> None:
    try:
        action(job)
    except ThingsvizError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.rerun(scope="app")


def _progress(job: JobFolder, status: RunStatus) -> None:
    if status.state == "failed":
        st.error(plain(status.message or "The training failed."), icon=":material/error:")
    elif status.state == "stopped":
        st.info(plain(stopped_text(status)), icon=":material/stop_circle:")
    if status.state == "queued":
        status = replace(status, message=place_text(job.name, status.message))
    if status.state in ALIVE:
        st.progress(min(max(status.share, 0.0), 1.0), text=plain(progress_text(status)))


def stopped_text(status: RunStatus) -> str:
    """Say where a stopped job stands."""
    where = f" after epoch {status.epoch} of {status.n_epochs}" if status.n_epochs else ""
    why = f": {status.message}" if status.message else ""
    return f"Stopped{where}{why}. Resume goes on from the last saved state."


def progress_text(status: RunStatus) -> str:
    """Say how far a job is and how long it will take, in one line."""
    words = []
    if status.message.startswith("fold "):
        words.append(status.message)
    elif status.n_epochs:
        words.append(f"epoch {status.epoch} of {status.n_epochs}")
    elif status.started_at is not None:
        words.append(f"for {duration(time.time() - status.started_at)}")
    if status.n_steps and not status.message.startswith("fold "):
        words.append(f"batch {status.step:,} of {status.n_steps:,}")
    if status.eta_s is not None and status.state == "running":
        words.append(f"about {duration(status.eta_s)} left")
    # a training's usual message repeats the epoch
    if status.message and not (words and status.message.startswith(("epoch ", "fold "))):
        words.append(status.message)
    return " · ".join(words) or status.state


def _curves(job: JobFolder, config: JobConfig, theme: Theme) -> None:
    if MODELS[config.model.name].kind == "linear":
        st.caption("A linear decoder is fitted in one go: there is no curve to watch.")
        return
    if config.split.is_cross_validation:
        fold = newest_fold(job)
        if fold is None:
            return
        job = fold
        st.caption(f"Curves of {job.name.replace('-', ' ')}, the newest.")
    rows = job_cache.metrics(job)
    if not rows:
        return
    info = curves_info(rows, *loss_words(config), config.fit.best_by)
    charts.show(drawn(info, theme), theme, f"curves_{job.name}", alt=_alt(info.epochs))
    rests = resting_of(job, config)
    by_chance = "" if config.learned.kind != "ratings" else " by chance validation r is 0, and"
    words = (
        f"Validation trials choose the epoch, so their curve is no result:{by_chance} the score "
        "of the test trials comes at the end, with all its references."
    )
    said = (words, resting_text(rests) if rests else "", start_text(rows, config.fit))
    st.caption(" ".join(filter(None, said)))


@lru_cache(maxsize=32)
def drawn(info: LossCurvesInfo, theme: Theme) -> go.Figure:
    """Return the picture of curves; all who watch share it until there is a new point.

    Drawing takes 50 ms of processor time, the rest of a look at a running job 15.
    """
    return draw_curves(info, theme)


def loss_words(config: JobConfig) -> tuple[str, float | None]:
    """Return what the loss is called, and what predicting the mean has; None where unknown."""
    if config.fit.loss == "cross_entropy":
        return "Cross-entropy of classes", None
    z = config.fit.target_scaling == "z"
    label = "MSE" if config.fit.loss == "mse" else f"Huber loss, δ = {config.fit.huber_delta:g}"
    unit = "of z-scored ratings" if z else "of ratings"
    return f"{label} {unit}", 1.0 if z and config.fit.loss == "mse" else None


def _alt(epochs: tuple[int, ...]) -> str:
    return f"Curves of a training over {len(epochs)} epochs: losses, validation r, learning rate"


def _log(job: JobFolder, *, expanded: bool) -> None:
    with st.expander("Log and recipe", expanded=expanded):
        tail = job.log_tail(LOG_LINES)
        st.code(tail or "The process has printed nothing.", language=None, wrap_lines=True)
        recipe = json.dumps(dump_config(job.config()), indent=1)
        st.download_button("Recipe (config.json)", recipe, "config.json", "application/json")
