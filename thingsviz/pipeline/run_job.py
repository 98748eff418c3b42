"""Run one training in this process, alone or as one of several."""

from __future__ import annotations

import sys
import time
from functools import partial

from models.training.distributed.processes import Processes
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.pipeline.out_of_memory import explain
from thingsviz.pipeline.share import help_fit, keep_helpers
from thingsviz.pipeline.tasks.registry import open_task
from thingsviz.queue.peers import Peers
from thingsviz.queue.reporter import Reporter
from thingsviz.queue.run_process import hold, refuse, tell_ending, verdict


def run_together(job: JobFolder, here: Processes) -> int:
    """Be one of several processes: the first does all that one alone does, the others help."""
    from models.training.distributed.fabric import join

    try:
        team = join(here)
    except (RuntimeError, ValueError) as error:
        why = str(error).partition("\n")[0]
        return refuse(f"{here} did not find the others ({why}): start all of them again")
    peers = Peers(team)
    try:
        if here.leads:
            return run_job(job, peers)
        help_fit(job, team)
    except Exception as error:
        sentence, code = verdict(peers.explain(error), job.path, partial(explain, job))
        peers.leave_note(sentence)
        return refuse(f"{here}: {sentence}", code)
    finally:
        peers.dismiss() if here.leads else team.part_ways()
    return 0


def run_job(job: JobFolder, peers: Peers | None = None) -> int:
    """Hold the job and run it; nothing happens to one that runs already.

    Returns the exit code: 0 done or stopped, 2 with one sentence for what a user can mend.
    """
    return hold(job, lambda: _run(Reporter(job, peers)))


def _run(reporter: Reporter) -> int:
    return tell_ending(reporter, lambda: _train(reporter), partial(explain, reporter.job))


def _train(reporter: Reporter) -> None:
    """Do the work; torch is imported only once recipe and data are known to be sound."""
    job, config = reporter.job, reporter.job.config()
    if job.is_done(config):
        print(f"{job.name} is done: nothing is left to do", file=sys.stderr)
        return
    keep_helpers(reporter, config)
    reporter.listen(once=reporter.peers.n_processes == 1)
    started = time.monotonic()
    reporter.announce("opening the data")
    if config.split.is_cross_validation:
        from thingsviz.pipeline.cross_validation import run_folds

        run_folds(reporter)
    else:
        task = open_task(job, config=config)
        from thingsviz.pipeline.run import run

        run(reporter, task)
    reporter.finish(time.monotonic() - started)
