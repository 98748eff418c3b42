"""Looks at the Jobs page with 5,000 jobs: processor time against 100 jobs, and a bare table.

    python -m benchmarks jobs_page [--jobs 5000] [--rounds 5] [--short]

Makes job folders with scores as large as real ones, opens the page without a browser (Streamlit's
AppTest) and takes the process's time of whole runs of its script; a browser asks for less, as a
search or another page of the list draws only the list anew. Scores that nobody has looked at yet
are timed apart: a server reads those of the newest 500 before anybody comes. Ends with 1 where a
look at all jobs takes more than three times that at 100, measured in the same run.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks._job_folders import plant_jobs

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

PAGE = Path(__file__).parents[1] / "pages" / "jobs.py"
FEW, SHORT = 100, 2000
GOAL_RATIO, GOAL_MS = 3.0, 150.0
Act = Callable[["AppTest"], None]


def main(argv: list[str] | None = None) -> int:
    """Measure and print; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks jobs_page", description=__doc__)
    parser.add_argument("--jobs", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--short", action="store_true", help=f"{SHORT:,} jobs, 3 rounds")
    options = parser.parse_args(argv)
    n, rounds = (SHORT, 3) if options.short else (options.jobs, options.rounds)
    logging.disable(logging.WARNING)  # Streamlit tells that it runs without a browser
    try:
        few, many = measure(FEW, rounds), measure(n, rounds)
    finally:
        logging.disable(logging.NOTSET)
    print(f"{'processor time, ms':34s}{f'{FEW} jobs':>12s}{f'{n:,} jobs':>12s}{'ratio':>8s}")
    for what, spent in many.items():
        print(f"{what:34s}{few[what]:12.0f}{spent:12.0f}{spent / few[what]:8.1f}")
    looks = [what for what in many if what not in ONCE]
    ratio = max(many[what] / few[what] for what in looks)
    worst = max(many[what] for what in looks)
    print(f"worst ratio {ratio:.1f} (goal ≤ {GOAL_RATIO:g}): {said(ratio <= GOAL_RATIO)}")
    print(f"longest look {worst:.0f} ms (goal < {GOAL_MS:.0f}): {said(worst < GOAL_MS)}")
    return 0 if ratio <= GOAL_RATIO else 1


FIRST, UNSEEN, TABLE = (
    "first look of a server",
    "next page, scores not read yet",
    "bare st.dataframe",
)
ONCE = (FIRST, UNSEEN, TABLE)


def measure(n: int, rounds: int) -> dict[str, float]:
    """Return milliseconds of processor time by kind of look, the median of some rounds."""
    from streamlit.testing.v1 import AppTest

    with tempfile.TemporaryDirectory() as folder:
        plant_jobs(Path(folder) / "jobs", n)
        os.environ["THINGSVIZ_JOBS"] = str(Path(folder) / "jobs")
        app = AppTest.from_file(PAGE, default_timeout=300)
        spent = {FIRST: run(app), UNSEEN: run(app, press("Older"))}
        run(app, press("Newer"))
        for name, acts in LOOKS.items():
            spent[name] = median(list(looks(app, acts, rounds))[1:])
        table = AppTest.from_function(bare_table, default_timeout=300)
        spent[TABLE] = median([run(table) for _ in range(rounds + 1)][1:])
    return spent


def looks(app: AppTest, acts: tuple[Act, Act], rounds: int) -> Iterator[float]:
    """Go there and back; the first time, which reads scores, is dropped by the caller."""
    there, back = acts
    for _ in range(rounds + 1):
        yield run(app, there)
        run(app, back)


def run(app: AppTest, act: Act | None = None) -> float:
    """Do something on the page and return the milliseconds of its run."""
    if act is not None:
        act(app)
    began = time.process_time()
    app.run()
    spent = 1e3 * (time.process_time() - began)
    if app.exception:
        raise RuntimeError(app.exception[0].message)
    return spent


def search(words: str) -> Act:
    """Return the act of typing words into the search field."""

    def act(app: AppTest) -> None:
        app.text_input(key="w_jobs_text").set_value(words)

    return act


def only(*states: str) -> Act:
    """Return the act of choosing states."""

    def act(app: AppTest) -> None:
        pills: Any = app.get("button_group")[0]
        pills.set_value(list(states))

    return act


def press(label: str) -> Act:
    """Return the act of pressing the first button whose label begins so."""

    def act(app: AppTest) -> None:
        next(b for b in app.button if b.label.startswith(label)).click()

    return act


def nothing(app: AppTest) -> None:
    """Look again."""


LOOKS: dict[str, tuple[Act, Act]] = {
    "look again": (nothing, nothing),
    "search": (search("training paper"), search("")),
    "filter by state": (only("failed"), only()),
    "next page of the list": (press("Older"), press("Newer")),
    "choose a job": (press("Training"), press("Close")),
}


def bare_table() -> None:
    """Show all jobs in one table, as an app without a list of its own would."""
    import pandas as pd
    import streamlit as st

    from thingsviz.ui.job_choice import filters

    rows = [
        (job.name, job.title, job.status.state, job.about.owner, job.model, job.changed)
        for job in filters.all_jobs()
    ]
    st.dataframe(pd.DataFrame(rows, columns=["name", "title", "state", "owner", "model", "at"]))


def said(met: bool) -> str:
    """Say whether a goal is met."""
    return "met" if met else "NOT met"
