"""The rows that stand beside a decoder's scores: one object a reference, in the order of pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ReferenceRow:
    """A reference: what it is called, and where it stands."""

    name: str
    """In tables of scores."""

    label: str
    kind: Literal["baseline", "limit"]
    """A baseline has to be beaten, a limit cannot be."""

    of: Literal["ratings", "classes", "both"]
    """What a decoder learns that has it."""

    term: str
    """Which entry of the glossary explains it."""

    long: str = ""
    """As what decoders of classes are compared with it, in a sentence."""

    dash: str = ""
    """Of its line over the first k guesses; '' where it has none."""


REFERENCE_ROWS = (
    ReferenceRow("chance", "chance", "baseline", "both", "chance"),
    ReferenceRow("prior", "prior-only", "baseline", "classes", "prior-only", dash="dot"),
    ReferenceRow("mean", "mean", "baseline", "ratings", "mean"),
    ReferenceRow("ridge", "ridge", "baseline", "both", "ridge", "one-hot ridge", "dash"),
    ReferenceRow(
        "identification",
        "through ratings",
        "baseline",
        "classes",
        "identification",
        "naming through predicted ratings",
        "dashdot",
    ),
    ReferenceRow("ceiling", "noise ceiling", "limit", "both", "noise ceiling"),
    ReferenceRow("oracle", "oracle", "limit", "both", "oracle"),
)
