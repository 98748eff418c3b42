"""Whether a training over- or underfits, read off its losses epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

MARKS = (5, 10)  # the original study's epochs
PATIENCE = 3
RISEN = 1.02  # validation loss over its best: more than the noise of a few hundred trials
LEARNED = 0.95  # training loss below so much of log(classes): something was learned
FALLING = 0.995  # validation loss over the epoch before: still falling
Row = dict[str, Any]


class EpochVerdict(NamedTuple):
    """What a training was doing after some epochs: a word, and a sentence with its numbers."""

    word: str
    sentence: str


def guessing_loss(n_classes: int) -> float:
    """Return the cross-entropy of naming all classes alike, log(n_classes)."""
    return math.log(n_classes)


def best_epoch(losses: Sequence[float], upto: int | None = None) -> int:
    """Return the epoch (from 1) of the lowest validation loss among the first `upto`."""
    known = list(losses[:upto])
    return min(range(len(known)), key=lambda i: known[i]) + 1


def stopped_at(losses: Sequence[float], patience: int = PATIENCE) -> int | None:
    """Return the epoch at which early stopping ends a training; None where it never does."""
    best, since = math.inf, 0
    for epoch, loss in enumerate(losses, 1):
        best, since = (loss, 0) if loss < best else (best, since + 1)
        if since >= patience:
            return epoch
    return None


def verdict(
    train: Sequence[float], validation: Sequence[float], n_classes: int, epoch: int
) -> EpochVerdict:
    """Say what a training was doing at an epoch (from 1).

    overfitting: the validation loss stands more than 2 % above its best while the training loss
    is below 95 % of guessing's; underfitting: the training loss is not, or the validation loss
    still falls by more than half a percent an epoch; else it has levelled off. A training loss
    below half the validation loss is said there as well.
    """
    here, guess = min(epoch, len(train)), guessing_loss(n_classes)
    t, v = train[here - 1], validation[here - 1]
    best = best_epoch(validation, here)
    lowest = validation[best - 1]
    numbers = f"training loss {t:.2f}, validation loss {v:.2f}, guessing {guess:.2f}"
    if v > RISEN * lowest and t < LEARNED * guess:
        gain = "" if lowest < 0.99 * guess else ", which is no better than guessing"
        why = f"the validation loss was lowest after epoch {best} ({lowest:.2f}){gain}"
        return EpochVerdict("overfitting", f"overfitting after epoch {here}: {numbers}; {why}.")
    falling = here > 1 and v < FALLING * validation[here - 2]
    if t >= LEARNED * guess or falling:
        why = "both still fall, more epochs may help" if falling else "it has hardly learned"
        return EpochVerdict("underfitting", f"underfitting after epoch {here}: {numbers}; {why}.")
    by_heart = "; it knows its trials by heart, which has not cost it yet" if t < v / 2 else ""
    return EpochVerdict("levelled off", f"levelled off after epoch {here}: {numbers}{by_heart}.")


def answer(cells: Sequence[Row], n_classes: int) -> list[str]:
    """Answer its question, a sentence a classifier: over- or underfitting, at 5 and 10.

    `cells`: rows with model, share (of the training trials), l2, train_loss, validation_loss,
    validation_top10, in the order of the study; the plain ones (all trials, no L2) are judged.
    """
    return [_of_model(cell, cells, n_classes) for cell in cells if _is_plain(cell)]


def _is_plain(cell: Row) -> bool:
    return bool(cell["share"] == 1 and cell["l2"] == 0)


def _of_model(cell: Row, cells: Sequence[Row], n_classes: int) -> str:
    losses = (cell["train_loss"], cell["validation_loss"])
    words = [f"{verdict(*losses, n_classes, e).word} at {e}" for e in _marks(losses[1])]
    best = best_epoch(losses[1])
    found = verdict(*losses, n_classes, len(losses[0])).sentence
    text = f"**{cell['model']}**: {', '.join(words)} epochs. In the end {found}"
    stop = stopped_at(losses[1])
    if stop is not None:
        text += f" Early stopping would have ended it after epoch {stop} and kept epoch {best}."
    return text + _of_l2(cell, cells) + _of_size(cell, cells)


def _marks(losses: Sequence[float]) -> list[int]:
    return [mark for mark in MARKS if mark <= len(losses)] or [len(losses)]


def _of_l2(cell: Row, cells: Sequence[Row]) -> str:
    """Say whether weight decay lowered the best validation loss."""
    same = [c for c in cells if c["model"] == cell["model"] and c["share"] == 1 and c["l2"] > 0]
    if not same:
        return ""
    best = min(same, key=lambda c: min(c["validation_loss"]))
    before, after = min(cell["validation_loss"]), min(best["validation_loss"])
    change = "lowered" if after < 0.99 * before else "did not lower"
    span = f"{before:.2f} to {after:.2f}"
    return f" L2 of {best['l2']:g} {change} its best validation loss ({span})."


def _of_size(cell: Row, cells: Sequence[Row]) -> str:
    """Say whether more trials lowered the best validation loss."""
    same = [c for c in cells if c["model"] == cell["model"] and c["l2"] == 0 and c["share"] < 1]
    if not same:
        return ""
    small = min(same, key=lambda c: c["share"])
    before, after = min(small["validation_loss"]), min(cell["validation_loss"])
    change = "lowered" if after < 0.99 * before else "did not lower"
    n = f"{small['n_train']:,} to {cell['n_train']:,} trials"
    return f" From {n} {change} it ({before:.2f} to {after:.2f})."
