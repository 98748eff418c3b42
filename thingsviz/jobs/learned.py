"""What a decoder can learn, by its name in a recipe: words, loss, how epochs are compared."""

from __future__ import annotations

from typing import Literal, NamedTuple

Learns = Literal["ratings", "concepts", "categories27", "categories53"]
Kind = Literal["ratings", "classes"]
# the scores of an epoch on the validation trials, as pictures and forms call them
VALIDATION = {
    "validation_r": "Validation r",
    "validation_loss": "Validation loss",
    "validation_top10": "Validation Top-10",
}


class Learned(NamedTuple):
    """What is said of a task, and what its trainings have in common."""

    title: str
    sentence: str
    noun: str  # of one answer: "concept"
    kind: Kind
    objectives: tuple[str, ...]  # scores of epochs, the usual one first
    n_classes: int | None = None  # where the data need not be asked
    loss: str | None = None  # of networks, unless a recipe names one itself

    @property
    def plural(self) -> str:
        """The title inside a sentence."""
        return self.title.lower()


LEARNED: dict[str, Learned] = {
    "ratings": Learned(
        "Ratings",
        "What people said of each object: numbers, one a property.",
        "rating",
        "ratings",
        ("validation_r", "validation_loss"),
    ),
    "concepts": Learned(
        "Concepts",
        "Which of all objects was shown; training must have seen each of them.",
        "concept",
        "classes",
        ("validation_top10", "validation_loss"),
        loss="cross_entropy",
    ),
    "categories53": Learned(
        "53 categories",
        "Which kind of object was shown, of THINGS' 53.",
        "category",
        "classes",
        ("validation_top10", "validation_loss"),
        53,
        "cross_entropy",
    ),
    "categories27": Learned(
        "27 categories",
        "Which kind of object was shown, of the older 27.",
        "category",
        "classes",
        ("validation_top10", "validation_loss"),
        27,
        "cross_entropy",
    ),
}
