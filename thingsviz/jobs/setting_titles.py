"""What a recipe's settings are called and how their values read, in the words of the form."""

from __future__ import annotations

import json

from models.base.settings import Settings
from models.catalog.config import CONFIGS
from models.training.config import FitConfig

# settings of a recipe outside its model and its training; the form asks for them in these words
OF_RECIPE = {
    "subject": "Subject",
    "learns": "The decoder learns",
    "targets": "Properties to predict",
    "rating_scale": "Rating scale",
    "standardise": "Voxels z-scored by",
    "split.kind": "Split",
    "split.fractions": "Shares of the parts",
    "split.seed": "Seed of the split",
    "split.folds": "Folds",
    "split.fold": "Fold",
    "fit.seed": "Seed of the training",
    "model.seed": "Seed of the model",
    "seed": "Seed",
    "role": "Role",
    "study": "Study",
}
DIGITS = 4


def title_of(name: str, model: str = "") -> str:
    """Return the title of a setting by its dotted name, such as `model.patch_size`.

    Two families may call one name by two titles: `model` says whose is wanted. A name that is
    not known stays as it is.
    """
    return OF_RECIPE.get(name) or _said(name, model)[0] or name


def help_of(name: str, model: str = "") -> str:
    """Return what the form says of a setting; '' where it says nothing."""
    return "" if name in OF_RECIPE else _said(name, model)[1]


def _said(name: str, model: str) -> tuple[str, str]:
    """Return the title and the description of a model's or its training's setting."""
    part, _, field = name.partition(".")
    first = [CONFIGS[model]] if model in CONFIGS else []
    known: dict[str, list[type[Settings]]] = {
        "model": [*first, *CONFIGS.values()],
        "fit": [FitConfig],
    }
    for config in known.get(part, []):
        if (info := config.model_fields.get(field)) is not None:
            return info.title or "", info.description or ""
    return "", ""


def setting_text(text: str) -> str:
    """Write a value in JSON as the form would: `6 × 7 × 5`, four digits, yes or no."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return _listed(value)
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else text


def _listed(values: list[object]) -> str:
    kinds = {type(value) for value in values}
    between = {frozenset({int}): " × ", frozenset({float}): " / "}.get(frozenset(kinds), ", ")
    return between.join(
        f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value) for value in values
    )
