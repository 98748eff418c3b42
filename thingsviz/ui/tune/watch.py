"""A study as it goes: state, progress, its pictures, its candidates, stop, resume and more."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from thingsviz.core.errors import ThingsvizError
from thingsviz.core.typography import duration
from thingsviz.figures.base.style import Theme
from thingsviz.figures.training import study as figures
from thingsviz.figures.training import study_space as space_figures
from thingsviz.jobs.run_folder import ALIVE, RunStatus
from thingsviz.jobs.setting_titles import help_of, title_of
from thingsviz.queue import submit
from thingsviz.queue.database import name_in_line
from thingsviz.studies.config import StudyConfig
from thingsviz.studies.rows import CandidateRow, best_of
from thingsviz.studies.study_folder import StudyFolder
from thingsviz.ui import actions
from thingsviz.ui.job_choice.filters import place_text
from thingsviz.ui.job_choice.job_list import LOOKS, ago
from thingsviz.ui.shell import charts
from thingsviz.ui.shell import ui_state as state
from thingsviz.ui.shell.frame import PageContext, guard, page_path, plain
from thingsviz.ui.shell.ui_state import Key
from thingsviz.ui.tune import data as tune_data

FOLLOW_S = 2.0
LOG_LINES = 40
ENDED = {"done", "pruned", "failed"}
SEARCHES = {"tpe": "TPE", "random": "random search"}
# the final trainings' own message says what they are
PHASES = {"search": "searching", "random": "random search of equal cost", "final": ""}


def watch_study(page: PageContext, folder: StudyFolder, config: StudyConfig) -> RunStatus:
    """Show a study; while it lives, the view follows it."""
    status = folder.status()
    follow = st.fragment(_view, run_every=FOLLOW_S if status.state in ALIVE else None)
    follow(page, folder, config, status.state)
    return status


def _view(page: PageContext, folder: StudyFolder, config: StudyConfig, drawn: str) -> None:
    status = folder.status()
    if status.state == "queued":
        submit.is_alive(folder)  # brings a killed supervisor back, as for a job
    if status.state != drawn:
        st.rerun()
    with guard():
        rows = tune_data.rows(folder, "search")
        control = tune_data.rows(folder, "random") if "random" in config.controls else []
        _head(folder, config, status)
        if status.state == "queued":
            words = place_text(name_in_line(folder), status.message)
            status = replace(status, message=words)
        _progress(config, status, rows, control)
        _pictures(page.theme, folder, config, rows, control)
        _table(folder, config, [*rows, *control])
    with st.expander("Log", expanded=status.state == "failed"):
        tail = folder.log_tail(LOG_LINES)
        st.code(tail or "The process has printed nothing.", language=None, wrap_lines=True)


def _head(folder: StudyFolder, config: StudyConfig, status: RunStatus) -> None:
    colour, icon = LOOKS.get(status.state, LOOKS["stopped"])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(folder.name, anchor=False, width="content")
        st.badge(status.state, color=colour, icon=icon)  # type: ignore[arg-type]
        st.space("stretch")
        _buttons(folder, config, status)
    words = [config.base.model.name, f"{config.n_candidates} candidates", SEARCHES[config.sampler]]
    words += [f"pruner {config.pruner.replace('_', ' ')}"] if config.pruner != "none" else []
    words += [f"by {config.objective.replace('_', ' ')}", f"seed {config.seed}"]
    words += [f"started {ago(status.started_at, time.time())}"] if status.started_at else []
    st.caption(plain(" · ".join(words)))


def _buttons(folder: StudyFolder, config: StudyConfig, status: RunStatus) -> None:
    off = not actions.may_change_study(folder)
    if status.state in {"queued", "running"}:
        words = "Ends after the batch it is in; the candidate goes on from there on a resume."
        if st.button("Stop", icon=":material/stop:", key="w_tune_stop", help=words, disabled=off):
            _act(actions.end_study, folder)
    if status.state in {"stopped", "failed"}:
        words = "Goes on with the candidate that it was at; none is run twice."
        if st.button(
            "Resume", icon=":material/resume:", key="w_tune_resume", help=words, disabled=off
        ):
            _act(actions.resume_study, folder)
    if status.state in {"stopped", "done", "failed"}:
        with st.popover("Add candidates", icon=":material/add:"):
            n = st.number_input("How many", 1, 1000, 6, key="w_tune_more")
            if st.button("Add and go on", key="w_tune_add", disabled=off):
                _act(partial(actions.resume_study, more=int(n)), folder)


def _act(action: Callable[[StudyFolder], None], folder: StudyFolder) -> None:
    try:
        action(folder)
    except ThingsvizError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.rerun(scope="app")


def _progress(
    config: StudyConfig,
    status: RunStatus,
    rows: list[CandidateRow],
    control: list[CandidateRow],
) -> None:
    if status.state == "failed":
        st.error(plain(status.message), icon=":material/error:")
    elif status.state == "stopped":
        st.info(
            plain(f"Stopped: {status.message}. Resume goes on from there."),
            icon=":material/stop_circle:",
        )
    share, text = progress_of(config, rows, control)
    if status.state in ALIVE:
        waits = status.state == "queued"
        phase = "" if waits else PHASES.get(status.phase, "starting")
        words = ": ".join(word for word in (phase, status.message) if word)
        st.progress(share, text=plain(f"{words} · {text}"))
    else:
        st.caption(plain(text))


def progress_of(
    config: StudyConfig, rows: list[CandidateRow], control: list[CandidateRow]
) -> tuple[float, str]:
    """Return the share of the candidates that have ended, and how they ended, in words."""
    total = config.n_candidates * (2 if "random" in config.controls else 1)
    everyone = [*rows, *control]
    again = {(row.phase, row.number) for row in everyone if row.attempt > 1}
    last = [r for r in everyone if r.attempt > 1 or (r.phase, r.number) not in again]
    counts = Counter(row.state for row in last)
    n = sum(counts[state] for state in ENDED)
    words = [f"{n} of {total} candidates ended"]
    words += [f"{counts[word]} {word}" for word in ("pruned", "failed") if counts[word]]
    words += [f"{len(again)} repeated"] if again else []
    best = best_of(rows, maximises=config.maximises)
    if best is not None and best.value is not None:
        label = config.objective.replace("_", " ")
        words.append(f"best {label} {best.value:.3f} ({best.job})")
    return min(n / total, 1.0), " · ".join(words)


def _pictures(
    theme: Theme,
    folder: StudyFolder,
    config: StudyConfig,
    rows: list[CandidateRow],
    control: list[CandidateRow],
) -> None:
    if not any(row.value is not None for row in rows):
        st.caption("Pictures come with the end of the first candidate.")
        return
    name, objective = folder.name, config.objective
    left, right = st.columns(2)
    with left:
        info = figures.history_info(rows, control, objective)
        alt = f"Validation of {len(info.search.x)} candidates and the best so far"
        charts.show(figures.draw_history(info, theme), theme, f"study_history_{name}", alt=alt)
    with right:
        curves = figures.epochs_info(rows, objective)
        if any(len(x) > 1 for _, _, x, _ in curves.curves):
            alt = f"Validation of {len(curves.curves)} candidates over their epochs"
            figure = figures.draw_epochs(curves, theme)
            charts.show(figure, theme, f"study_epochs_{name}", alt=alt)
        else:
            _importance(theme, folder, config)
    st.caption(
        "Validation trials choose the settings, so the best of many is too good to be true: only "
        "the final training's test score counts. By chance validation r is 0, and Top-10 is 10 "
        "over the number of classes."
    )
    logs = {n: bool(getattr(values, "log", False)) for n, values in config.space.items()}
    info_space = space_figures.space_info(rows, logs, objective, titles_of(config))
    alt = f"Validation over each of {len(info_space.axes)} settings"
    figure = space_figures.draw_slices(info_space, theme)
    charts.show(figure, theme, f"study_slices_{name}", alt=alt)
    alt = "Lines of candidates through their settings to their validation"
    figure = space_figures.draw_parallel(info_space, theme)
    charts.show(figure, theme, f"study_parallel_{name}", alt=alt)
    if any(len(x) > 1 for _, _, x, _ in curves.curves):
        _importance(theme, folder, config)


def titles_of(config: StudyConfig) -> dict[str, str]:
    """Return what the form calls the settings that a study varies."""
    return {name: title_of(name, config.base.model.name) for name in config.space}


def _importance(theme: Theme, folder: StudyFolder, config: StudyConfig) -> None:
    found = tune_data.importances(folder)
    if not found:
        st.caption("Which settings matter can be said from four finished candidates on.")
        return
    titles = titles_of(config)
    info = figures.importance_info({titles.get(n, n): v for n, v in found.items()})
    shares = zip(reversed(info.names), reversed(info.shares), strict=True)
    alt = "Importance of " + ", ".join(f"{n} {100 * v:.0f} %" for n, v in shares)
    figure = figures.draw_importance(info, theme)
    charts.show(figure, theme, f"study_importance_{folder.name}", alt=alt)
    st.caption(
        "How much the values of the better candidates differ from those of all (PED-ANOVA). With "
        "few candidates this is a hint, not a result."
    )


def table_of(config: StudyConfig, rows: list[CandidateRow]) -> pd.DataFrame:
    """Return the candidates as the page lists them."""
    label, titles = config.objective.replace("_", " "), titles_of(config)
    lines = []
    for row in rows:
        if row.state == "waiting" and not row.params:
            continue
        line: dict[str, Any] = {"candidate": row.job or f"{row.number + 1}", "state": row.state}
        line |= {label: row.value}
        line |= {title: row.params.get(name) for name, title in titles.items()}
        line |= {"took": "" if row.seconds is None else duration(row.seconds)}
        line |= {"search": "study" if row.phase == "search" else "random", "note": _note(row)}
        lines.append(line)
    return pd.DataFrame(lines)


def _note(row: CandidateRow) -> str:
    if row.attempt > 1:
        return f"second attempt {row.reason}".strip()
    return row.reason


def _table(folder: StudyFolder, config: StudyConfig, rows: list[CandidateRow]) -> None:
    table = table_of(config, rows)
    if table.empty:
        return
    st.markdown("**Candidates.** A click on a row opens its training.")
    label = config.objective.replace("_", " ")
    shown = table.assign(candidate=[short_name(name, folder) for name in table["candidate"]])
    chosen = st.dataframe(
        shown,
        hide_index=True,
        placeholder="–",
        on_select="rerun",
        selection_mode="single-row",
        key=f"w_tune_table_{folder.name}",
        alt="Each candidate with its settings and its validation",
        column_config={
            "candidate": st.column_config.TextColumn("no.", pinned=True),
            label: st.column_config.NumberColumn(
                short_label(label), format="%.4f", help=f"{label.capitalize()} of the candidate."
            ),
            "note": st.column_config.TextColumn(width="medium"),
        }
        | _setting_columns(config),
    )
    picked = chosen["selection"]["rows"]
    if picked and picked[0] < len(table):
        open_job_page(str(table.iloc[picked[0]]["candidate"]), folder)


def _setting_columns(config: StudyConfig) -> dict[str, Any]:
    """Explain the settings' headings, each with its name in a recipe."""
    said = {
        title: f"{help_of(name, config.base.model.name)} In a recipe: `{name}`."
        for name, title in titles_of(config).items()
    }
    return {title: st.column_config.Column(help=words.strip()) for title, words in said.items()}


def short_name(job: str, folder: StudyFolder) -> str:
    """Return a candidate's name without its study's, which the page shows already."""
    return job.removeprefix(f"{folder.name}-")


def short_label(objective: str) -> str:
    """Write the objective in few letters, for a heading."""
    return objective.replace("validation ", "valid. ")


def open_job_page(name: str, folder: StudyFolder) -> None:
    """Turn to the Train page of a candidate."""
    if (folder.root / name / "config.json").is_file():
        state.put(Key.JOB, name)
        st.switch_page(page_path("train.py"), query_params={"job": name})
    st.info("This candidate has no training: its settings could not be put together.")
