"""What a family of decoders says of itself: one object beside its settings, for the registry."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, Protocol, Self

from numpy.typing import NDArray

from models.base.arrays import Floats, Mask, Rows, TrialMatrix
from models.base.settings import ModelSettings
from models.base.work import FitWork, NetworkWork, Size

Arrays = dict[str, NDArray[Any]]


class LinearModel(Protocol):
    """A decoder that is fitted in one go; predictions come out on the scale of Y."""

    def fit(self, X: TrialMatrix, rows: Rows, Y: Floats, groups: NDArray[Any]) -> Self:
        """Fit on trials `rows` with ratings Y (len(rows), n_targets), concepts (len(rows),)."""
        ...

    def predict(self, X: TrialMatrix, rows: Rows) -> Floats:
        """Ratings (len(rows), n_targets)."""
        ...

    def arrays(self) -> Arrays:
        """Everything that was fitted, for a safetensors file."""
        ...

    @classmethod
    def from_arrays(cls, config: Any, arrays: Arrays) -> Self:  # noqa: ANN401
        """Rebuild a fitted model from its config and `arrays()`."""
        ...


@dataclass(frozen=True)
class ModelSpec:
    """One architecture: its settings, its kind, one sentence for the form, where it is built.

    `builder` and `cost` are 'module:name', imported when first used: a form costs no torch.
    """

    name: str
    config: type[ModelSettings]
    kind: Literal["network", "linear"]
    summary: str
    builder: str
    cost: str
    """A function (config, mask, Size) → NetworkWork or FitWork."""

    learns: Literal["ratings", "classes"] | None = None
    """What a linear decoder learns, ratings unless it says otherwise; networks learn both."""

    takes_mask: bool = False
    names_unseen: bool = False
    """Whether it is told each class's ratings (`know`) and so names classes it never saw."""

    def can_learn(self, what: str) -> bool:
        """Whether the architecture can learn 'ratings', or classes of any kind."""
        given = "ratings" if what == "ratings" else "classes"
        return self.kind == "network" or (self.learns or "ratings") == given

    def load(self) -> Any:  # noqa: ANN401
        """Import the class that the spec names."""
        return _imported(self.builder)

    def work(self, config: ModelSettings, mask: Mask, size: Size) -> NetworkWork | FitWork:
        """Count what a training with these settings takes on a brain mask (X, Y, Z)."""
        counted: NetworkWork | FitWork = _imported(self.cost)(config, mask, size)
        return counted


def _imported(place: str) -> Any:  # noqa: ANN401
    module, name = place.split(":")
    return getattr(import_module(module), name)
