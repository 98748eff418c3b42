"""Writes `models/api/__init__.pyi`, in which editors and mypy see every estimator's parameters.

    python -m models.api.write_stub

The parameters are the fields of settings classes, which no type checker can look into; a test
compares the file with what this would write.
"""

from __future__ import annotations

import subprocess
import sys
import types
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from models.api import ESTIMATORS, __all__
from models.api.classifiers import LinearClassifier
from models.api.linear import WeightedDecoder
from models.api.networks import NetworkDecoder

STUB = Path(__file__).with_name("__init__.pyi")
HEAD = '''"""Every decoder as a scikit-learn estimator (written by models/api/write_stub.py)."""

from collections.abc import Mapping, Sequence
from typing import Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import TrialMatrix
from models.base.settings import Settings as Settings
from models.base.settings import setting as setting
from models.catalog.config import ModelConfig
from models.training.config import FitConfig

Float: TypeAlias = NDArray[np.float32]
Responses: TypeAlias = NDArray[np.float16] | Float | NDArray[np.float64] | TrialMatrix
Ratings: TypeAlias = Float | NDArray[np.float64]
Labels: TypeAlias = NDArray[np.str_] | NDArray[np.int64] | Sequence[str] | Sequence[int]
Groups: TypeAlias = Labels | None
Mask: TypeAlias = NDArray[np.bool_] | None

class Decoder:
    model_name: str
    settings: tuple[type[Settings], ...]
    n_features_in_: int
    @property
    def config(self) -> ModelConfig: ...
    def get_params(self, deep: bool = True) -> dict[str, object]: ...
    def set_params(self, **params: object) -> Self: ...

class LinearDecoder(Decoder):
    def fit(self, X: Responses, Y: Ratings, groups: Groups = None) -> Self: ...
    def predict(self, X: Responses) -> Float: ...
    def score(self, X: Responses, y: Ratings, sample_weight: Ratings | None = None) -> float: ...

class WeightedDecoder(LinearDecoder):
    @property
    def coef_(self) -> Float: ...
    @property
    def intercept_(self) -> Float: ...

class LinearClassifier(Decoder):
    classes_: NDArray[np.str_]
    def fit(self, X: Responses, y: Labels, groups: Groups = None) -> Self: ...
    def predict(self, X: Responses) -> NDArray[np.str_]: ...
    def decision_function(self, X: Responses) -> Float: ...
    def score(self, X: Responses, y: Labels, sample_weight: Ratings | None = None) -> float: ...

class NetworkDecoder(Decoder):
    best_epoch_: int
    history_: list[dict[str, object]]
    @property
    def fit_config(self) -> FitConfig: ...
    def fit(
        self,
        X: Responses,
        Y: Ratings | Labels,
        groups: Groups = None,
        validation: NDArray[np.bool_] | None = None,
    ) -> Self: ...
    def predict(self, X: Responses) -> Float: ...
    def predict_proba(self, X: Responses) -> Float: ...
    def score(
        self, X: Responses, y: Ratings | Labels, sample_weight: Ratings | None = None
    ) -> float: ...
'''
OWN = {"mask": "Mask", "profiles": "Mapping[str, Ratings] | None"}
BASES = (WeightedDecoder, NetworkDecoder, LinearClassifier)


def stub() -> str:
    """Return the text of the stub, not yet formatted."""
    classes = [_class(cls) for cls in ESTIMATORS.values()]
    tail = f"ESTIMATORS: dict[str, type[Decoder]]\n__all__ = {__all__!r}\n"
    return "\n".join([HEAD, *classes, tail])


def _class(cls: Any) -> str:  # noqa: ANN401
    base = next((b.__name__ for b in BASES if issubclass(cls, b)), "LinearDecoder")
    fields = {n: f.annotation for s in cls.settings for n, f in s.model_fields.items()}
    parameters = [
        f"{p.name}: {OWN.get(p.name) or _type(fields[p.name])} = {p.default!r}"
        for p in list(signature(cls).parameters.values())
    ]
    star = ["*", *parameters] if parameters else []
    lines = [f"class {cls.__name__}({base}):"]
    lines += [f"    def __init__(self, {', '.join(star)}) -> None: ..."]
    if "predict_proba" in vars(cls):
        lines += ["    def predict_proba(self, X: Responses) -> Float: ..."]
    return "\n".join(lines) + "\n"


def _type(annotation: Any) -> str:  # noqa: ANN401
    """Write a type as source; bounds of numbers are left to the settings."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(parts[0])
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, parts))}]"
    if origin in {Union, types.UnionType}:
        return " | ".join(map(_type, parts))
    if origin is tuple:
        return f"tuple[{', '.join(map(_type, parts))}]"
    return "None" if annotation is type(None) else str(annotation.__name__)


if __name__ == "__main__":
    STUB.write_text(stub())
    sys.exit(subprocess.call([sys.executable, "-m", "ruff", "format", "-q", str(STUB)]))
