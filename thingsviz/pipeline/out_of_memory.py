"""That memory ran out, said with the number of trials at once that would have fitted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil

from models.base.errors import ModelError
from models.catalog.registry import spec_of
from models.cost.estimate import Size, Speed, estimate
from thingsviz.core.errors import ThingsvizError
from thingsviz.jobs.recipe import JobConfig
from thingsviz.jobs.run_folder import RunFolder
from thingsviz.pipeline.training_data import find_dataset, open_store
from thingsviz.queue import cgroups

BASE_BYTES = 600e6  # what Python and torch need by themselves (models.cost.estimate.Cost)
GB = 1e9
# of torch on a CPU (two wordings), of CUDA
SAID = ("can't allocate memory", "not enough memory", "out of memory")


def ran_out(error: Exception) -> bool:
    """Whether memory ran out; torch says so in a RuntimeError, as torch.OutOfMemoryError is."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(said in words for said in SAID)
    )


def explain(folder: RunFolder, error: Exception) -> str | None:
    """Say what would fit where memory ran out; None for any other error."""
    return sentence(folder, error) if ran_out(error) else None


def on_gpu(error: Exception) -> bool:
    """Whether it was a GPU's memory."""
    return "cuda" in str(error).lower()


def sentence(job: RunFolder, error: Exception) -> str:
    """Say that memory ran out in this process, and what would fit into what there is."""
    room = _gpu_bytes() if on_gpu(error) else machine_bytes()
    where = "on the GPU" if on_gpu(error) else "here"
    return f"there is not enough memory: {advice(job, room, where)}"


def advice(job: RunFolder, room: float | None, where: str = "here") -> str:
    """Return the way out: the largest micro-batch that fits into `room` bytes, if one does."""
    room = machine_bytes() if room is None else room
    plain = "make the batch, the micro-batch or the model smaller"
    try:
        config = job.recipe()
        if spec_of(config.model).kind != "network" or room <= 0:
            return plain
        needs = _needs(job, config)
    except (ThingsvizError, ModelError, OSError):
        return plain
    now = config.fit.micro_batch_size or config.fit.batch_size
    about = (
        f"{now} trials at once need about {needs(now) / GB:.1f} GB of {room / GB:.1f} GB {where}"
    )
    least = _sharing(job.manifest())
    fits = next((n for n in _smaller(now) if n >= least and needs(n) <= room), None)
    if fits is None:
        return f"{about}, and not even {least} would fit: make the model or the batch smaller"
    return f"{about}; set 'Trials in memory' (micro_batch_size) to {fits}, which would fit"


def machine_bytes() -> float:
    """Return what a training can have of this machine, or of the container around it."""
    room = float(psutil.virtual_memory().available + psutil.Process().memory_info().rss)
    return min(room, cgroups.limit())


def _gpu_bytes() -> float:
    import torch

    with suppress(RuntimeError, AssertionError):
        return float(torch.cuda.mem_get_info()[1])
    return 0.0


def _needs(job: RunFolder, config: JobConfig) -> Callable[[int], float]:
    mask = open_store(find_dataset(config), config.subject).mask
    known = job.manifest()
    n_targets = int(known.get("n_classes", len(config.targets)))
    sharing = _sharing(known)

    def needs(n: int) -> float:
        fit = config.fit.model_copy(update={"micro_batch_size": -(-n // sharing)})
        cost = estimate(config.model, mask, fit, Size(1, 1, n_targets), Speed(1.0, 1.0))
        return BASE_BYTES + cost.bytes

    return needs


def _sharing(manifest: dict[str, Any]) -> int:
    """How many processes share each batch since the last start."""
    return int([1, *manifest.get("processes", [])][-1])


def _smaller(n: int) -> list[int]:
    """Halve a number down to 1."""
    return [n >> k for k in range(1, n.bit_length())]
