"""What a started server does before anybody comes, so that the first visitor need not wait."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import logging
import threading
import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from thingsviz.core import log

if TYPE_CHECKING:
    from thingsviz.jobs.index import JobEntry

CONTEXT = "streamlit.runtime.scriptrunner_utils.script_run_context"
# What pages import: about 1.5 s of processor time, and most of the wait of a server's first page.
MODULES = (
    "thingsviz.ui.jobs.page",
    "thingsviz.ui.trials.pickers",
    "thingsviz.ui.trials.panels",
    "thingsviz.ui.training.watch",
)
# of the jobs that have ended last; a list of 20 that nobody has seen takes 0.2 s otherwise
HEADLINES = 500
REST = 5.0  # seconds of rest for each second of reading: visitors come first


@contextlib.asynccontextmanager
async def lifespan(app: object) -> AsyncIterator[None]:
    """Begin to warm when the server starts to answer; it does not wait for it."""
    threading.Thread(target=warm, name="warm", daemon=True).start()
    yield


def warm() -> None:
    """Import what pages need, then read all job folders once: 5,000 take 1.2 s of processor time.

    Whatever fails here fails again, with its sentence, on the page that needs it.
    """
    began = time.monotonic()
    # this thread is no visitor's, and Streamlit would say so
    logging.getLogger(CONTEXT).setLevel(logging.ERROR)
    try:
        for name in MODULES:
            importlib.import_module(name)
        from thingsviz.ui.job_choice import filters

        jobs = filters.all_jobs()
        log.event("the server is warm", jobs=len(jobs), seconds=round(time.monotonic() - began, 1))
        read_headlines(jobs)
    except Exception:
        log.failure("the server could not be warmed; pages load what they need themselves")


def read_headlines(jobs: Sequence[JobEntry]) -> None:
    """Read the score that a list shows of the jobs that ended last."""
    from thingsviz.ui.job_choice.job_list import line_of

    done = (job for job in jobs if job.status.state == "done")
    for job in itertools.islice(done, HEADLINES):
        began = time.thread_time()
        line_of(job)
        time.sleep(REST * (time.thread_time() - began))


def tell(error: Exception) -> None:
    """Tell the operator of an error that ended a page's script; the page says its own word."""
    log.OURS.error("a page's script failed", exc_info=error)
