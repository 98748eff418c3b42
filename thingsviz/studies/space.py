"""What a study may vary: any number or choice of the model's and the training's settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, get_args, get_origin

from pydantic import Field, TypeAdapter, ValidationError, model_validator
from pydantic.fields import FieldInfo

from models.base.settings import did_you_mean
from models.catalog.config import CONFIGS
from models.catalog.registry import MODELS
from models.training.config import FitConfig
from thingsviz.core.errors import ConfigError
from thingsviz.jobs.recipe import JobConfig, Strict, dump_config, parse_config

Value = bool | int | float | str | None | tuple[int, ...]
# A study draws its candidates itself and compares them on one seed, device and measure.
FIXED = {"model.name", "fit.seed", "fit.device", "model.seed", "fit.best_by"}
# With these in the space, the losses of two candidates are not on one scale.
OTHER_LOSS = {"fit.loss", "fit.huber_delta", "fit.target_scaling", "fit.target_weights"}


class ChoiceRange(Strict):
    """One of a few values, in no order."""

    kind: Literal["choice"] = "choice"
    options: tuple[Value, ...] = Field(min_length=1, max_length=64)

    @model_validator(mode="after")
    def _different(self) -> Self:
        if len({json.dumps(option) for option in self.options}) < len(self.options):
            msg = f"options {list(self.options)} names a value twice: name each once"
            raise ValueError(msg)
        return self

    def ends(self) -> tuple[Value, ...]:
        """Return the values whose bounds have to be checked."""
        return self.options


class IntegerRange(Strict):
    """A whole number between two, both included."""

    kind: Literal["int"] = "int"
    low: int
    high: int
    log: bool = False

    @model_validator(mode="after")
    def _upwards(self) -> Self:
        check_range(self.low, self.high, log=self.log)
        return self

    def ends(self) -> tuple[Value, ...]:
        """Return the values whose bounds have to be checked."""
        return (self.low, self.high)


class NumberRange(Strict):
    """A number between two; `log` draws its order of magnitude."""

    kind: Literal["float"] = "float"
    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _upwards(self) -> Self:
        check_range(self.low, self.high, log=self.log)
        return self

    def ends(self) -> tuple[Value, ...]:
        """Return the values whose bounds have to be checked."""
        return (self.low, self.high)


Range = Annotated[ChoiceRange | IntegerRange | NumberRange, Field(discriminator="kind")]
Space = dict[str, Range]


def check_range(low: float, high: float, *, log: bool) -> None:
    """Refuse a range that goes down, or a logarithm of what has none."""
    if low > high:
        msg = f"the range {low:g} to {high:g} goes down: swap its ends"
        raise ValueError(msg)
    if log and low <= 0:
        msg = f"the range {low:g} to {high:g} cannot be logarithmic: begin it above 0"
        raise ValueError(msg)


def fields_that_vary(model: str) -> dict[str, FieldInfo]:
    """Return the settings of a model and its training that a space may hold, by dotted name."""
    parts = {"model": CONFIGS[model].model_fields}
    if MODELS[model].kind == "network":
        parts["fit"] = FitConfig.model_fields
    found = {f"{part}.{n}": info for part, fields in parts.items() for n, info in fields.items()}
    return {name: info for name, info in found.items() if name not in FIXED}


def check_space(space: Mapping[str, Range], base: JobConfig, objective: str) -> None:
    """Refuse in one sentence a space that these settings do not have or do not allow."""
    known = fields_that_vary(base.model.name)
    for name, values in space.items():
        if name not in known:
            guess = did_you_mean(name, known) or f": use one of {', '.join(known)}"
            msg = f"space: {name!r} is not a setting that a study of {base.model.name} can vary"
            raise ConfigError(msg + guess)
        _check_values(name, known[name], values)
    mixed = sorted(OTHER_LOSS & space.keys())
    if mixed and objective == "validation_loss":
        msg = (
            f"with {mixed[0]} in the space, losses are not on one scale: choose the objective "
            "validation_r"
        )
        raise ConfigError(msg)


def _check_values(name: str, info: FieldInfo, values: Range) -> None:
    wanted = kind_of(info)
    if isinstance(values, NumberRange) and wanted == "int":
        msg = f"space: {name} takes whole numbers: give it a range of kind 'int'"
        raise ConfigError(msg)
    if not isinstance(values, ChoiceRange) and wanted == "choice":
        msg = f"space: {name} is a choice, not a number: list the options to try"
        raise ConfigError(msg)
    annotation: Any = info.annotation
    for rule in info.metadata:
        annotation = Annotated[annotation, rule]
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    for value in values.ends():
        try:
            adapter.validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            words = error.errors(include_url=False)[0]["msg"]
            words = words[0].lower() + words[1:]
            msg = f"space: {name} cannot be {value!r} ({words}): keep the range inside its bounds"
            raise ConfigError(msg) from None


def kind_of(info: FieldInfo) -> Literal["choice", "int", "float"]:
    """Say how a setting can vary: as a choice, in whole numbers, in numbers."""
    kinds = [t for t in get_args(info.annotation) if t is not type(None)]
    whole = type(None) in get_args(info.annotation) and len(kinds) == 1
    annotation = kinds[0] if whole else info.annotation
    if get_origin(annotation) is not None:
        return "choice"
    return {int: "int", float: "float"}.get(annotation, "choice")  # type: ignore[arg-type, return-value]


def bounds_of(info: FieldInfo) -> tuple[float | None, float | None]:
    """Return the smallest and largest value that a setting allows, where it has any."""
    found = {}
    for rule in info.metadata:
        for ends, names in (("low", ("ge", "gt")), ("high", ("le", "lt"))):
            for name in names:
                if hasattr(rule, name):
                    found[ends] = float(getattr(rule, name))
    return found.get("low"), found.get("high")


def suggest(trial: Any, space: Mapping[str, Range]) -> dict[str, Value]:  # noqa: ANN401
    """Let an Optuna trial choose a value for each setting; the same again for a known trial."""
    return {name: _suggest_one(trial, name, values) for name, values in space.items()}


def _suggest_one(trial: Any, name: str, values: Range) -> Value:  # noqa: ANN401
    if isinstance(values, ChoiceRange):
        # Optuna keeps plain values only: a patch size is kept as its text.
        texts = {shown(option): option for option in values.options}
        return texts[trial.suggest_categorical(name, list(texts))]
    if isinstance(values, IntegerRange):
        return int(trial.suggest_int(name, values.low, values.high, log=values.log))
    return float(trial.suggest_float(name, values.low, values.high, log=values.log))


def shown(option: Value) -> bool | int | float | str | None:
    """Return an option as Optuna and the pages show it."""
    return " × ".join(map(str, option)) if isinstance(option, tuple) else option


def with_values(base: JobConfig, values: Mapping[str, Value], **more: Any) -> JobConfig:  # noqa: ANN401
    """Return the recipe with settings replaced; a combination that cannot work is a sentence."""
    data = dump_config(base)
    for name, value in values.items():
        part, field = name.split(".", 1)
        data[part][field] = list(value) if isinstance(value, tuple) else value
    return parse_config({**data, **more}, "the candidate")


def suggested_space(base: JobConfig) -> Space:
    """Return a space to begin with, by the kind of model and its way of embedding patches."""
    known = fields_that_vary(base.model.name)
    embedding = getattr(base.model, "patch_embedding", None)
    space = LOCAL_SPACE if embedding == "local" else REPORT_SPACE
    if embedding is None:
        space = LINEAR_SPACE if MODELS[base.model.name].kind == "linear" else NETWORK_SPACE
    found = {name: values for name, values in space.items() if name in known}
    for name, values in list(found.items()):
        try:
            _check_values(name, known[name], values)
        except ConfigError:
            del found[name]
    return found


REPORT_SPACE: Space = {
    "model.embed_dim": ChoiceRange(options=(256, 512, 768)),
    "model.n_layers": IntegerRange(low=3, high=8),
    "fit.learning_rate": NumberRange(low=1e-5, high=1e-3, log=True),
}
LOCAL_SPACE: Space = {
    "model.embed_dim": ChoiceRange(options=(32, 64, 128)),
    "model.n_layers": IntegerRange(low=0, high=3),
    "model.input_dropout": NumberRange(low=0.2, high=0.8),
    "fit.learning_rate": NumberRange(low=1e-4, high=3e-3, log=True),
    "fit.weight_decay": NumberRange(low=1e-3, high=0.3, log=True),
}
NETWORK_SPACE: Space = {
    "model.dropout": NumberRange(low=0.0, high=0.7),
    "fit.learning_rate": NumberRange(low=1e-5, high=3e-3, log=True),
    "fit.weight_decay": NumberRange(low=1e-4, high=0.3, log=True),
}
LINEAR_SPACE: Space = {
    "model.score_power": NumberRange(low=0.0, high=2.0),
    "model.n_selected_voxels": IntegerRange(low=300, high=20_000, log=True),
}
