import json
import subprocess
import sys

import pytest
from pydantic import ValidationError

from models.base.errors import ModelError
from models.base.settings import sentence
from models.catalog.config import CONFIGS
from models.catalog.config import parse_model as parse
from models.catalog.registry import MODELS
from models.linear.config import MeanConfig, RidgeConfig
from models.presets.presets import PRESETS
from models.training.config import FitConfig, parse_fit
from models.transformer.vit3d_config import ViT3DConfig


@pytest.mark.parametrize("config", [ViT3DConfig(), RidgeConfig(), MeanConfig(), FitConfig()])
def test_config_survives_json(config):
    text = config.model_dump_json()
    assert type(config).model_validate_json(text) == config
    assert type(config).model_validate(json.loads(text)) == config


def test_parse_finds_the_class_by_name():
    assert parse({"name": "vit3d", "n_layers": 3}) == ViT3DConfig(n_layers=3)
    assert parse({"name": "ridge"}) == RidgeConfig()
    assert set(CONFIGS) == set(MODELS)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, r"model\.name None is not a model: use one of vit3d, .*ridge.*mean"),
        ({"name": []}, r"model\.name \[\] is not a model"),
        ({"name": "vit"}, r"'vit' is not a model \(did you mean 'vit3d'\?\)"),
        ({"name": "vit3d", "embed_dims": 8}, r"model\.embed_dims .*did you mean 'embed_dim'"),
        (
            {"name": "vit3d", "n_heads": 7},
            r"n_heads 7 does not divide embed_dim 512: use one of 1",
        ),
        ({"name": "vit3d", "n_layers": -1}, r"model\.n_layers: .* greater .* 0, but it is -1"),
        ({"name": "vit3d", "patch_size": [1, 2]}, r"model\.patch_size\.2 is missing"),
        (
            {"name": "vit3d", "n_selected_tokens": 5},
            r"needs tokens='brain', but tokens is 'dense'",
        ),
        (
            {"name": "ridge", "log10_alpha_min": 5},
            r"5\.0 is above log10_alpha_max 3\.0: swap them",
        ),
    ],
)
def test_model_faults_are_one_sentence(data, words):
    with pytest.raises(ModelError, match=words) as caught:
        parse(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {"learning_rat": 1},
            r"fit\.learning_rat is not a setting \(did you mean 'learning_rate'",
        ),
        ({"batch_size": "x"}, r"fit\.batch_size: .* integer.*, but it is 'x'"),
        ({"learning_rate": float("nan")}, r"finite number, but it is nan"),
        ({"micro_batch_size": 32}, r"micro_batch_size 32 is larger than batch_size 16"),
    ],
)
def test_fit_faults_are_one_sentence(data, words):
    with pytest.raises(ModelError, match=words):
        parse_fit(data)


def test_sentence_leaves_out_the_tag_of_a_union():
    with pytest.raises(ValidationError) as caught:
        ViT3DConfig(n_layers=99)
    error = caught.value
    assert sentence(error, "model", tags={"n_layers"}).startswith("model: ")
    assert sentence(error, "model").startswith("model.n_layers: ")


@pytest.mark.parametrize("config", [*CONFIGS.values(), FitConfig])
def test_every_field_can_be_shown_on_a_form(config):
    for name, field in config.model_fields.items():
        assert field.title, name
        assert field.description, name
        assert field.description.endswith("."), name


@pytest.mark.parametrize("config", [*CONFIGS.values(), FitConfig])
def test_every_number_has_bounds(config):
    for name, schema in config.model_json_schema()["properties"].items():
        for kind in schema.get("anyOf", [schema]):
            if kind.get("type") in ("integer", "number"):
                assert {"minimum", "exclusiveMinimum"} & set(kind), name
                assert {"maximum", "exclusiveMaximum"} & set(kind), name


def test_the_defaults_are_the_reports():
    model, fit = PRESETS["report"].model, PRESETS["report"].fit
    assert model == ViT3DConfig()
    assert (model.patch_size, model.embed_dim, model.n_heads) == ((6, 7, 5), 512, 8)
    assert (model.tokens, model.patch_embedding, model.pooling) == ("dense", "shared", "cls")
    assert (model.dropout, model.final_norm, model.start) == (0.1, True, "random")
    assert (fit.epochs, fit.batches_per_epoch, fit.batch_size) == (10, 64, 16)
    assert (fit.learning_rate, fit.weight_decay, fit.schedule) == (1e-4, 0.01, "plateau")
    assert fit.target_scaling == "none"


def test_settings_cost_no_torch():
    code = (
        "import sys, models, models.catalog.config, models.catalog.registry\n"
        "import models.presets.presets, models.cost.estimate\n"
        "models.ViT3DConfig, models.estimate, models.MODELS\n"
        "assert 'torch' not in sys.modules and 'lightning_fabric' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
