"""The settings in .streamlit/config.toml exist in this Streamlit, and both themes are readable."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from streamlit import config

from tests.figures.base.test_style import contrast
from thingsviz.figures.base.style import palette
from thingsviz.ui.shell.frame import DARK

SETTINGS = tomllib.loads(
    (Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text("utf-8")
)


def flat(tree, path=""):
    for name, value in tree.items():
        here = f"{path}.{name}" if path else name
        if isinstance(value, dict):
            yield from flat(value, here)
        else:
            yield here


@pytest.mark.parametrize("name", sorted(flat(SETTINGS)))
def test_each_setting_exists(name):
    assert name in config._config_options_template


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_have_the_colours_of_the_figures(theme):
    page, figure = SETTINGS["theme"][theme], palette(theme)
    assert page["backgroundColor"] == figure.background
    assert page["secondaryBackgroundColor"] == figure.surface
    assert page["textColor"] == figure.text
    assert page["chartCategoricalColors"] == list(figure.series)


def test_buttons_can_be_read():
    """Streamlit writes white on them; on a dark page dark.css does it in the page's own colour."""
    assert contrast("#FFFFFF", SETTINGS["theme"]["light"]["primaryColor"]) > 4.5
    dark = SETTINGS["theme"]["dark"]
    assert re.findall("color: (#[0-9A-F]{6});", DARK.read_text("utf-8")) == [
        dark["backgroundColor"]
    ]
    assert contrast(dark["backgroundColor"], dark["primaryColor"]) > 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_can_be_read(theme):
    page = SETTINGS["theme"][theme]
    for ground in ("backgroundColor", "secondaryBackgroundColor"):
        assert contrast(page["textColor"], page[ground]) > 7
        assert contrast(page["linkColor"], page[ground]) > 4.5
    assert contrast(page["primaryColor"], page["backgroundColor"]) > 4.5
