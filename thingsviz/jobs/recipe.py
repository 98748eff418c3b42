"""The recipe of a training: all that decides its result, as JSON without unknown words."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.base.errors import ModelError
from models.base.settings import sentence
from models.base.upgrades import fit_2, fit_3, model_2
from models.catalog.config import CONFIGS, ModelConfig, parse_model
from models.catalog.registry import MODELS
from models.linear.config import RidgeConfig
from models.training.config import FitConfig
from thingsviz.core.errors import ConfigError
from thingsviz.core.json_files import Data, JsonFile
from thingsviz.data.trials.split_choice import (
    EACH,
    FOLD_COLUMNS,
    LEAVE_ONE_OUT,
    MOST_FOLDS,
    SplitChoice,
)
from thingsviz.jobs.learned import LEARNED, Learned, Learns
from thingsviz.jobs.own_models import load_own_models

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
# These bring their own test trials, whatever the fractions.
PROTOCOLS = ("test_images", "unseen_concepts")
# These test concepts of which the training saw no trial.
NEW_CONCEPTS = ("unseen_concepts", "concept")
SplitKind = Literal[
    "trial", "image", "concept", "session", "run", "test_images", "unseen_concepts"
]
RatingScale = Literal["unit", "raw", "z"]
TARGETS_12 = (
    *("nameability", "consistency", "manmade", "precious", "lives", "heavy"),
    *("natural", "moves", "grasp", "hold", "be-moved", "pleasant"),
)


def recipe_2(old: Data) -> Data:
    """Say what version 1 could not choose: classes, a study's candidates, four ways to train."""
    new = {"learns": "ratings", "role": "training", "study": None, **old}
    if isinstance(old.get("fit", {}), dict):
        new["fit"] = fit_2(old.get("fit", {}))
    if isinstance(old.get("model"), dict):
        new["model"] = model_2(old["model"])
    return new


def recipe_3(old: Data) -> Data:
    """Say what version 2 could not choose: how surely a fitted start must be beaten."""
    if not isinstance(old.get("fit", {}), dict):
        return old
    return old | {"fit": fit_3(old.get("fit", {}))}


def recipe_4(old: Data) -> Data:
    """Say what version 3 could not choose: a split had no folds."""
    if not isinstance(old.get("split"), dict):
        return old
    return old | {"split": {"folds": None, "fold": None, **old["split"]}}


RECIPE: JsonFile[Data] = JsonFile("recipe", Data, (recipe_2, recipe_3, recipe_4), by_hand=True)


class Strict(BaseModel):
    """Settings are immutable, and unknown names are refused instead of ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SplitConfig(Strict):
    """Which trials train, validate and test; `fractions` are (train, validation, test).

    `folds`: cross-validation. 'each' holds out every session (or run) once, a number deals the
    groups of `kind` to so many folds; validation takes its share of what a fold leaves. `fold`
    names the one, from 1, that a training is of; without it all are trained, one after another.
    """

    kind: SplitKind = "unseen_concepts"
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    folds: Annotated[int, Field(ge=2, le=MOST_FOLDS)] | Literal["each"] | None = None
    fold: Annotated[int, Field(ge=1, le=MOST_FOLDS)] | None = None

    @property
    def choice(self) -> SplitChoice:
        """What `data.trials.folds` draws the split from."""
        return SplitChoice(self.kind, self.fractions, self.seed, self.folds, self.fold)

    @property
    def is_cross_validation(self) -> bool:
        """Whether a training of this split trains a decoder a fold."""
        return self.folds is not None and self.fold is None

    @property
    def words(self) -> str:
        """How the trials are divided, in words: `split by image`, `leave one run out`."""
        if self.folds is None:
            return f"split by {self.kind.replace('_', ' ')}"
        each = f"leave one {self.kind} out"
        whole = each if self.folds == EACH else f"{self.folds} folds over {self.kind}s"
        return whole if self.fold is None else f"fold {self.fold} of {whole}"

    @model_validator(mode="after")
    def _sensible_folds(self) -> Self:
        if self.folds is None and self.fold is not None:
            msg = f"fold {self.fold} of what: give folds, or leave fold out"
            raise ValueError(msg)
        if self.folds is not None and self.kind not in FOLD_COLUMNS:
            msg = (
                f"kind {self.kind!r} brings its own test trials and has no folds: use one of "
                f"{', '.join(FOLD_COLUMNS)}"
            )
            raise ValueError(msg)
        if self.folds == EACH and self.kind not in LEAVE_ONE_OUT:
            msg = (
                f"folds 'each' leaves out one session or run: with kind {self.kind!r} give a "
                "number of folds, such as 5"
            )
            raise ValueError(msg)
        if isinstance(self.folds, int) and (self.fold or 1) > self.folds:
            msg = f"fold {self.fold} is not one of {self.folds}"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _something_to_test(self) -> Self:
        brings = self.kind in PROTOCOLS or self.folds is not None
        if not brings and self.fractions[2] == 0:
            msg = f"fractions {self.fractions} leave no trials for the test: give it a share"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if min(self.fractions) < 0 or abs(sum(self.fractions) - 1) > 1e-6 or not self.fractions[0]:
            msg = (
                f"fractions {self.fractions} must be shares of trials that add up to 1, "
                "such as (0.8, 0.1, 0.1)"
            )
            raise ValueError(msg)
        return self


class JobConfig(Strict):
    """One training. `seed` is that of split and fit too, unless those name their own."""

    version: Literal[4] = 4
    name: str = "training"
    dataset: str = Field(min_length=1, max_length=4096)
    subject: str = "sub-01"
    # What the decoder puts out: ratings of the targets, or which class it was (data/labels.py).
    learns: Learns = "ratings"
    targets: tuple[str, ...] = Field(TARGETS_12, min_length=1, max_length=64)
    rating_scale: RatingScale = "unit"
    split: SplitConfig = Field(default_factory=lambda: SplitConfig.model_validate({}))
    standardise: Literal["session", "none"] = "session"
    model: ModelConfig = RidgeConfig()
    fit: FitConfig = FitConfig()
    seed: int = Field(0, ge=0, le=2**31 - 1)
    # A study's candidate never predicts the test part; `study` names the study it belongs to.
    role: Literal["training", "candidate"] = "training"
    study: str | None = Field(None, max_length=80)

    @property
    def learned(self) -> Learned:
        """What is learned, in words and with what its trainings have in common."""
        return LEARNED[self.learns]

    @model_validator(mode="before")
    @classmethod
    def _one_seed(cls, data: Any) -> Any:  # noqa: ANN401
        if not isinstance(data, dict) or "seed" not in data:
            return data
        return {
            **data,
            **{
                part: _with_default(data.get(part), seed=data["seed"]) for part in ("split", "fit")
            },
        }

    @model_validator(mode="before")
    @classmethod
    def _loss_of_classes(cls, data: Any) -> Any:  # noqa: ANN401
        """Classes are learned by cross-entropy, unless the recipe names a loss itself."""
        learns = data.get("learns", "ratings") if isinstance(data, dict) else None
        known = LEARNED.get(learns) if isinstance(learns, str) else None
        if known is None or known.loss is None:
            return data
        return {**data, "fit": _with_default(data.get("fit"), loss=known.loss)}

    @model_validator(mode="after")
    def _learnable(self) -> Self:
        spec, kind = MODELS[self.model.name], self.learned.kind
        classes = kind == "classes"
        if not spec.can_learn(kind):
            others = ", ".join(name for name, m in MODELS.items() if m.can_learn(kind))
            msg = f"model {spec.name!r} cannot learn {self.learns}: choose from {others}"
            raise ValueError(msg)
        if spec.kind == "network" and (self.fit.loss == "cross_entropy") != classes:
            fitting = "cross_entropy" if classes else "mse or huber"
            msg = f"fit.loss {self.fit.loss!r} does not fit learns {self.learns!r}: use {fitting}"
            raise ValueError(msg)
        if self.learns == "concepts" and self.split.kind in NEW_CONCEPTS:
            return self._can_name_unseen()
        return self

    @model_validator(mode="after")
    def _one_split_a_candidate(self) -> Self:
        if self.role == "candidate" and self.split.is_cross_validation:
            msg = (
                "a study's candidates are compared on the validation part of one split: leave "
                "split.folds out, or name one with split.fold"
            )
            raise ValueError(msg)
        return self

    def _can_name_unseen(self) -> Self:
        if not MODELS[self.model.name].names_unseen:
            able = ", ".join(name for name, spec in MODELS.items() if spec.names_unseen)
            msg = (
                f"split.kind {self.split.kind!r} tests concepts that were never trained, which no "
                "classifier of concepts can name: use the split test_images or image, or learn "
                f"ratings or categories, or take the model {able}"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        check_name(self.name)
        doubled = sorted({t for t in self.targets if self.targets.count(t) > 1})
        if doubled:
            msg = f"targets names {', '.join(doubled)} more than once: name each property once"
            raise ValueError(msg)
        return self


def check_name(name: str) -> str:
    """Return a name that is safe as a folder, or say what a name may be."""
    if not SAFE_NAME.fullmatch(name):
        msg = (
            f"job name {name[:100]!r} cannot be a folder: use 1 to 80 letters, digits, dots, "
            "dashes and underscores, beginning with a letter or digit"
        )
        raise ValueError(msg)
    return name


def _with_default(part: Any, **defaults: Any) -> Any:  # noqa: ANN401
    """Give a part of a recipe what it does not say itself."""
    if isinstance(part, BaseModel):
        part = part.model_dump(exclude_unset=True)
    return {**defaults, **(part or {})} if part is None or isinstance(part, dict) else part


def parse_config(data: Any, where: str = "config") -> JobConfig:  # noqa: ANN401
    """Turn a dict (from JSON, a form or a script) into a recipe, or raise one sentence."""
    try:
        data = RECIPE.upgraded(data, where) if isinstance(data, dict) else data
        # A model's own parser knows the names that a wrong one may have meant.
        if isinstance(data, dict) and isinstance(data.get("model"), dict):
            parse_model(data["model"])
        return JobConfig.model_validate(data)
    except ModelError as error:
        raise ConfigError("; ".join(filter(None, (f"{where}: {error}", OWN_FAULT)))) from None
    except ValidationError as error:
        known = {*JobConfig.model_fields, *SplitConfig.model_fields, *FitConfig.model_fields}
        raise ConfigError(sentence(error, where, known, CONFIGS)) from None


def dump_config(config: JobConfig) -> dict[str, Any]:
    """Return the recipe as plain JSON values; `parse_config` makes the same recipe of it."""
    return config.model_dump(mode="json")


# every process that reads recipes knows a user's own decoders; what is wrong with their files
OWN_FAULT = load_own_models()
