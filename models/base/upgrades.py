"""How settings and training states of earlier versions read today: what was meant then.

A default may change one day; what an old recipe meant may not. So whatever a version adds is
written out here with the value that all trainings before had.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.base.errors import ModelError

# of training states; version 1 are those whose facts name none
STATE_VERSION = 3
FIT_2: dict[str, Any] = {
    "target_weights": "equal",
    "noise_sd": 0.0,
    "repeat_mixing": 0.0,
    "optimiser": "adamw",
    "keep_epochs": 0,
}
FIT_3: dict[str, Any] = {"start_margin": 0.0}
MODEL_2: dict[str, dict[str, Any]] = {"vit3d": {"head": "linear", "start_from": "ridge"}}

Part = Mapping[str, Any]


def fit_2(fit: Part) -> dict[str, Any]:
    """Return training settings of version 1 as version 2 says them."""
    return {**FIT_2, **fit}


def fit_3(fit: Part) -> dict[str, Any]:
    """Return training settings of version 2 as version 3 says them."""
    return {**FIT_3, **fit}


def model_2(model: Part) -> dict[str, Any]:
    """Return a model's settings of version 1 as version 2 says them."""
    return {**MODEL_2.get(str(model.get("name")), {}), **model}


def upgraded_state(facts: Part, now: Mapping[str, Part]) -> dict[str, Any]:
    """Return a training state's facts as today's version writes them.

    `now` is the recipe that wants to go on. Version 1 did not note which concept each trial
    shows: the rows and ratings of its trials, which it did note, are compared alone.
    """
    version = facts.get("version", 1)
    if version > STATE_VERSION:
        msg = (
            f"the saved training was written by a newer thingsviz (version {version}, and this "
            f"one reads up to {STATE_VERSION}): update thingsviz to resume it"
        )
        raise ModelError(msg)
    new = dict(facts)
    if version < 2:
        new |= _state_2(new, now)
    if version < 3:
        new |= _state_3(new)
    return {**new, "version": STATE_VERSION}


def _state_2(facts: Part, now: Mapping[str, Part]) -> dict[str, Any]:
    # what does not change the weights is not compared
    fit = {k: v for k, v in fit_2(facts["fit"]).items() if k in now["fit"] or k in facts["fit"]}
    data = dict(facts["data"])
    data |= {k: v for k, v in now["data"].items() if k == "groups" and k not in data}
    return {"fit": fit, "model": model_2(facts["model"]), "data": data}


def _state_3(facts: Part) -> dict[str, Any]:
    """What is kept was the best of all: no start had a margin."""
    lowest = {"lowest_epoch": facts["best_epoch"], "lowest_value": facts["best_value"]}
    return {"fit": fit_3(facts["fit"]), **lowest}
