"""The Overfitting page: the study's answer in words, its curves, its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from thingsviz.analysis.curves.overfitting import MARKS, PATIENCE, answer, best_epoch, stopped_at
from thingsviz.core.typography import duration
from thingsviz.figures.training.overfitting import NAMES, draw_study, study_info
from thingsviz.studies.overfitting import (
    OverfittingConfig,
    cells_of,
    parse_study,
    read_study,
    rows_of,
    seconds_left,
    study_folder,
)
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.resting import Resting, resting_text
from thingsviz.ui.shell.task_bar import task_bar
from thingsviz.ui.shell.ui_state import Key

WHY = (
    "Trains the original study's three classifiers on a quarter, half and all of the training "
    "trials, with and without L2. It may be stopped and goes on from there."
)
SESSIONS = {"every session": None, "one session, as in the original study": 1}
COULD_NOT = (
    "**What this could not show.** One draw of the split and of the first weights: another seed "
    "moves a loss by some hundredths. The validation trials choose the best epoch, so its loss is "
    "a little too good; the test trials are not looked at here. The networks are the original "
    "study's, with Adam 1e-3; its batch of 4 is 16 here and its CNN reads every fourth voxel "
    "instead of every second, which are an eighth as many."
)
Rows = list[dict[str, Any]]


def choose_study(page: PageContext) -> Path:
    """Let the visitor choose the sessions, and start or continue the study of them."""
    chosen = st.segmented_control(
        "Trials of",
        list(SESSIONS),
        default=next(iter(SESSIONS)),
        required=True,
        key=str(Key.W_OVERFITTING_SESSIONS),
        help="The original study had one session. It shows each concept once: no concept of a "
        "test trial was ever trained but those of the repeated test images.",
    )
    n_sessions = SESSIONS[str(chosen or next(iter(SESSIONS)))]
    folder = study_folder(page.store.fingerprint, "concepts", n_sessions)
    args = [str(folder), "--dataset", str(page.dataset.root), "--subject", page.subject]
    args += ["--sessions", str(n_sessions), "--split", "trial"] if n_sessions else []
    config = read_study(folder)
    if config is None or len(rows_of(folder)) < len(list(cells_of(config))):
        task_bar("overfitting", args, _label(folder), WHY)
        st.caption(
            cost_text(config or parse_study({"dataset": page.dataset.name}), rows_of(folder))
        )
    return folder


def cost_text(config: OverfittingConfig, rows: Rows) -> str:
    """Say how many trainings a study has and, once one is measured, how long the rest takes."""
    n = len(list(cells_of(config)))
    left_s = seconds_left(config, rows)
    if left_s is None:
        return (
            f"{n} trainings of {config.epochs} epochs each. How long that takes depends on the "
            "machine and the number of voxels and classes: after the first one the page says what "
            "the rest will take."
        )
    spent = sum(row["seconds"] for row in rows)
    return (
        f"{len(rows)} of {n} trainings took {spent:,.0f} s, {spent / len(rows):,.1f} s each; "
        f"going on like that, there is {duration(left_s)} left."
    )


def _label(folder: Path) -> str:
    config = read_study(folder)
    if config is None:
        return "Start the study"
    done, total = len(rows_of(folder)), len(list(cells_of(config)))
    return "Start the study" if not done else f"Go on: {done} of {total} trainings are done"


def show_study(folder: Path, page: PageContext) -> None:
    """Show what is known so far; say what to do where nothing is."""
    config, rows = read_study(folder), rows_of(folder)
    if config is None or not rows:
        st.info("No training of this study has ended yet.", icon=":material/info:")
        return
    _answer(config, rows)
    info = study_info(rows)
    if info is not None:
        save_as = charts.image_format()
        alt = f"Losses and Top-10 of {len(rows)} trainings over {config.epochs} epochs"
        figure = draw_study(info, page.theme)
        charts.show(figure, page.theme, "overfitting", alt=alt, save_as=save_as)
        st.caption(
            "Star: the epoch with the lowest validation loss, whose weights early stopping keeps. "
            "Upright lines: 5 and 10 epochs, the original study's. Training losses are measured "
            "while weights move, with dropout and noise where the network has them."
        )
    st.dataframe(
        table_of(rows),
        hide_index=True,
        height="content",
        alt="Each training with its losses and hits",
        column_config=columns_of(rows),
    )
    st.caption(plain(beside_table(rows)))
    st.caption(COULD_NOT)


def columns_of(rows: Rows) -> dict[str, Any]:
    """Return headings short enough for all columns to stand beside each other at 1280 px."""
    column = st.column_config
    chance = 100 * min(10 / rows[0]["n_classes"], 1)
    found: dict[str, Any] = {
        f"loss at {epoch}": column.NumberColumn(
            help=f"Validation loss after {epoch} epochs.", format="%.2f"
        )
        for epoch in MARKS
    }
    return found | {
        "trials": column.NumberColumn(help="Training trials."),
        "best": column.NumberColumn(help="The epoch with the lowest validation loss."),
        "its loss": column.NumberColumn(help="Validation loss at the best epoch.", format="%.2f"),
        "training": column.NumberColumn(help="Training loss at the best epoch.", format="%.2f"),
        "Top-10": column.NumberColumn(
            format="%.1f %%",
            help=f"Of validation trials at the best epoch; chance {chance:.1f} %.",
        ),
        "stops": column.NumberColumn(
            help=f"Where early stopping with a patience of {PATIENCE} epochs would end it."
        ),
    }


def beside_table(rows: Rows) -> str:
    """Say what is the same in many rows: chance, and each classifier's parameters."""
    sizes = {NAMES.get(row["model"], row["model"]): row["n_parameters"] for row in rows}
    words = ", ".join(f"{name} {n:,}" for name, n in sizes.items())
    chance = 100 * min(10 / rows[0]["n_classes"], 1)
    return f"Top-10 by chance {chance:.2f} %. Parameters: {words}."


def _answer(config: OverfittingConfig, rows: Rows) -> None:
    st.subheader("Was it over- or underfitting?", anchor=False)
    simulated = " The data are SIMULATED." if rows[0]["simulated"] else ""
    words = "\n".join(f"- {text}" for text in answer(rows, int(rows[0]["n_classes"])))
    st.markdown(words or "The trainings on all trials are not done yet.")
    n = rows[0]
    n_trials = int(n["n_validation"])
    rests = resting_text(Resting(n_trials, n_trials, int(n["n_classes"])))
    rests = rests[0].lower() + rests[1:]
    st.caption(
        plain(
            f"Split by {config.split.kind} 7:1:2, {n['n_classes']} concepts of which the "
            f"training shows {max(row['trained_classes'] for row in rows)}, "
            f"{config.epochs} epochs. Each curve: {rests}{simulated}"
        )
    )


def table_of(rows: Rows) -> pd.DataFrame:
    """Return a line a training: its losses at 5 and 10 epochs, its best, where it would stop."""
    return pd.DataFrame([_line(row) for row in rows])


def _line(row: dict[str, Any]) -> dict[str, Any]:
    losses = row["validation_loss"]
    best = best_epoch(losses)
    marks = {f"loss at {e}": round(losses[e - 1], 3) for e in MARKS if e <= len(losses)}
    return {
        "classifier": NAMES.get(row["model"], row["model"]),
        "trials": row["n_train"],
        "L2": row["l2"],
        **marks,
        "best": best,
        "its loss": round(losses[best - 1], 3),
        "training": round(row["train_loss"][best - 1], 3),
        "Top-10": 100 * row["validation_top10"][best - 1],
        "stops": stopped_at(losses),
        "seconds": round(row["seconds"]),
    }
