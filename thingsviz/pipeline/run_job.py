"""Run one training in this process: hold its folder, do the work, say how it ended."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path

from models.base.errors import ModelError
from models.training.distributed.processes import Processes
from thingsviz.core import log
from thingsviz.core.errors import EXIT_BAD_INPUT, EXIT_INTERRUPTED, ThingsvizError
from thingsviz.core.files import disk_sentence
from thingsviz.core.locks import given_lock, try_lock
from thingsviz.jobs.job_folder import JobFolder, sign
from thingsviz.pipeline import out_of_memory
from thingsviz.pipeline.share import help_fit, keep_helpers
from thingsviz.pipeline.tasks.registry import open_task
from thingsviz.queue.peers import Peers
from thingsviz.queue.reporter import Reporter, StoppedError
from thingsviz.queue.submit import tend_if_waiting
from thingsviz.queue.ticket import take_ticket

UNEXPECTED = 1


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
        sentence, code = _verdict(peers.explain(error), job.path)
        peers.leave_note(sentence)
        return refuse(f"{here}: {sentence}", code)
    finally:
        peers.dismiss() if here.leads else team.part_ways()
    return 0


def run_job(job: JobFolder, peers: Peers | None = None) -> int:
    """Hold the job and run it; nothing happens to one that runs already.

    Returns the exit code: 0 done or stopped, 2 with one sentence for what a user can mend.
    """
    peers = peers or Peers()
    try:
        handle = _hold(job)
    except OSError as error:
        return refuse(disk_sentence(error, job.path) or f"{job.path}: {error}")
    if handle is None:
        print(f"{job.name} is already running", file=sys.stderr)
        return 0
    try:
        sign(handle)
        # Without a ticket nobody has put it into the line: an old wish to stop was for another.
        if not take_ticket(job):
            job.file("stop").unlink(missing_ok=True)
        return _run(job, peers)
    finally:
        os.close(handle)
        if "SLURM_JOB_ID" not in os.environ:  # a node of a cluster is no place for a supervisor
            with suppress(OSError):
                tend_if_waiting()


def _hold(job: JobFolder) -> int | None:
    """Take the job's lock, or the one that the launcher took and handed over."""
    lock = job.file("lock")
    handle = given_lock(lock)
    return try_lock(lock) if handle is None else handle


def _run(job: JobFolder, peers: Peers) -> int:
    """Turn every ending into a status, a sentence and an exit code."""
    reporter = Reporter(job, peers)
    try:
        job.config()
        if job.is_done():
            print(f"{job.name} is done: nothing is left to do", file=sys.stderr)
            return 0
        keep_helpers(reporter)
        reporter.listen(once=peers.n_processes == 1)
        _train(reporter)
    except (StoppedError, KeyboardInterrupt):
        return _stopped(reporter)
    except Exception as error:
        return _failed(reporter, error)
    return 0


def _train(reporter: Reporter) -> None:
    """Do the work; torch is imported only once recipe and data are known to be sound."""
    started = time.monotonic()
    reporter.announce("opening the data")
    if reporter.job.config().split.is_cross_validation:
        from thingsviz.pipeline.cross_validation import run_folds

        run_folds(reporter)
    else:
        material = open_task(reporter.job)
        from thingsviz.pipeline.run import run

        run(reporter, material)
    reporter.finish(time.monotonic() - started)


def _stopped(reporter: Reporter) -> int:
    words = "stopped on request; it can be resumed"
    with suppress(OSError):
        words = reporter.job.file("stop").read_text().strip() or words
    reporter.job.file("stop").unlink(missing_ok=True)
    reporter.say("stopped", words)
    print(f"{reporter.job.name} was stopped; start it again to resume", file=sys.stderr)
    return EXIT_INTERRUPTED if reporter.signalled == signal.SIGINT else 0


def _failed(reporter: Reporter, error: Exception) -> int:
    sentence, code = _verdict(reporter.peers.explain(error), reporter.job.path)
    reporter.peers.leave_note(sentence)
    # A full disk keeps the old status; the free lock says that nothing runs.
    with suppress(OSError):
        reporter.say("failed", sentence)
    return refuse(sentence, code)


def _verdict(error: Exception, folder: Path) -> tuple[str, int]:
    """Return the sentence for a user, and the exit code: 2 for what a user can mend."""
    if not folder.is_dir():
        return f"{folder} was deleted while the job ran: nothing is left of it", EXIT_BAD_INPUT
    if isinstance(error, ThingsvizError | ModelError):
        return str(error), EXIT_BAD_INPUT
    sentence = disk_sentence(error, folder) if isinstance(error, OSError) else None
    if out_of_memory.ran_out(error):
        sentence = out_of_memory.sentence(JobFolder(folder), error)
    if sentence:
        return sentence, EXIT_BAD_INPUT
    if log.is_json():
        log.failure("an error in thingsviz ended it", job=folder.name)
    else:
        traceback.print_exception(error)
    kind = type(error).__name__
    return f"an error in thingsviz ended it ({kind}): its log tells more", UNEXPECTED


def refuse(sentence: str, code: int = EXIT_BAD_INPUT) -> int:
    """Say on stderr why nothing more happens; returns the exit code."""
    print(sentence, file=sys.stderr)
    return code
