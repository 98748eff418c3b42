"""What reaches the browser's stage, and what the settings say in words."""

import re

import pytest

from tests.figures.brains import GRID, bump, mask
from thingsviz.figures.base.style import palette
from thingsviz.figures.brain.volume import VolumeChoice, volume_info
from thingsviz.ui.brain.stage import FOLDER, legend, stage_page
from thingsviz.ui.brain.volume_form import VolumeView, describe

INFO = volume_info(bump(), mask(), GRID, VolumeChoice(0.0, "value", 4.0))
LOOK = VolumeView("surfaces", "left", ("brain", "positive", "negative"), VolumeChoice(), 0.16, 1.0)


def test_the_stage_holds_the_viewer_and_asks_nothing_of_other_hosts():
    page = stage_page()
    assert "__VIEWER__" not in page
    assert len(page) < 450_000
    own = (FOLDER / "stage.html").read_text("utf-8") + (FOLDER / "courier.js").read_text("utf-8")
    assert re.findall(r"https?://|//cdn|import\(", own) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_legend_explains_what_is_shown(theme):
    p = palette(theme)
    found = legend(LOOK, INFO, theme)
    assert found == {
        "unit": "beta (% signal change)",
        "patches": [
            {"colour": p.negative, "text": "below -4"},
            {"colour": p.positive, "text": "above +4"},
        ],
        "bar": [],
        "ticks": ["-5.84", "0", "+5.84"],
    }
    sliced = legend(LOOK._replace(show=("slices",)), INFO, theme)
    assert sliced["patches"] == []
    assert len(sliced["bar"]) == 11


def test_words_say_how_much_passes_and_where_the_peaks_are():
    words = describe(INFO)
    assert words.startswith(f"Above: {INFO.n_positive} voxels (")
    assert "highest +8 at (-34, -50, -18) mm" in words
    assert "Below: 0 voxels (0 %), lowest +0 at" in words
