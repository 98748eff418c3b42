import optuna
import pytest

from tests.trainings import TINY_FIT, TINY_VIT
from thingsviz.core.errors import ConfigError
from thingsviz.jobs.recipe import parse_config
from thingsviz.studies.config import parse_study
from thingsviz.studies.space import (
    ChoiceRange,
    IntegerRange,
    NumberRange,
    bounds_of,
    fields_that_vary,
    kind_of,
    suggest,
    suggested_space,
    with_values,
)

VIT = {"dataset": "tiny", "model": TINY_VIT, "fit": TINY_FIT}
RATE = {"fit.learning_rate": {"kind": "float", "low": 1e-5, "high": 1e-3, "log": True}}


def study(space=RATE, base=VIT, **more):
    return parse_study({"base": base, "space": space, **more})


def test_a_study_and_its_json_are_the_same():
    space = {
        **RATE,
        "model.embed_dim": {"kind": "choice", "options": [256, 512, 768]},
        "model.n_layers": {"kind": "int", "low": 3, "high": 8},
        "model.patch_size": {"kind": "choice", "options": [[6, 7, 5], [12, 13, 15]]},
        "model.n_selected_tokens": {"kind": "choice", "options": [None, 64]},
        "model.pad": {"kind": "choice", "options": [True, False]},
    }
    config = study(space, n_candidates=7, controls=["default"])
    assert parse_study(config.model_dump(mode="json")) == config
    assert config.space["model.patch_size"].options == ((6, 7, 5), (12, 13, 15))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"space": {}}, r"study\.space: .*at least 1"),
        ({"space": {"fit.learning_rat": RATE["fit.learning_rate"]}}, "did you mean 'fit.learning"),
        (
            {"space": {"seed": {"kind": "int", "low": 0, "high": 3}}},
            "'seed' is not a setting that",
        ),
        ({"space": {"fit.seed": {"kind": "int", "low": 0, "high": 3}}}, "'fit.seed' is not a set"),
        (
            {"space": {"fit.learning_rate": {"kind": "float", "low": 1e-3, "high": 1e-5}}},
            "the range 0.001 to 1e-05 goes down: swap its ends",
        ),
        (
            {"space": {"model.n_layers": {"kind": "int", "low": 0, "high": 3, "log": True}}},
            "the range 0 to 3 cannot be logarithmic: begin it above 0",
        ),
        (
            {"space": {"model.n_layers": {"kind": "int", "low": 3, "high": 100}}},
            r"model.n_layers cannot be 100 \(input should be less than or equal to 48\)",
        ),
        (
            {"space": {"model.n_layers": {"kind": "float", "low": 3, "high": 8}}},
            "model.n_layers takes whole numbers",
        ),
        (
            {"space": {"model.pooling": {"kind": "int", "low": 3, "high": 8}}},
            "model.pooling is a choice, not a number",
        ),
        (
            {"space": {"model.pooling": {"kind": "choice", "options": ["cls", "median"]}}},
            "model.pooling cannot be 'median'",
        ),
        (
            {"space": {"model.pooling": {"kind": "choice", "options": ["cls", "cls"]}}},
            "names a value twice",
        ),
        (
            {
                "space": {"fit.loss": {"kind": "choice", "options": ["mse", "huber"]}},
                "objective": "validation_loss",
            },
            "with fit.loss in the space, losses are not on one scale",
        ),
        ({"base": {"dataset": "tiny"}}, "not a setting that a study of ridge"),
        (
            {
                "base": {"dataset": "tiny"},
                "space": {"model.score_power": {"kind": "float", "low": 0, "high": 2}},
                "pruner": "median",
            },
            "ridge is fitted in one go: choose the pruner 'none'",
        ),
        (
            {"base": {**VIT, "split": {"kind": "session", "folds": "each"}}},
            "validation part of one split",
        ),
        ({"name": "a" * 70}, "is too long: use at most 60"),
        ({"name": "../up"}, "cannot be a folder"),
        ({"sampler": "grid"}, r"study\.sampler: .*'tpe' or 'random'"),
        (
            {"objective": "validation_top10"},
            "objective 'validation_top10' does not fit a training that learns ratings",
        ),
        ({"n_candidates": 0}, "greater than or equal to 1"),
        ({"tries": 3}, "study.tries is not a setting"),
        ({"base": {**VIT, "model": {**TINY_VIT, "n_heads": 3}}}, "n_heads 3 does not divide"),
    ],
)
def test_what_cannot_work_is_one_sentence(change, sentence):
    with pytest.raises(ConfigError, match=sentence) as found:
        parse_study({"base": VIT, "space": RATE, **change})
    assert "\n" not in str(found.value)


def test_every_setting_says_how_it_varies():
    for model in ("vit3d", "ridge"):
        fields = fields_that_vary(model)
        assert all(kind_of(info) in {"choice", "int", "float"} for info in fields.values())
    fields = fields_that_vary("vit3d")
    assert kind_of(fields["model.n_layers"]) == "int"
    assert kind_of(fields["model.n_selected_tokens"]) == "int"
    assert kind_of(fields["model.pad"]) == "choice"
    assert kind_of(fields["model.patch_size"]) == "choice"
    assert kind_of(fields["fit.gradient_clip"]) == "float"
    assert bounds_of(fields["model.n_layers"]) == (0, 48)
    assert bounds_of(fields["model.pooling"]) == (None, None)
    assert "fit.learning_rate" not in fields_that_vary("ridge")


@pytest.mark.parametrize(
    ("model", "first"),
    [
        ({"name": "vit3d"}, "model.embed_dim"),
        (TINY_VIT, "model.embed_dim"),
        ({"name": "ridge"}, "model.score_power"),
    ],
)
def test_a_suggested_space_is_a_valid_one(model, first):
    base = parse_config({"dataset": "tiny", "model": model})
    space = suggested_space(base)
    assert next(iter(space)) == first
    parse_study({"base": base.model_dump(mode="json"), "space": space})


def test_values_reach_the_recipe():
    base = parse_config(VIT)
    space = {
        "model.patch_size": ChoiceRange(options=((6, 7, 5), (12, 13, 15))),
        "model.n_layers": IntegerRange(low=2, high=4),
        "fit.learning_rate": NumberRange(low=1e-4, high=1e-3, log=True),
    }
    trial = optuna.trial.FixedTrial(
        {"model.patch_size": "12 × 13 × 15", "model.n_layers": 3, "fit.learning_rate": 5e-4}
    )
    recipe = with_values(base, suggest(trial, space), name="x")
    assert recipe.model.patch_size == (12, 13, 15)
    assert recipe.model.n_layers == 3
    assert recipe.fit.learning_rate == 5e-4
    unchanged = recipe.model.model_dump() | {"patch_size": (6, 7, 5), "n_layers": 1}
    assert unchanged == base.model.model_dump()
    with pytest.raises(ConfigError, match=r"the candidate: .*n_heads 2 does not divide"):
        with_values(base, {"model.embed_dim": 15})
