"""The scanner's names of a trial: subject, session, run and trial, all counted from 1."""

from __future__ import annotations

import re
from dataclasses import dataclass

from thingsviz.core.errors import DataError

TRAIN, TEST, CATCH = "train", "test", "catch"  # the types of a trial


@dataclass(frozen=True, order=True)
class TrialKey:
    """One trial; `trial` k is volume k − 1 of its run and row k − 1 of its conditions file."""

    session: int
    run: int
    trial: int

    def __str__(self) -> str:
        """Read like the file names: `ses-01 run-02 trial 3`."""
        return f"ses-{self.session:02d} run-{self.run:02d} trial {self.trial}"


def parse_subject(text: str) -> str:
    """Return `sub-XX` for `sub-XX`, `XX`, `X`; refuse what could not be part of a path."""
    found = re.fullmatch(r"(?:sub-)?(\w{1,16})", text.strip(), flags=re.ASCII)
    if not found:
        msg = f"subject {text!r} is not a label like 'sub-01': use letters and digits only"
        raise DataError(msg)
    label = found[1]
    return f"sub-{int(label):02d}" if label.isdigit() else f"sub-{label}"
