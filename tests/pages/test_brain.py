"""The 3D page's settings and sentences; what is drawn is looked at in tests/browser."""

import json
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from thingsviz.data.things.layout import open_dataset
from thingsviz.figures.brain.draw_orders import DrawingError, DrawReply, SceneLayer
from thingsviz.ui.brain import volume_data, volume_view
from thingsviz.ui.caches import dataset_cache
from thingsviz.ui.caches.trial_cache import trial_index
from thingsviz.ui.shell.ui_state import Key

PAGE = Path(__file__).parents[2] / "pages" / "brain.py"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63"
    "64f8cf500f0003860180c52d0f470000000049454e44ae426082"
)


class Desk:
    """Stands in for the drawing processes: keeps the jobs it is given."""

    def __init__(self):
        self.jobs, self.error = [], ""

    def warm(self):
        pass

    def draw(self, job):
        self.jobs.append(job)
        if self.error:
            raise DrawingError(self.error)
        return DrawReply(PNG, (SceneLayer("brain", "brain", "#FFFFFF", 0.16, 10),))

    @property
    def orders(self):
        return [job.order for job in self.jobs]


@pytest.fixture
def desk(monkeypatch):
    made = Desk()
    for module in (volume_data, volume_view):
        monkeypatch.setattr(module, "drawing_pool", lambda: made)
    return made


@pytest.fixture
def page(tiny_env, desk):
    """The 3D page of the dataset `tiny`, at an address."""
    st.cache_data.clear()
    st.cache_resource.clear()

    def visit(**query) -> AppTest:
        app = AppTest.from_file(PAGE, default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        return ran(app.run())

    return visit


def ran(app):
    assert not app.exception, app.exception
    return app


def control(app, key):
    return next(b for b in app.get("button_group") if b.key == str(key))


def sent(app, key):
    """What the courier carries."""
    found = [e for e in app.get("bidi_component") if e.key == str(key)]
    return json.loads(found[0].proto.json) if found else None


def caption(app):
    return app.caption[-1].value.replace("\\", "")


def test_the_page_opens_on_the_first_trial_and_says_what_it_shows(page, desk):
    app = page()
    assert app.title[0].value == "3D brain"
    assert not app.error
    assert not app.warning
    [order] = desk.orders
    assert (order.kind, order.theme) == ("scene", "light")
    assert order.choice == (6.0, "percentile", 97.0, None)
    assert caption(app).startswith("|beta| > ")
    assert "(97th percentile of the brain) · smoothing 6 mm FWHM. Above: " in caption(app)


def test_the_stage_gets_scene_and_look(page):
    app = page()
    scene, look = sent(app, Key.W_3D_SCENE)["scene"], sent(app, Key.W_3D_LOOK)["look"]
    assert set(scene["cameras"]) == {"left", "right", "front", "back", "top", "bottom", "oblique"}
    assert set(scene["sides"]) == set("LRAPSI")
    assert scene["layers"][0]["group"] == "brain"
    assert scene["text"].startswith("3D brain of tiny · sub-01 · ses-01 run-01 trial 1")
    assert look["view"] == "oblique"
    assert look["show"] == ["brain", "positive", "negative"]
    assert [p["text"].split()[0] for p in look["legend"]["patches"]] == ["below", "above"]
    assert look["legend"]["bar"] == []


def test_view_parts_and_opacity_send_a_look_and_draw_nothing_new(page, desk):
    app = page()
    before = sent(app, Key.W_3D_SCENE)["scene"]["id"]
    control(app, Key.W_3D_VIEW).set_value("back")
    control(app, Key.W_3D_SHOW).set_value(["brain", "slices"])
    app.slider(key=str(Key.W_3D_BRAIN)).set_value(0.5)
    ran(app.run())
    look = sent(app, Key.W_3D_LOOK)["look"]
    assert (look["view"], look["show"]) == ("back", ["brain", "slices"])
    assert look["opacity"]["brain"] == 0.5
    assert len(look["legend"]["bar"]) == 11
    assert sent(app, Key.W_3D_SCENE)["scene"]["id"] == before
    assert len(desk.orders) == 1


def test_a_new_threshold_is_a_new_scene_and_an_old_one_comes_from_the_cache(page, desk):
    app = page()
    for percentile in (90.0, 97.0, 90.0):
        app.slider(key=str(Key.W_3D_PERCENTILE)).set_value(percentile)
        ran(app.run())
        assert f"({percentile:.0f}th percentile" in caption(app)
    assert [order.choice.threshold for order in desk.orders] == [97.0, 90.0]


def test_the_threshold_can_be_a_value(page, desk):
    app = page()
    ran(control(app, Key.W_3D_BY).set_value("value").run())
    ran(app.number_input(key=str(Key.W_3D_VALUE)).set_value(2.5).run())
    assert desk.orders[-1].choice == (6.0, "value", 2.5, None)
    assert caption(app).startswith("|beta| > 2.5 % signal change")


def test_nothing_above_the_threshold_is_one_sentence_in_place_of_the_scene(page, desk):
    app = page()
    ran(control(app, Key.W_3D_BY).set_value("value").run())
    drawn = len(desk.orders)
    ran(app.number_input(key=str(Key.W_3D_VALUE)).set_value(900.0).run())
    assert len(app.info) == 1
    assert "No voxel of this brain passes" in app.info[0].value
    assert "choose a lower threshold" in app.info[0].value
    assert sent(app, Key.W_3D_SCENE) is None
    assert len(desk.orders) == drawn
    # slices show all values: they need no threshold
    ran(control(app, Key.W_3D_SHOW).set_value(["slices"]).run())
    assert not app.info
    assert sent(app, Key.W_3D_SCENE)


def test_no_part_switched_on_is_one_sentence(page):
    app = page()
    ran(control(app, Key.W_3D_SHOW).set_value([]).run())
    assert app.info[0].value.startswith("No part is switched on")


def test_the_volume_rendering_is_a_picture_with_a_caption(page, desk):
    app = page(session="2", run="1", trial="3")
    control(app, Key.W_3D_VIEW).set_value("top")
    ran(control(app, Key.W_3D_AS).set_value("volume").run())
    order = desk.orders[-1]
    assert (order.kind, order.view, order.simulated) == ("volume", "top", True)
    assert order.title == "tiny · sub-01 · ses-02 run-01 trial 3"
    assert order.subtitle.endswith("· single trial")
    assert app.get("image")
    assert app.get("download_button")
    assert not [b for b in app.get("button_group") if b.key == str(Key.W_3D_SHOW)]


def test_slices_go_through_a_coordinate_when_asked(page, desk):
    app = page()
    ran(control(app, Key.W_3D_CROSSHAIR).set_value("coordinate").run())
    ran(app.number_input(key=str(Key.W_3D_X)).set_value(-20.0).run())
    assert desk.orders[-1].choice.crosshair_mm[0] == -20.0


def test_showings_of_a_test_image_are_averaged(page, desk):
    app = page()
    index = trial_index(dataset_cache.store(open_dataset("tiny"), "sub-01"))
    key = index.keys[index.types.index("test")]
    app = page(session=str(key.session), run=str(key.run), trial=str(key.trial))
    single = desk.jobs[-1].smoothed
    n = int(app.slider(key=str(Key.W_N_AVERAGED)).max)
    ran(app.slider(key=str(Key.W_N_AVERAGED)).set_value(n).run())
    mean = desk.jobs[-1].smoothed
    assert n > 1
    assert mean.std() < 0.8 * single.std()  # noise averages out
    ran(control(app, Key.W_3D_AS).set_value("volume").run())
    assert desk.orders[-1].subtitle.endswith(f"mean of {n} showings")


@pytest.mark.parametrize(
    "query", [{"trial": "999"}, {"session": "x"}, {"run": "-1"}, {"subject": "../.."}]
)
def test_nonsense_in_the_address_is_one_warning_and_a_scene(page, query):
    app = page(**query)
    assert len(app.warning) == 1
    assert sent(app, Key.W_3D_SCENE)


@pytest.mark.parametrize("kind", ["surfaces", "volume"])
def test_a_drawing_that_fails_is_one_sentence_and_the_page_stays(page, desk, kind):
    app = page()
    desk.error = "This server has no OpenGL library, which pictures need."
    control(app, Key.W_3D_AS).set_value(kind)
    app.slider(key=str(Key.W_3D_PERCENTILE)).set_value(88.0)
    ran(app.run())
    assert [e.value for e in app.error] == [desk.error]
    desk.error = ""
    ran(app.run())  # a failure is not kept
    assert not app.error


def test_without_a_prepared_subject_the_way_home_is_shown(tmp_path, monkeypatch, desk):
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path))
    st.cache_data.clear()
    app = ran(AppTest.from_file(PAGE, default_timeout=30).run())
    assert "no data here yet" in app.info[0].value
    assert app.get("page_link")[0].label == "Go to Home"
    assert not desk.jobs
