import pytest

from models.catalog.config import CONFIGS
from models.catalog.registry import MODELS
from models.training.config import FitConfig
from thingsviz.jobs.recipe import dump_config, parse_config
from thingsviz.jobs.setting_titles import help_of, setting_text, title_of


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("model.patch_size", "Patch size"),
        ("fit.learning_rate", "Learning rate"),
        ("split.kind", "Split"),
        ("seed", "Seed"),
        ("fit.seed", "Seed of the training"),
        ("model.of_another_version", "model.of_another_version"),
        ("nothing", "nothing"),
    ],
)
def test_a_setting_is_called_as_on_the_form(name, title):
    assert title_of(name) == title


def test_a_family_has_its_own_words():
    assert title_of("model.input_dropout", "vit3d") == "Voxel dropout"
    assert title_of("model.input_dropout", "cnn_vit") == "Feature dropout"
    # a family without the setting borrows the words of one that has it
    assert title_of("model.input_dropout", "ridge") == "Voxel dropout"
    assert help_of("model.input_dropout", "cnn_vit") != help_of("model.input_dropout", "vit3d")
    assert help_of("seed") == help_of("nothing") == ""


@pytest.mark.parametrize("model", list(CONFIGS))
def test_every_setting_of_a_recipe_has_words_and_no_two_share_them(model):
    classes = {"learns": "concepts", "split": {"kind": "trial"}}
    more = {} if MODELS[model].can_learn("ratings") else classes
    config = parse_config({"dataset": "d", "model": {"name": model}} | more)
    flat = dump_config(config)
    names = [f"{part}.{key}" for part in ("model", "fit", "split") for key in flat[part]]
    names += [key for key in flat if key not in {"model", "fit", "split"}]
    titles = [title_of(n, model) for n in names if n not in {"name", "version", "dataset"}]
    assert not [title for title in titles if "_" in title or "." in title]
    assert len(set(titles)) == len(titles), sorted(titles)
    assert {f"fit.{name}" for name in FitConfig.model_fields} <= set(names)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.6910979856301989", "0.6911"),
        ("1e-05", "1e-05"),
        ("[12, 13, 15]", "12 × 13 × 15"),
        ("[0.8, 0.1, 0.1]", "0.8 / 0.1 / 0.1"),
        ('["lives", "heavy"]', "lives, heavy"),
        ("true", "yes"),
        ("false", "no"),
        ("512", "512"),
        ("not set", "not set"),
        ("–", "–"),
    ],
)
def test_values_read_as_on_the_form(text, shown):
    assert setting_text(text) == shown
