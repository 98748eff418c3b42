import pytest
from streamlit.testing.v1 import AppTest

from models.catalog.config import CONFIGS
from models.training.config import FitConfig
from thingsviz.core.errors import ConfigError
from thingsviz.ui.training.form_fields import fields_of, form_key, sizes_of, sizes_text


def field(config, name):
    return next(f for f in fields_of(config) if f.name == name)


@pytest.mark.parametrize("config", [*CONFIGS.values(), FitConfig])
def test_every_setting_explains_itself(config):
    fields = fields_of(config)
    assert [f.name for f in fields] == [n for n in config.model_fields if n != "name"]
    assert all(f.title and f.help.endswith(".") for f in fields), fields


def test_kinds_options_and_bounds_come_from_the_class():
    vit = CONFIGS["vit3d"]
    assert field(vit, "patch_embedding").options == ("shared", "local")
    assert field(vit, "patch_size").kind == "sizes"
    assert field(vit, "patch_size").default == "6 × 7 × 5"
    assert field(vit, "pad").kind == "switch"
    epochs = field(FitConfig, "epochs")
    assert (epochs.kind, epochs.low, epochs.high) == ("integer", 1, 10_000)
    rate = field(FitConfig, "learning_rate")
    assert (rate.kind, rate.optional, rate.more) == ("number", False, False)
    assert field(FitConfig, "early_stopping").optional
    assert field(FitConfig, "warmup_batches").more


@pytest.mark.parametrize("text", ["6 × 7 × 5", "6x7x5", "6,7,5", "6 7 5", " 6, 7; 5 "])
def test_sizes_are_read_as_people_write_them(text):
    assert sizes_of(text, "Patch size") == (6, 7, 5)


def test_sizes_there_and_back():
    assert sizes_of(sizes_text((12, 13, 15)), "Patch size") == (12, 13, 15)


@pytest.mark.parametrize("text", ["6 × 7", "six", "6 × 7 × 5 × 1", "-6 × 7 × 5", "", None])
def test_other_sizes_are_refused_in_a_sentence(text):
    with pytest.raises(ConfigError, match=r"Patch size .* should be three whole numbers"):
        sizes_of(text, "Patch size")


def every_setting():
    import streamlit as st

    from models.catalog.config import CONFIGS
    from models.training.config import FitConfig
    from thingsviz.ui.training.form_fields import fields_of, widget

    for group, config in {**CONFIGS, "fit": FitConfig}.items():
        values = {f.name: widget(f, group) for f in fields_of(config)}
        st.json({group: values})


def test_a_form_that_nobody_touched_holds_the_defaults():
    app = AppTest.from_function(every_setting).run()
    assert not app.exception
    shown = {}
    for box in app.json:
        import json

        shown |= json.loads(box.value)
    for group, config in {**CONFIGS, "fit": FitConfig}.items():
        plain = config(name=group) if group in CONFIGS else config()
        expected = plain.model_dump(mode="json", exclude={"name"})
        assert shown[group] == expected


def test_an_optional_number_can_be_emptied_and_another_cannot():
    app = AppTest.from_function(every_setting).run()
    app.number_input(key=form_key("fit", "early_stopping")).set_value(3).run()
    assert app.number_input(key=form_key("fit", "early_stopping")).value == 3
    app.number_input(key=form_key("fit", "early_stopping")).set_value(None).run()
    assert app.number_input(key=form_key("fit", "early_stopping")).value is None
    assert not app.exception
