"""How a training is shared: several processes are started, and all but the first only help."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from models.catalog.registry import spec_of
from models.training.distributed.processes import Processes, check_processes
from thingsviz.core.errors import ConfigError
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import JobConfig
from thingsviz.jobs.weights import best_file
from thingsviz.pipeline.fit import default_threads, fit_data
from thingsviz.pipeline.tasks.registry import open_task
from thingsviz.queue.peers import LEAVE
from thingsviz.queue.reporter import Reporter
from thingsviz.queue.submit import python_path

if TYPE_CHECKING:
    from models.training.distributed.team import Team

MOST_PROCESSES = 1024
ONE_BY_ONE = "the folds of a cross-validation are trained one by one by one process"


def count(text: str) -> int:
    """Read how many processes are wanted."""
    if not text.isdecimal() or not 1 <= int(text) <= MOST_PROCESSES:
        msg = f"--processes is {text[:40]!r}: give how many shall share each batch, 1 or more"
        raise ConfigError(msg)
    return int(text)


def can_share(job: JobFolder, n: int) -> bool:
    """Whether n processes can train the job; a linear decoder is fitted by one, and says so."""
    config = job.config()
    if config.split.is_cross_validation:
        print(f"{ONE_BY_ONE}: no others start", file=sys.stderr)
        return False
    if spec_of(config.model).kind != "network":
        print(f"{config.model.name} is fitted by one process: no others start", file=sys.stderr)
        return False
    check_processes(config.fit, Processes(0, n, n))
    return True


def keep_helpers(reporter: Reporter, config: JobConfig) -> None:
    """Send the others away where there is nothing to share, before any data are opened."""
    peers = reporter.peers
    if peers.team is None:
        return
    if config.split.is_cross_validation:
        peers.dismiss(ONE_BY_ONE)
    elif spec_of(config.model).kind != "network":
        peers.dismiss(f"{config.model.name} is fitted by one process")
    elif best_file(reporter.job).is_file():
        peers.dismiss("only predicting and scoring are left to do")
    else:
        check_processes(config.fit, peers.team.here)


def start_processes(job: JobFolder, n: int) -> NoReturn:
    """Become torchrun, which starts n processes of this machine and ends them together."""
    run = ["torch.distributed.run", "--standalone", f"--nproc-per-node={n}"]
    command = [sys.executable, "-m", *run, "-m", "thingsviz.commands.train", str(job.path)]
    threads = str(max(1, default_threads() // n))
    os.execve(
        sys.executable,
        command,
        {"OMP_NUM_THREADS": threads, **os.environ, "PYTHONPATH": python_path()},
    )


def help_fit(job: JobFolder, team: Team) -> None:
    """Do what a process that is not the first does: wait for its word, fit with it, leave.

    It writes nothing. A signal that it gets is the wish of all to stop.
    """
    reporter = Reporter(job)
    reporter.listen(once=False)
    word = team.tell({})
    if word["do"] == LEAVE:
        if word["why"]:
            print(f"{team.here} leaves: {word['why']}", file=sys.stderr)
        return
    import torch

    from models.catalog.registry import blank_network
    from models.training.checkpoint import newest_state
    from models.training.loop import Hooks, fit_network

    material = open_task(job)
    torch.set_num_threads(default_threads())
    model, n_targets = material.config.model, len(material.outputs)
    network = blank_network(model, material.store.mask, n_targets)
    hooks = Hooks(should_stop=lambda: reporter.signalled is not None)
    resume = newest_state(job.checkpoints)
    fit_network(network, fit_data(material), material.config.fit, hooks, resume, team)
