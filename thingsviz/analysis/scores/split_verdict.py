"""Whether the result of a split could mean anything, said before a training starts."""

from __future__ import annotations

from typing import NamedTuple

from thingsviz.data.trials.splits import Audit

# below this share of test trials whose concept was trained, a decoder of concepts has no chance
LEAST_LEARNABLE = 0.5
FEWEST = 6  # test concepts; 6 show an r of 0.89
MEANINGFUL = ("unseen_concepts", "concept", "test_images", "image")


class SplitVerdict(NamedTuple):
    """What is wrong with a split, and the kinds of split that would mend it, the best first."""

    sentence: str
    mends: tuple[str, ...]


def verdicts(found: Audit, learns: str) -> list[SplitVerdict]:
    """Return what would make a result mean nothing; `learns` as in a recipe."""
    checks = [_leak(found, learns)]
    if learns == "concepts":
        checks.append(_unlearnable(found))
    if learns != "concepts" and not found.leaks:
        checks.append(_few(found))
    return [verdict for verdict in checks if verdict is not None]


def _leak(found: Audit, learns: str) -> SplitVerdict | None:
    if not found.leaks:
        return None
    sentence = (
        f"A good score would mean nothing: {found.shared_images:,} of {found.test_images:,} test "
        "images are also shown in training, so recognising a picture looks like decoding."
    )
    mends = ("test_images", "image") if learns == "concepts" else MEANINGFUL
    return SplitVerdict(sentence, mends)


def _unlearnable(found: Audit) -> SplitVerdict | None:
    """Say that most test trials show concepts that nobody could know."""
    if found.learnable >= LEAST_LEARNABLE:
        return None
    sentence = (
        f"A bad score would mean nothing: only {found.learnable:.0%} of the test trials "
        f"({found.known_trials:,} of {found.test_trials:,}) show a concept that the training part "
        "shows at all, and no decoder can name a concept it has never met."
    )
    return SplitVerdict(sentence, ("test_images", "image", "session"))


def _few(found: Audit) -> SplitVerdict | None:
    if found.test_concepts >= FEWEST:
        return None
    sentence = (
        f"Hardly any result could mean something: the test shows {found.test_concepts} concepts, "
        "and trials of one concept share its ratings."
    )
    return SplitVerdict(sentence, ("concept", "image"))
