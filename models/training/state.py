"""What a training must remember to go on bit for bit: tensors by name and JSON-ready facts."""

from __future__ import annotations

import json
import random
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.base.errors import ModelError


@dataclass
class TrainingState:
    """All that a resume needs.

    `tensors`: "network/…", "best/…", "optimizer/<parameter>/…", "rng/…". `facts`: JSON-ready;
    `facts["n_reports"]` counts the rows reported so far, so that the owner of an append-only
    metrics file can drop the rows after them before it goes on.
    """

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


def under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copies of `tensors`, each named prefix/name."""
    return {f"{prefix}/{name}": value.detach().cpu().clone() for name, value in tensors.items()}


def take(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose name starts with prefix/, without it."""
    start = prefix + "/"
    return {name[len(start) :]: t for name, t in tensors.items() if name.startswith(start)}


def optimizer_state(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], list[Any]]:
    """Moments and step counts by "parameter/name", and the groups' settings."""
    state = optimizer.state_dict()
    tensors = {
        f"{index}/{name}": torch.as_tensor(value)
        for index, values in state["state"].items()
        for name, value in values.items()
    }
    return tensors, state["param_groups"]


def load_optimizer(
    optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], groups: list[Any]
) -> None:
    """Put back what `optimizer_state` gave."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split("/")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def random_state() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """State of the generators of Python, NumPy and torch (every GPU's too)."""
    tensors = {"torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors |= {f"cuda{i}": s for i, s in enumerate(torch.cuda.get_rng_state_all())}
    version, words, gauss = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)  # noqa: NPY002
    facts = {
        "python": [version, list(words), gauss],
        "numpy": [kind, [int(k) for k in keys], position, has_gauss, cached],
    }
    return tensors, facts


def load_random_state(
    tensors: dict[str, Tensor], facts: dict[str, Any], device: torch.device | None = None
) -> None:
    """Put back what `random_state` gave; the first GPU's for `device` too, on which one trains.

    The processes of a training draw the same numbers, each on its own GPU.
    """
    torch.set_rng_state(tensors["torch"])
    if torch.cuda.is_available():
        for i in range(torch.cuda.device_count()):
            if f"cuda{i}" in tensors:
                torch.cuda.set_rng_state(tensors[f"cuda{i}"], i)
    if device is not None and device.type == "cuda" and "cuda0" in tensors:
        torch.cuda.set_rng_state(tensors["cuda0"], device)
    version, words, gauss = facts["python"]
    random.setstate((version, tuple(words), gauss))
    kind, keys, position, has_gauss, cached = facts["numpy"]
    words = np.array(keys, np.uint32)
    np.random.set_state((kind, words, position, has_gauss, cached))  # noqa: NPY002


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch, the generators that dropout and augmentations draw from."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)


def signature(recipe: dict[str, Any], resume: TrainingState | None) -> int:
    """Return a checksum of all that the processes of a training must have in common."""
    step = None if resume is None else resume.facts["step"]
    return zlib.crc32(json.dumps([recipe, step]).encode())


def check_same_recipe(saved: dict[str, Any], now: dict[str, dict[str, Any]]) -> None:
    """Refuse to go on from a state of other settings, another model or other data."""
    for part, values in now.items():
        old = saved.get(part, {})
        different = sorted(k for k in {*old, *values} if old.get(k) != values.get(k))
        if different:
            words = {"fit": "other settings", "model": "another model", "data": "other data"}
            msg = (
                f"the saved training has {words[part]} ({', '.join(different)}): start a new job "
                "instead of resuming this one"
            )
            raise ModelError(msg)
