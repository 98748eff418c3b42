from functools import partial

import pytest

from tests.ui.strips import bare_scores
from thingsviz.commands import learning_curves


@pytest.fixture
def page(visit):
    return partial(visit, "learning.py")


TESTED = ("32 trials", "8 averaged images", "32 trials")


def test_without_curves_the_page_offers_to_compute_them(page, tiny, monkeypatch):
    started = []
    monkeypatch.setattr("thingsviz.ui.actions.begin_task", lambda *a: started.append(a))
    app = page()
    assert "No curves of this decoder yet" in app.info[0].value
    next(b for b in app.button if b.label == "Compute learning curves").click().run()
    where = (str(tiny / "tiny"), "--subject", "sub-01", "--model", "ridge")
    assert started == [("learning_curves", where)]


def test_curves_of_the_mean_and_of_a_property(page, tiny):
    assert learning_curves.main([str(tiny / "tiny")]) == 0
    app = page()
    assert len(app.get("plotly_chart")) == 3
    assert any("What this could not show" in c.value for c in app.caption)
    assert bare_scores(app) == []
    told = [c.value.rsplit(". ", 1)[-1] for c in app.caption if "Tested on" in c.value]
    assert told == [f"Tested on {n} of 8 concepts." for n in TESTED]
    app.selectbox(key="w_curves_target").set_value("heavy").run()
    assert not app.exception
    assert len(app.get("download_button")) == 1
