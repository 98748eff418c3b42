"""Which mechanisms there are by which tokens look at each other; no torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

from models.base.settings import did_you_mean

if TYPE_CHECKING:
    from models.transformer.attention.base import Attention


class Mechanism(NamedTuple):
    """A mechanism: one sentence, and 'module:name' of its Attention, imported when first built."""

    sentence: str
    builder: str


MECHANISMS: dict[str, Mechanism] = {
    "softmax": Mechanism(
        "softmax(q kᵀ / √d_head) v: each token weighs all others.",
        "models.transformer.attention.softmax:SoftmaxAttention",
    ),
}


def check_mechanism(name: str) -> str:
    """Return the name of a mechanism, or say which there are."""
    if name not in MECHANISMS:
        guess = did_you_mean(name, MECHANISMS)
        msg = f"attention {name!r} is not a mechanism{guess}: use one of {', '.join(MECHANISMS)}"
        raise ValueError(msg)
    return name


def mechanism_of(name: str) -> type[Attention]:
    """Return the class of a mechanism."""
    module, attribute = MECHANISMS[name].builder.split(":")
    return cast("type[Attention]", getattr(import_module(module), attribute))
