"""Recipes: round trip, one seed for all, and a sentence for each mistake."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.linear.config import MeanConfig
from models.training.config import FitConfig
from models.transformer.vit3d_config import ViT3DConfig
from thingsviz.core.errors import ConfigError
from thingsviz.data.things.ratings import TARGETS_12
from thingsviz.jobs.recipe import JobConfig, SplitConfig, check_name, dump_config, parse_config


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"model": {"name": "mean"}},
        {"model": {"name": "vit3d", "patch_size": [12, 13, 15]}, "fit": {"epochs": 3}},
        {"split": {"kind": "trial", "fractions": [0.7, 0.1, 0.2], "seed": 4}, "seed": 9},
        {"targets": ["lives", "size"], "rating_scale": "z", "standardise": "none"},
        {"split": {"kind": "run", "folds": "each"}},
        {"split": {"kind": "image", "folds": 5, "fold": 2, "fractions": [1, 0, 0]}},
    ],
)
def test_recipe_there_and_back(extra):
    config = parse_config({"dataset": "demo", **extra})
    text = json.dumps(dump_config(config))
    assert parse_config(json.loads(text)) == config


def test_protocols_bring_their_own_test():
    split = {"kind": "test_images", "fractions": [0.8, 0.2, 0]}
    assert parse_config({"dataset": "x", "split": split}).split.fractions == (0.8, 0.2, 0)


def test_defaults_are_the_fields_protocol():
    config = parse_config({"dataset": "demo"})
    assert config.targets == TARGETS_12
    assert config.split.kind == "unseen_concepts"
    assert config.model.name == "ridge"
    assert config.rating_scale == "unit"


def test_one_seed_serves_split_and_fit():
    config = parse_config({"dataset": "demo", "seed": 7, "fit": {"epochs": 2}})
    assert (config.seed, config.split.seed, config.fit.seed) == (7, 7, 7)
    config = parse_config({"dataset": "demo", "seed": 7, "split": {"seed": 1}})
    assert (config.split.seed, config.fit.seed) == (1, 7)


def test_objects_are_as_good_as_dicts():
    config = JobConfig(
        dataset="demo", seed=5, model=ViT3DConfig(n_layers=1), fit=FitConfig(epochs=2)
    )
    assert config.fit == FitConfig(epochs=2, seed=5)
    own = JobConfig(dataset="demo", seed=5, fit=FitConfig(seed=0), model=MeanConfig())
    assert own.fit.seed == 0


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, r"config\.dataset is missing"),
        ([], "valid dictionary"),
        ({"dataset": ""}, r"config\.dataset: .*at least 1 character"),
        ({"dataset": "x", "mdel": 1}, r"config\.mdel is not a setting \(did you mean 'model'\?\)"),
        (
            {"dataset": "x", "model": {"name": "vit"}},
            r"'vit' is not a model \(did you mean 'vit3d'",
        ),
        ({"dataset": "x", "model": {"name": "ridge", "alpa": 1}}, r"model\.alpa is not a setting"),
        ({"dataset": "x", "model": 3}, r"config\.model"),
        ({"dataset": "x", "fit": {"epochs": 0}}, r"config\.fit\.epochs: .*greater than or equal"),
        ({"dataset": "x", "fit": {"epoch": 3}}, r"fit\.epoch is not a setting.*'epochs'"),
        (
            {"dataset": "x", "split": {"kind": "random"}},
            r"config\.split\.kind: .*but it is 'random'",
        ),
        ({"dataset": "x", "split": {"fractions": [1, 1, 1]}}, "must be shares of trials"),
        ({"dataset": "x", "split": {"fractions": [0, 0.5, 0.5]}}, "must be shares of trials"),
        (
            {"dataset": "x", "split": {"kind": "trial", "fractions": [0.8, 0.2, 0]}},
            "no trials for",
        ),
        ({"dataset": "x", "targets": []}, r"config\.targets: .*at least 1 item"),
        ({"dataset": "x", "targets": ["lives", "lives"]}, "names lives more than once"),
        ({"dataset": "x", "rating_scale": "log"}, r"config\.rating_scale"),
        ({"dataset": "x", "seed": -1}, r"config\.(split\.|fit\.)?seed"),
        ({"dataset": "x", "version": 99}, r"config is a recipe of version 99"),
    ],
)
def test_each_mistake_is_one_sentence(data, sentence):
    with pytest.raises(ConfigError, match=sentence) as error:
        parse_config(data)
    assert "\n" not in str(error.value)


def test_the_sentence_names_the_file():
    with pytest.raises(ConfigError, match=r"/jobs/x/config\.json: model\.name 'q'"):
        parse_config({"dataset": "x", "model": {"name": "q"}}, "/jobs/x/config.json")


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".hidden", "a/b", "../x", "a\\b", "-x", "a b", "ü", "x" * 81, "a\n", "a\0"],
)
def test_unsafe_names_are_refused(name):
    with pytest.raises(ValueError, match="cannot be a folder"):
        check_name(name)
    with pytest.raises(ConfigError, match="cannot be a folder"):
        parse_config({"dataset": "x", "name": name})


@given(st.text(max_size=90))
def test_a_safe_name_stays_in_its_folder(name):
    try:
        check_name(name)
    except ValueError:
        return
    assert "/" not in name
    assert name not in {".", ".."}
    assert not name.startswith(".")


def test_split_settings_are_immutable():
    with pytest.raises(ValueError, match="frozen"):
        SplitConfig.model_validate({}).seed = 3


def test_recipes_cost_no_torch():
    modules = "thingsviz.queue.submit, thingsviz.queue.background_tasks, thingsviz.commands.train"
    code = f"import sys, {modules}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    "split",
    [
        {"kind": "image", "folds": "each"},
        {"kind": "test_images", "folds": 5},
        {"kind": "image", "folds": 1},
        {"kind": "image", "folds": 5, "fold": 6},
        {"kind": "image", "fold": 2},
        {"kind": "run", "folds": "all"},
    ],
)
def test_folds_that_mean_nothing_are_refused(split):
    with pytest.raises(ConfigError):
        parse_config({"dataset": "demo", "split": split})


def test_a_candidate_has_one_split():
    folds = {"kind": "image", "folds": 5}
    with pytest.raises(ConfigError):
        parse_config({"dataset": "demo", "role": "candidate", "split": folds})
    one = parse_config({"dataset": "demo", "role": "candidate", "split": {**folds, "fold": 1}})
    assert not one.split.is_cross_validation


def test_a_recipe_of_version_3_had_no_folds():
    old = parse_config({"dataset": "demo", "version": 3, "split": {"kind": "session"}})
    assert (old.split.folds, old.split.fold) == (None, None)


@pytest.mark.parametrize("learns", [{}, ["ratings"], 3, None])
def test_what_is_learned_is_a_word(learns):
    with pytest.raises(ConfigError, match="learns"):
        parse_config({"dataset": "d", "learns": learns})
