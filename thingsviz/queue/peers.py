"""The other processes of a training, as its first one sees them: called, sent away, explained."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # torch, which a job that fails early does not wait for
    from models.training.distributed.team import Team

FIT, LEAVE = "fit", "leave"


class Peers:
    """Wait for the first process's word while it opens the data; none where it is alone."""

    def __init__(self, team: Team | None = None) -> None:
        self.team = team
        self._waiting = team is not None

    @property
    def n_processes(self) -> int:
        """How many processes there are, this one among them."""
        return 1 if self.team is None else self.team.here.size

    def call(self) -> Team | None:
        """Have them fit with this process, which calls fit_network next."""
        if self.team is not None and self._waiting:
            self._waiting = False
            self.team.tell({"do": FIT})
        return self.team

    def dismiss(self, why: str = "") -> None:
        """Send them away; from here on this process is alone."""
        if self.team is None:
            return
        if self._waiting:
            with suppress(RuntimeError):  # one of them has ended already
                self.team.tell({"do": LEAVE, "why": why})
        self.team.part_ways()
        self.team, self._waiting = None, False

    def explain(self, error: Exception) -> Exception:
        """Return why another one ended, where an error is only the sign that it has."""
        found = None if self.team is None else self.team.explain(error)
        return found or error

    def leave_note(self, sentence: str) -> None:
        """Tell those that are in the middle of a batch why this process ends."""
        if self.team is not None:
            with suppress(RuntimeError):
                self.team.leave_note(sentence)
