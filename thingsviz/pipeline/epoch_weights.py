"""Which epochs' weights a training keeps beside the best ones, and whether there is room."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from models.training.config import FitConfig
from thingsviz.core.errors import ConfigError
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.weights import epoch_file

if TYPE_CHECKING:
    from models.base.network import Network

MOST_BYTES = 2 << 30  # of all that one job keeps


def chosen_epochs(fit: FitConfig) -> frozenset[int]:
    """Return the epochs to keep, evenly from 0 (the start) to the last; of one, the last."""
    if fit.keep_epochs < 2:
        return frozenset([fit.epochs] * fit.keep_epochs)
    places = np.linspace(0, fit.epochs, min(fit.keep_epochs, fit.epochs + 1))
    return frozenset(int(place) for place in np.rint(places))


def epoch_keeper(job: JobFolder, network: Network, fit: FitConfig) -> Callable[[int], None]:
    """Return what keeps the network's weights at the end of a chosen epoch."""
    chosen = chosen_epochs(fit)
    check_room(network, len(chosen))

    def keep(epoch: int) -> None:
        if epoch in chosen:
            from models.training.checkpoint import save_network

            save_network(epoch_file(job, epoch), network, {"epoch": epoch})

    return keep


def check_room(network: Network, n: int) -> None:
    """Refuse to keep more than MOST_BYTES, before the training starts."""
    size = sum(t.numel() * t.element_size() for t in network.state_dict().values())
    if n * size > MOST_BYTES:
        most = MOST_BYTES // size
        msg = (
            f"keep_epochs would keep {n} epochs of {size / 2**20:.0f} MB each, but "
            f"{MOST_BYTES / 2**30:.0f} GB are the most: keep at most {most}"
        )
        raise ConfigError(msg)
