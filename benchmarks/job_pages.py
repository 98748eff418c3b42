"""Looks at the pages that offer trainings, with 5,000 of one subject: processor time against 50.

    python -m benchmarks job_pages [--jobs 5000] [--rounds 5] [--short]

Trains a ridge regression on the tiny planted subject, makes its maps, and puts its folder there
many times (hard links; recipe, lock and name of their own). Each page is opened without a browser
(Streamlit's AppTest) and its script run again, as at a click: printed is the processor time of
such a second look. The first one, which reads what nobody has looked at yet, is printed apart: a
server looks at all folders before anybody comes. Ends with 1 where a second look takes more than
three times that at 50 trainings, measured in the same run.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks._datasets import at_hand
from benchmarks._job_folders import copy_job

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

    from thingsviz.jobs.job_folder import JobFolder

PAGES = Path(__file__).parents[1] / "pages"
LOOKS = ("train", "predictions", "compare", "attention", "trials", "tune", "home")
OFFER = ("train", "predictions", "compare", "attention", "trials")
DRAW = ("predictions", "compare", "attention", "trials")
FEW, SHORT = 50, 1000
GOAL_RATIO = 3.0


def main(argv: list[str] | None = None) -> int:
    """Measure and print; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks job_pages", description=__doc__)
    parser.add_argument("--jobs", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--short", action="store_true", help=f"{SHORT:,} jobs, 3 rounds")
    options = parser.parse_args(argv)
    n, rounds = (SHORT, 3) if options.short else (options.jobs, options.rounds)
    at_hand("tiny")
    logging.disable(logging.WARNING)  # Streamlit tells that it runs without a browser
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["THINGSVIZ_JOBS"] = str(Path(folder) / "model")
            job = trained()
            few = measure(job, Path(folder) / "few", FEW, rounds)
            many = measure(job, Path(folder) / "many", n, rounds)
    finally:
        logging.disable(logging.NOTSET)
    print(f"{'':14s}{f'{FEW} jobs':>20s}{f'{n:,} jobs':>20s}")
    print(f"{'page':14s}{'first':>10s}{'second':>10s}{'first':>10s}{'second':>10s}{'ratio':>8s}")
    for page, (first, second) in many.items():
        one, two = few[page]
        print(f"{page:14s}{one:10.0f}{two:10.0f}{first:10.0f}{second:10.0f}{second / two:8.1f}")
    ratio = max(many[page][1] / few[page][1] for page in many)
    verdict = "met" if ratio <= GOAL_RATIO else "NOT met"
    print("ms of processor time of one look")
    print(f"worst ratio of second looks {ratio:.1f} (goal ≤ {GOAL_RATIO:g}): {verdict}")
    return 0 if ratio <= GOAL_RATIO else 1


def trained() -> JobFolder:
    """Train a ridge regression on the tiny subject and make two of its maps."""
    from thingsviz.commands import maps, train
    from thingsviz.jobs.job_folder import create_job
    from thingsviz.jobs.recipe import parse_config

    job = create_job(
        parse_config({"name": "ridge", "dataset": "tiny", "model": {"name": "ridge"}})
    )
    if train.main([str(job.path)]) or maps.main([str(job.path), "--methods", "weights,pattern"]):
        sys.exit(f"the training that is copied failed: see {job.path}")
    return job


def measure(job: JobFolder, root: Path, n: int, rounds: int) -> dict[str, tuple[float, float]]:
    """Return by page the ms of processor time of its first look, and the median of later ones."""
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    copy_job(job.path, root, n)
    os.environ["THINGSVIZ_JOBS"] = str(root)
    st.cache_data.clear()
    st.cache_resource.clear()
    place = job.predictions().query("n_averaged == 1").iloc[0]
    newest = [f"job-{i:05d}" for i in (n - 1, n - 2)]
    spent = {}
    for page in LOOKS:
        app = AppTest.from_file(PAGES / f"{page}.py", default_timeout=600)
        asked = {"dataset": "tiny", "subject": job.config().subject}
        if page == "compare":
            asked["jobs"] = ",".join(newest)
        elif page in OFFER and page != "train":
            asked["job"] = newest[0]
        if page == "trials":
            asked |= {part: str(place[part]) for part in ("session", "run", "trial")}
        for part, value in asked.items():
            app.query_params[part] = value
        first = run(app)
        check(app, page)
        spent[page] = first, median(run(app) for _ in range(rounds))
    return spent


def check(app: AppTest, page: str) -> None:
    """Refuse a page that offers none of the trainings: its time would say nothing."""
    offered = {name for box in (*app.selectbox, *app.multiselect) for name in box.options}
    offered |= {button.label for button in app.button}
    if page in OFFER and not any(name.startswith("job-") for name in offered):
        raise RuntimeError(f"{page} offers none of the trainings")
    if page in DRAW and not app.get("plotly_chart"):
        raise RuntimeError(f"{page} draws nothing of a training")


def run(app: AppTest) -> float:
    """Run a page's script; return ms of processor time."""
    began = time.process_time()
    app.run()
    spent = 1e3 * (time.process_time() - began)
    if app.exception:
        raise RuntimeError(app.exception[0].message)
    return spent
