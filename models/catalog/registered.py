"""Decoders of a user's own beside the built-in ones: a class with fit and predict, by name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import create_model

from models.base.arrays import Floats, Mask, Rows, TrialMatrix
from models.base.errors import ModelError
from models.base.settings import ModelSettings, Settings, setting
from models.base.spec import Arrays, ModelSpec
from models.base.work import FLOAT, FitWork, Size
from models.catalog.registry import CONFIGS, MODELS, register

Own = TypeVar("Own", bound=type)
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
PREDICT_ROWS = 64


class OwnDecoder:
    """A registered class as every linear decoder is used; what ends with `_` is its state."""

    made_by: ClassVar[type]

    def __init__(self, config: Settings) -> None:
        self.config = config
        self.model: Any = self.made_by(**config.model_dump(exclude={"name"}))

    def fit(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Self:
        """Fit on trials `rows`, all of them in memory: (len(rows), n_voxels) float32."""
        self.model.fit(X.batch(rows), Y, groups=groups)
        return self

    def predict(self, X: TrialMatrix, rows: Rows) -> Floats:
        """Ratings, or scores of classes, (len(rows), n_outputs)."""
        parts = [rows[i : i + PREDICT_ROWS] for i in range(0, len(rows), PREDICT_ROWS)]
        out = [np.asarray(self.model.predict(X.batch(part)), np.float32) for part in parts]
        found = np.concatenate(out)
        if found.ndim == 1:
            found = found[:, None]
        return found

    def arrays(self) -> Arrays:
        """All arrays and numbers that fitting left under a name that ends with `_`."""
        kept = {n: v for n, v in vars(self.model).items() if n.endswith("_") and n[0] != "_"}
        arrays = {name: np.atleast_1d(np.asarray(value)) for name, value in kept.items()}
        wrong = [name for name, array in arrays.items() if array.dtype.kind not in "biuf"]
        if wrong or not arrays:
            which = f"{wrong[0]} is none" if wrong else "there are none"
            msg = (
                f"{self.made_by.__name__} should keep what it fitted as arrays of numbers, in "
                f"attributes that end with '_', but {which}"
            )
            raise ModelError(msg)
        return arrays

    @classmethod
    def from_arrays(cls, config: Any, arrays: Arrays) -> Self:  # noqa: ANN401
        """Rebuild a fitted decoder."""
        made = cls(config)
        vars(made.model).update(arrays)
        return made


@dataclass(frozen=True)
class OwnSpec(ModelSpec):
    """A registered architecture, which is at hand already."""

    adapter: type[OwnDecoder] = OwnDecoder

    def load(self) -> Any:  # noqa: ANN401
        """Return the class that is used as a linear decoder."""
        return self.adapter

    def work(self, config: ModelSettings, mask: Mask, size: Size) -> FitWork:
        """Count the training responses in memory; how long it takes nobody can know."""
        held = FLOAT * size.n_train * int(mask.sum())
        return FitWork(size.n_targets, 0.0, held, held)


def register_own(
    name: str, config: type[Settings] | None, learns: Literal["ratings", "classes"]
) -> Callable[[Own], Own]:
    """Return a class decorator that adds a decoder to the registry; see tv.register_model."""
    known = MODELS.get(name)
    if not NAME.fullmatch(name) or (known is not None and not isinstance(known, OwnSpec)):
        why = "is a built-in decoder" if known else "should be small letters, digits and _"
        msg = f"a decoder cannot be registered as {name!r}: it {why}, choose another name"
        raise ModelError(msg)

    def add(cls: Own) -> Own:
        for method in ("fit", "predict"):
            if not callable(getattr(cls, method, None)):
                needed = "a decoder needs fit(X, Y, groups) and predict(X)"
                msg = f"{cls.__name__} has no {method}: {needed}"
                raise ModelError(msg)
        own = _settings(name, cls, config)
        adapter = type(cls.__name__, (OwnDecoder,), {"made_by": cls})
        summary = (inspect.getdoc(cls) or f"{name}, registered by you.").partition("\n")[0]
        forget(name)  # a notebook's cell may run again
        register(OwnSpec(name, own, "linear", summary, "", "", learns, adapter=adapter))
        cls.model_name = name  # type: ignore[attr-defined]
        return cls

    return add


def forget(name: str) -> None:
    """Take a decoder of one's own out of the registry, if it is there."""
    if isinstance(MODELS.get(name), OwnSpec):
        del MODELS[name], CONFIGS[name]


def is_at_hand_only(name: str) -> bool:
    """Whether a decoder's class is in no file, so that other processes cannot have it."""
    spec = MODELS.get(name)
    return isinstance(spec, OwnSpec) and spec.adapter.made_by.__module__ == "__main__"


def _settings(name: str, cls: type, config: type[Settings] | None) -> type[ModelSettings]:
    """Return the settings: the fields of `config`, or the arguments of `__init__`."""
    named = setting(name, "Model", f"{name}, a decoder of your own.")
    fields: dict[str, Any] = {"name": (Literal[name], named)}
    if config is not None:
        fields |= {n: (f.annotation, f) for n, f in config.model_fields.items() if n != "name"}
    else:
        fields |= {p.name: _field(cls, p) for p in inspect.signature(cls).parameters.values()}
    return create_model(f"{cls.__name__}Config", __base__=ModelSettings, **fields)


def _field(cls: type, parameter: inspect.Parameter) -> tuple[Any, Any]:
    default, title = parameter.default, parameter.name
    if default is parameter.empty:
        msg = f"{cls.__name__}({title}) has no default: every setting needs one"
        raise ModelError(msg)
    words = title.replace("_", " ").capitalize()
    own_init: Any = vars(cls).get("__init__")
    annotation = inspect.get_annotations(own_init, eval_str=True).get(title)
    return annotation or type(default), setting(default, words, f"{words} of {cls.__name__}.")
