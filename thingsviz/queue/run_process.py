"""How a process holds the folder that it works in, and how each of its endings is told."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from models.base.errors import ModelError
from thingsviz.core import log
from thingsviz.core.errors import EXIT_BAD_INPUT, EXIT_INTERRUPTED, ThingsvizError
from thingsviz.core.files import disk_sentence
from thingsviz.core.locks import given_lock, try_lock
from thingsviz.jobs.run_folder import RunFolder
from thingsviz.queue.reporter import RunReporter, StoppedError
from thingsviz.queue.submit import tend_if_waiting
from thingsviz.queue.ticket import take_ticket

UNEXPECTED = 1
# says in one sentence what a user can mend, where it is nothing that the folder's room knows
Explain = Callable[[Exception], str | None]


def hold(folder: RunFolder, work: Callable[[], int]) -> int:
    """Hold a job's or study's folder while `work` runs; nothing happens to one that runs already.

    Returns the exit code: 0 done or stopped, 2 with one sentence for what a user can mend.
    """
    lock = folder.file("lock")
    try:
        given = given_lock(lock)
        handle = try_lock(lock) if given is None else given
    except OSError as error:
        return refuse(disk_sentence(error, folder.path) or f"{folder.path}: {error}")
    if handle is None:
        print(f"{folder.name} is already running", file=sys.stderr)
        return 0
    try:
        sign(handle)
        # A launcher has removed an old wish to stop: one that is there is new. By hand, it is old.
        if not take_ticket(folder) and given is None:
            folder.file("stop").unlink(missing_ok=True)
        return work()
    finally:
        os.close(handle)
        if "SLURM_JOB_ID" not in os.environ:  # a node of a cluster is no place for a supervisor
            with suppress(OSError):
                tend_if_waiting()


def sign(handle: int) -> None:
    """Write into a lock whose it is, for a supervisor that has not started this process."""
    cluster_id = os.environ.get("SLURM_JOB_ID")
    with suppress(OSError):
        os.ftruncate(handle, 0)
        words = f"slurm {cluster_id}" if cluster_id else str(os.getpid())
        os.pwrite(handle, words.encode(), 0)


def tell_ending(reporter: RunReporter, work: Callable[[], object], explain: Explain) -> int:
    """Turn every ending of `work` into a status, a sentence and an exit code."""
    try:
        work()
    except (StoppedError, KeyboardInterrupt) as wish:
        return _stopped(reporter, by_hand=isinstance(wish, KeyboardInterrupt))
    except Exception as error:
        return _failed(reporter, error, explain)
    return 0


def _stopped(reporter: RunReporter, *, by_hand: bool) -> int:
    reporter.say("stopped", reporter.take_wish() or "stopped on request; it can be resumed")
    print(f"{reporter.folder.name} was stopped; start it again to resume", file=sys.stderr)
    return EXIT_INTERRUPTED if by_hand or reporter.signalled == signal.SIGINT else 0


def _failed(reporter: RunReporter, error: Exception, explain: Explain) -> int:
    sentence, code = verdict(reporter.peers.explain(error), reporter.folder.path, explain)
    reporter.peers.leave_note(sentence)
    # A full disk keeps the old status; the free lock says that nothing runs.
    with suppress(OSError):
        reporter.say("failed", sentence)
    return refuse(sentence, code)


def verdict(error: Exception, folder: Path, explain: Explain) -> tuple[str, int]:
    """Return the sentence for a user, and the exit code: 2 for what a user can mend."""
    if not folder.is_dir():
        return f"{folder} was deleted while it ran: nothing is left of it", EXIT_BAD_INPUT
    if isinstance(error, ThingsvizError | ModelError):
        return str(error), EXIT_BAD_INPUT
    sentence = explain(error)
    if sentence is None and isinstance(error, OSError):
        sentence = disk_sentence(error, folder)
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
