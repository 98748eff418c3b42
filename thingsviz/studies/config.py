"""The recipe of a study: base training, search space, sampler, pruner, how many candidates."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from models.base.errors import ModelError
from models.base.settings import sentence
from models.catalog.registry import MODELS
from thingsviz.core.errors import ConfigError
from thingsviz.core.json_files import Data, JsonFile
from thingsviz.jobs.recipe import JobConfig, Strict, check_name, parse_config
from thingsviz.studies.space import Space, check_space

SAMPLERS = ("tpe", "random")
PRUNERS = ("none", "median", "successive_halving", "hyperband")
Control = Literal["random", "default"]
# Candidates are named NAME-c0001, and a final training NAME-default.
LONGEST_NAME = 60
STUDY: JsonFile[Data] = JsonFile("study", by_hand=True)


class StudyConfig(Strict):
    """A search for better settings; it looks at validation trials only, never at the test."""

    version: Literal[1] = 1
    name: str = "study"
    base: JobConfig
    space: Space = Field(min_length=1, max_length=32)
    sampler: Literal["tpe", "random"] = "tpe"
    pruner: Literal["none", "median", "successive_halving", "hyperband"] = "none"
    objective: Literal["validation_r", "validation_loss", "validation_top10"] = "validation_r"
    n_candidates: int = Field(12, ge=1, le=100_000)
    workers: int = Field(1, ge=1, le=256)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    controls: tuple[Control, ...] = ("random", "default")
    final: bool = True

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        check_name(self.name)
        if len(self.name) > LONGEST_NAME:
            msg = f"study name {self.name!r} is too long: use at most {LONGEST_NAME} characters"
            raise ValueError(msg)
        if self.pruner != "none" and MODELS[self.base.model.name].kind == "linear":
            msg = f"{self.base.model.name} is fitted in one go: choose the pruner 'none'"
            raise ValueError(msg)
        if self.base.split.is_cross_validation:
            msg = (
                "a study compares its candidates on the validation part of one split: leave the "
                "base's split.folds out, or name one of its folds with split.fold"
            )
            raise ValueError(msg)
        fitting = self.base.learned.objectives
        if self.objective not in fitting:
            msg = (
                f"objective {self.objective!r} does not fit a training that learns "
                f"{self.base.learns}: use {' or '.join(map(repr, fitting))}"
            )
            raise ValueError(msg)
        return self

    @property
    def maximises(self) -> bool:
        """Whether more of the objective is better."""
        return self.objective != "validation_loss"

    @property
    def judged(self) -> dict[str, str]:
        """The setting by which a network keeps the epoch that the objective likes best."""
        network = MODELS[self.base.model.name].kind == "network"
        return {"fit.best_by": self.objective} if network else {}


def parse_study(data: Any, where: str = "study") -> StudyConfig:  # noqa: ANN401
    """Turn a dict (from JSON, a form or a script) into a study's recipe, or raise one sentence."""
    data = STUDY.upgraded(data, where) if isinstance(data, dict) else data
    if isinstance(data, dict) and isinstance(data.get("base"), dict):
        data = data | {"base": parse_config(data["base"], f"{where}.base")}
    try:
        config = StudyConfig.model_validate(data)
        check_space(config.space, config.base, config.objective)
    except ValidationError as error:
        known = StudyConfig.model_fields
        raise ConfigError(sentence(error, where, known, ("choice", "int", "float"))) from None
    except ModelError as error:
        raise ConfigError(f"{where}: {error}") from None
    return config
