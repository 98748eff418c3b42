"""The original study's settings as recipes, and the numbers it published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from models.base.errors import ModelError
from models.catalog.config import CONFIGS
from models.presets.presets import PRESETS
from models.presets.report import report_fit
from thingsviz.core.errors import ConfigError
from thingsviz.jobs.recipe import JobConfig, parse_config

Shape = tuple[int, int, int]
Recipe = dict[str, Any]


class PublishedNumber(NamedTuple):
    """A number of the original study, and the metric of ours that answers to it."""

    metric: str
    value: float


class PlannedTraining(NamedTuple):
    """One training of the plan: where it stands in the study, its recipe, its numbers there."""

    key: str
    section: str
    title: str
    recipe: Recipe
    published: tuple[PublishedNumber, ...] = ()
    notes: tuple[str, ...] = ()
    study: Recipe | None = None


class LeftOut(NamedTuple):
    """A training of the plan that cannot be run here, and why."""

    title: str
    why: str


VIT, THREE, CLASSES, PEERS = (
    "The 3-D vision transformer (its section 3)",
    "Transformer, + CNN, + CNN + Optuna (its section 4)",
    "Logistic, MLP, 3-D CNN (its sections 6 to 9)",
    "Beside them",
)
HELD_OUT = (
    "The original study validated on its test trials; here a tenth of the trials validates, and "
    "the test is touched once."
)
SPACE = {
    "model.embed_dim": {"kind": "choice", "options": [256, 512, 768]},
    "model.n_layers": {"kind": "int", "low": 3, "high": 8},
    "fit.learning_rate": {"kind": "float", "low": 1e-5, "high": 1e-3, "log": True},
}


def entries(shape: Shape) -> list[PlannedTraining]:
    """Return the plan for a volume of this shape; patches that do not divide it are moved."""
    return [*_vit(shape), *_three(shape), *_classes(), *_peers()]


def _vit(shape: Shape) -> list[PlannedTraining]:
    small, large = PRESETS["report"], PRESETS["report_large_patches"]
    numbers = (
        PublishedNumber("mse", 0.9105),
        PublishedNumber("mae", 1.2994),
        PublishedNumber("confidence", 0.5465),
    )
    rest = {"rating_scale": "raw", "split": _split(0.8, 0.1)}
    out = []
    for key, preset, words in (
        ("vit-small", small, "ViT3D, patch 6 × 7 × 5, 6 layers"),
        ("vit-large", large, "ViT3D, patch 12 × 13 × 15, 3 layers"),
    ):
        model, note = _on(shape, preset.model.model_dump(mode="json"))
        fit = preset.fit.model_dump(mode="json", exclude={"seed"})
        recipe = {"model": model, "fit": fit} | rest
        out.append(PlannedTraining(key, VIT, words, recipe, numbers, note))
    return out


def _three(shape: Shape) -> list[PlannedTraining]:
    fit = PRESETS["report"].fit.model_dump(mode="json", exclude={"seed"})
    fit |= {"epochs": 12, "batches_per_epoch": 32, "validation_batches": 12, "batch_size": 16}
    fit |= {"micro_batch_size": 4}
    rest = {"fit": fit, "rating_scale": "unit", "split": _split(0.8, 0.1)}
    plain, note = _on(shape, {"name": "vit3d", "patch_size": [12, 13, 15], "n_layers": 6})
    small = (shape[0] // 4, shape[1] // 4, shape[2] // 4)
    cnn, cnn_note = _on(small, {"name": "cnn_vit", "patch_size": [6, 11, 6], "n_layers": 6})
    study = {"space": SPACE, "n_candidates": 12, "objective": "validation_loss", "controls": []}
    return [
        PlannedTraining(
            "transformer",
            THREE,
            "Transformer",
            {"model": plain, **rest},
            (PublishedNumber("mse_unit", 0.0922), PublishedNumber("mae_unit", 0.2503)),
            (*note, HELD_OUT),
        ),
        PlannedTraining(
            "cnn",
            THREE,
            "Transformer + CNN",
            {"model": cnn, **rest},
            (PublishedNumber("mse_unit", 0.0823), PublishedNumber("mae_unit", 0.2511)),
            (*cnn_note, HELD_OUT),
        ),
        PlannedTraining(
            "optuna",
            THREE,
            "Transformer + CNN + Optuna",
            {"model": cnn, **rest},
            (PublishedNumber("mse_unit", 0.0887), PublishedNumber("mae_unit", 0.2504)),
            (*cnn_note, HELD_OUT),
            study,
        ),
    ]


def _classes() -> list[PlannedTraining]:
    rest = {"learns": "concepts", "split": _split(0.7, 0.1)}
    plan = [
        ("logistic", "Logistic regression", 0.0127),
        ("mlp", "MLP with 512 hidden units", 0.0191),
        ("cnn3d", "3-D CNN", 0.0064),
    ]
    return [
        PlannedTraining(
            key, CLASSES, title, _report_recipe(key) | rest, (PublishedNumber("top10", top),)
        )
        for key, title, top in plan
    ]


def _report_recipe(name: str) -> Recipe:
    """Return a classifier with the original study's training, as the form's presets have it."""
    fit = report_fit(name).model_dump(mode="json", exclude={"seed"})
    return {"model": {"name": name}, "fit": fit}


def _peers() -> list[PlannedTraining]:
    same = {"rating_scale": "unit", "split": _split(0.8, 0.1)}
    unseen = {"rating_scale": "unit", "split": {"kind": "unseen_concepts"}}
    names = {"ridge": "Ridge regression", "concept_decoder": "Concept-level decoder"}
    found = [
        PlannedTraining(
            f"{key}-{end}", PEERS, f"{title}, {words}", {"model": {"name": key}, **rest}
        )
        for key, title in names.items()
        for end, words, rest in (
            ("same", "the original study's kind of split", same),
            ("unseen", "concepts never trained", unseen),
        )
    ]
    named = {"model": {"name": "identification"}, "learns": "concepts", "split": _split(0.7, 0.1)}
    return [
        *found,
        PlannedTraining("identification", PEERS, "Concepts named by predicted ratings", named),
    ]


def _split(train: float, validation: float) -> Recipe:
    shares = [train, validation, round(1 - train - validation, 10)]
    return {"kind": "trial", "fractions": shares}


def _on(shape: Shape, model: Recipe) -> tuple[Recipe, tuple[str, ...]]:
    """Move a patch that does not divide the volume to the nearest one that does; say so."""
    wanted = tuple(model["patch_size"])
    fitting = tuple(nearest(n, p) for n, p in zip(shape, wanted, strict=True))
    if fitting == wanted:
        return model, ()
    words = [" × ".join(map(str, sides)) for sides in (wanted, fitting, shape)]
    note = (
        f"The original study's patch {words[0]} does not divide {words[2]}: here it is {words[1]}."
    )
    return model | {"patch_size": list(fitting)}, (note,)


def nearest(side: int, patch: int) -> int:
    """Return the divisor of a side that is nearest to a patch's, by ratio."""
    divisors = [d for d in range(1, side + 1) if side % d == 0]
    return min(divisors, key=lambda d: max(d / patch, patch / d))


def recipe_of(
    entry: PlannedTraining, dataset: str, subject: str, name: str
) -> JobConfig | LeftOut:
    """Return a training's recipe, or why this version of thingsviz cannot run it."""
    model = entry.recipe["model"]["name"]
    if model not in CONFIGS:
        return LeftOut(entry.title, f"there is no model {model!r} in this version")
    data = {"name": name, "dataset": dataset, "subject": subject, **entry.recipe}
    if "learns" in data and "learns" not in JobConfig.model_fields:
        return LeftOut(entry.title, "this version cannot learn classes")
    try:
        return parse_config(data, entry.title)
    except (ConfigError, ModelError) as error:
        return LeftOut(entry.title, str(error))


def sections(found: Sequence[PlannedTraining]) -> list[str]:
    """Return the sections in the order of the original study."""
    return list(dict.fromkeys(entry.section for entry in found))
