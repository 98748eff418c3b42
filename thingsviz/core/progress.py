"""How far a long piece of work is: the one value that builders report and bars show."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Progress(NamedTuple):
    """`done` of `total` steps, and one line on what is being done."""

    done: int
    total: int
    message: str


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Report to nobody."""
