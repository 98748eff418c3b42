"""The face of every decoder as a scikit-learn estimator: parameters, checks, words."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature, signature
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from models.api.inputs import trials_of
from models.base.arrays import Rows, TrialMatrix
from models.base.settings import Settings, did_you_mean
from models.catalog.config import CONFIGS, ModelConfig, parse_model

Face = TypeVar("Face", bound="type[Decoder]")
NAME = "name"
MASK = (
    "(X, Y, Z) bool, optional",
    "Which voxels of the grid are brain; in C order they are the columns of X.",
)


class Decoder(BaseEstimator):  # type: ignore[misc]
    """What all estimators share; `decoder` gives a subclass its parameters."""

    model_name: ClassVar[str]
    """The name of the family in recipes (models.catalog)."""
    settings: ClassVar[tuple[type[Settings], ...]]
    """Whose fields are the parameters."""

    @property
    def config(self) -> ModelConfig:
        """The settings of the model as a recipe holds them; ValueError names a wrong one."""
        return parse_model({NAME: self.model_name, **self._values(CONFIGS[self.model_name])})

    def _values(self, settings: type[Settings]) -> dict[str, Any]:
        """Return the parameters that are fields of `settings`, NumPy's scalars as Python's."""
        given = {name: getattr(self, name) for name in settings.model_fields if name != NAME}
        return {n: v.item() if isinstance(v, np.generic) else v for n, v in given.items()}

    def _read(self, X: Any) -> tuple[TrialMatrix, Rows]:  # noqa: ANN401
        """Return X (n_trials, n_voxels) of a fitted decoder and the numbers of its rows."""
        check_is_fitted(self, "model_")
        trials = trials_of(self, X, first=False)
        return trials, np.arange(trials.shape[0])

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        defaults = {p.name: p.default for p in _parameters(type(self))}
        changed = {n: v for n, v in self.get_params(deep=False).items() if v is not defaults[n]}
        words = [f"{n}={_short(v)}" for n, v in changed.items() if not _equal(v, defaults[n])]
        return f"{type(self).__name__}({', '.join(words)})"


def decoder(
    model_name: str, *more: type[Settings], **own: tuple[str, str]
) -> Callable[[Face], Face]:
    """Make the fields of a family's settings, and of `more`, the parameters of an estimator.

    `own`: parameters beside them, None by default: what kind of value, and what it is for.
    """

    def finish(cls: Face) -> Face:
        cls.model_name, cls.settings = model_name, (CONFIGS[model_name], *more)
        fields = {n: f for s in cls.settings for n, f in s.model_fields.items() if n != NAME}
        parameters = [_keyword(n, None) for n in own]
        parameters += [_keyword(n, f.default) for n, f in fields.items()]
        cls.__init__ = _init(cls.__name__, parameters)  # type: ignore[method-assign]
        words = own | {n: _words(f) for n, f in fields.items()}
        cls.__doc__ = _document(cls.__doc__ or "", words)
        return cls

    return finish


def _keyword(name: str, default: object) -> Parameter:
    if default is PydanticUndefined:  # pragma: no cover  (a setting without a default)
        msg = f"the setting {name!r} has no default: an estimator must be made without arguments"
        raise TypeError(msg)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default)


def _init(title: str, parameters: list[Parameter]) -> Callable[..., None]:
    """Return an `__init__` that keeps its arguments as they are; `fit` looks at them."""
    defaults = {p.name: p.default for p in parameters}

    def __init__(self: Decoder, **given: Any) -> None:  # noqa: N807, ANN401
        for name in given:
            if name not in defaults:
                guess = did_you_mean(name, defaults)
                msg = f"{title}() has no parameter {name!r}{guess}: it has {', '.join(defaults)}"
                raise TypeError(msg)
        for name, default in defaults.items():
            setattr(self, name, given.get(name, default))

    own = Parameter("self", Parameter.POSITIONAL_OR_KEYWORD)
    __init__.__signature__ = Signature([own, *parameters])  # type: ignore[attr-defined]
    return __init__


def _parameters(cls: type[Decoder]) -> list[Parameter]:
    return list(signature(cls).parameters.values())


def _document(text: str, words: dict[str, tuple[str, str]]) -> str:
    """Put the parameters, numpydoc, behind the first paragraphs of a class's text."""
    lines = [f"    {n} : {kind}\n        {sentence}" for n, (kind, sentence) in words.items()]
    section = "\n".join(["    Parameters", "    ----------", *lines])
    head, mark, rest = text.rstrip().partition("\n\n    Examples")
    return f"{head}\n\n{section}{mark}{rest}\n    "


def _words(field: FieldInfo) -> tuple[str, str]:
    return f"default {field.default!r}", f"{field.title}. {field.description}"


def _equal(a: object, b: object) -> bool:
    return type(a) is type(b) and not isinstance(a, np.ndarray) and a == b


def _short(value: object) -> str:
    if isinstance(value, np.ndarray):
        array: NDArray[Any] = value
        return f"<{array.dtype} {array.shape}>"
    text = repr(value)
    return text if len(text) <= 60 else f"<{type(value).__name__}>"
