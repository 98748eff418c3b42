import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.ui.made_jobs import finished_job
from tests.ui.made_maps import made_maps
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset
from thingsviz.explain.map_files import EpochMaps
from thingsviz.figures.brain.draw_orders import DrawReply
from thingsviz.queue import background_tasks
from thingsviz.ui.attention import film, regions
from thingsviz.ui.attention import view as attention_view
from thingsviz.ui.brain import stage

PAGE = Path(__file__).parents[2] / "pages" / "attention.py"


@pytest.fixture
def orders(monkeypatch):
    """What the drawing process was asked for; it draws nothing."""
    asked = []

    def drawn(wanted, order, only=None):
        asked.append((wanted, order))
        return DrawReply(b"scene", ())

    monkeypatch.setattr(attention_view, "drawn", drawn)
    monkeypatch.setattr(attention_view.drawing_pool(), "warm", lambda: None)
    monkeypatch.setattr(stage, "viewer", lambda: lambda **_: None)
    return asked


@pytest.fixture
def visit(tiny_env, orders):
    """Open the page of the dataset `tiny` at an address."""
    st.cache_data.clear()
    st.cache_resource.clear()

    def open_page(**query) -> AppTest:
        app = AppTest.from_file(PAGE, default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, app.exception
        return app

    return open_page


def words(app):
    return " ".join([*(m.value for m in app.markdown), *(c.value for c in app.caption)])


def pick(app, label):
    return next(s for s in app.selectbox if s.label == label)


def frame_with(app, column):
    return next(d.value for d in app.dataframe if column in d.value)


def control(app, label):
    return next(b for b in app.get("button_group") if b.label == label)


def test_without_a_job_the_page_points_to_train(visit):
    assert "No training of tiny, sub-01 has finished yet" in visit().info[0].value


def test_maps_are_offered_and_made_in_a_process_of_their_own(visit, monkeypatch):
    job = finished_job("young")
    begun = []
    monkeypatch.setattr("thingsviz.ui.actions.begin_task", lambda *a: begun.append(a))
    app = visit(job="young")
    assert "There are no maps of these trials yet" in app.info[0].value
    assert "GB of memory beside the model" in app.info[0].value
    app.button[0].click().run()
    assert begun == [("maps", [str(job.path), "--part", "test", "--target", "all", "--judge"])]
    assert "maps" in background_tasks.KINDS


def test_regions_of_ones_own_are_left_out_when_maps_are_made(visit, tmp_path, monkeypatch):
    finished_job("young")
    begun = []
    monkeypatch.setattr("thingsviz.ui.actions.begin_task", lambda *a: begun.append(a))
    there = {"mine": tmp_path / "mine.nii.gz"}
    monkeypatch.setattr(regions, "parcellations", lambda _: there)
    app = visit(job="young")
    label = "Regions that are left out, one after the other"
    pick(app, label).set_value("mine").run()
    app.button[0].click().run()
    ((_, arguments),) = begun
    assert arguments[-3:] == ["--judge", "--regions", "mine"]
    pick(app, label).set_value("of the data").run()
    app.button[0].click().run()
    assert "--regions" not in begun[-1][1]


def test_a_method_that_a_later_run_did_not_judge_is_shown_without_judgement(visit):
    maps = made_maps(finished_job("looked"))
    judged = maps.facts()["faithfulness"]
    for key in ("deletion", "insertion", "areas"):
        del judged[key]["attention"]
    maps.add_facts(faithfulness=judged)
    app = visit(job="looked")
    assert not app.error
    assert any("not judged yet" in i.value for i in app.info)
    assert "attention" not in list(frame_with(app, "Method")["Method"])


def test_maps_that_were_never_judged_can_be(visit, monkeypatch):
    begun = []
    monkeypatch.setattr("thingsviz.ui.actions.begin_task", lambda *a: begun.append(a))
    made_maps(finished_job("looked")).add_facts(faithfulness=None, sanity=None)
    app = visit(job="looked")
    assert "Not judged" in words(app)
    next(b for b in app.button if b.label == "Make them again and judge them").click().run()
    ((_, arguments),) = begun
    assert "--judge" in arguments


def test_heads_regions_and_judgement_in_one_view(visit, orders):
    made_maps(finished_job("looked"))
    app = visit(job="looked")
    assert not app.error
    assert pick(app, "Method").value == "attention"
    order = orders[-1][1]
    assert order.kind == "heads"
    assert order.names == tuple(f"Head {n}" for n in range(1, 9))
    assert order.simulated
    text = words(app)
    assert "This is attention from the CLS token" in text
    story = next(m.value for m in app.markdown if "Where does head 1 look?" in m.value)
    assert story.count("\n") == 4, "five answers, a line each"
    assert "Is that more than chance?" in story
    assert "outputs fall apart sooner than in random order" in story
    assert "AUC 0.60 by voxel, 0.91 smoothed to a patch" in story
    assert "3 of 3 methods point to what the decoder uses" in text
    assert "lies outside the brain (uniform attention" in text
    assert len(app.get("plotly_chart")) == 5
    assert "Rank correlation over tokens" in text
    methods = list(frame_with(app, "Method")["Method"])
    assert methods == ["Attention", "Occlusion by patch", "Activation pattern"]


def test_threshold_scale_layer_and_method_reach_the_picture(visit, orders):
    made_maps(finished_job("looked"))
    app = visit(job="looked")
    app.slider[0].set_value(5).run()
    assert orders[-1][1].heads.percent == 5
    pick(app, "Layer").set_value(2).run()
    assert orders[-1][0].layer == 1
    next(t for t in app.toggle if t.label == "This head, large").set_value(True).run()
    pick(app, "Head").set_value(3).run()
    assert orders[-1][1].names == ("Head 3",)
    next(t for t in app.toggle if t.label == "This head, large").set_value(False).run()
    next(t for t in app.toggle if t.label == "One scale for all heads").set_value(False).run()
    assert not orders[-1][1].heads.shared
    assert "each map on its own scale".lower() in words(app).lower()
    pick(app, "Method").set_value("pattern").run()
    assert orders[-1][1].names == ("Activation pattern",)
    assert not any(s.label == "Head" for s in app.selectbox)
    assert not app.exception


def test_an_address_opens_a_head_and_says_what_is_not_there(visit, orders):
    made_maps(finished_job("looked"))
    app = visit(job="looked", method="attention", layer="2", head="99")
    assert pick(app, "Layer").value == 2
    assert pick(app, "Head").value == 1
    assert orders[-1][0].layer == 1
    (said,) = [w.value for w in app.warning]
    assert "asks for head '99', but this model has 8 of them" in said
    assert "layer=2&head=1" in app.get("code")[0].value
    pick(app, "Layer").set_value(1).run()
    assert pick(app, "Layer").value == 1, "an address is followed once"
    assert not app.warning


def test_one_trial_shows_its_picture_and_is_not_judged(visit, monkeypatch):
    begun = []
    monkeypatch.setattr("thingsviz.ui.actions.begin_task", lambda *a: begun.append(a))
    job = finished_job("looked")
    made_maps(job)
    app = visit(job="looked", session="01", run="01", trial="2")
    control(app, "Maps of").set_value("row").run()
    row = next(i for i in app.info if "no maps of these trials" in i.value)
    assert "takes seconds" in row.value
    next(b for b in app.button if b.label == "Make the maps").click().run()
    ((_, arguments),) = begun
    assert arguments[1:3] == ["--part", arguments[2]]
    assert "--judge" not in arguments
    maps = made_maps(job, part=arguments[2])
    maps.add_facts(faithfulness=None)
    app.run()
    assert not app.error
    assert any("judged over many trials" in i.value for i in app.info), app.info


def test_maps_of_other_weights_are_not_shown(visit):
    maps = made_maps(finished_job("looked"))
    maps.add_facts(fingerprint="another")
    app = visit(job="looked")
    assert "made with other weights or data" in app.info[0].value
    assert not app.get("plotly_chart")


def test_a_map_that_cannot_be_shown_is_one_sentence_and_offered_again(visit):
    maps = made_maps(finished_job("looked"))
    name, n = maps.facts()["fingerprint"], maps.tokens().n_tokens
    whole, tokens = maps.file("attention").read_bytes(), (maps.path / "tokens.arrays")
    app = visit(job="looked")

    def told(words):
        app.run()
        assert not app.exception, app.exception
        (sentence,) = [e.value for e in app.error]
        assert words in sentence
        assert not app.get("plotly_chart")
        assert app.button[0].label == "Make the maps again"

    maps.save("attention", np.full((2, 8, n), np.nan), name)
    told("values that are no number")
    maps.save("attention", np.ones((2, 8, n + 1)), name)
    told(f"should hold {n} values a head, but holds 2 × 8 × {n + 1}")
    maps.file("attention").write_bytes(whole[: len(whole) // 2])
    told("cannot be read")
    maps.file("attention").write_bytes(whole)
    kept = tokens.read_bytes()
    tokens.unlink()
    told("tokens.arrays is missing")
    tokens.write_bytes(kept)
    app.run()
    assert not app.error


def test_regions_of_ones_own_are_offered_counted_and_explained(visit, tiny, tmp_path, monkeypatch):
    store = BetaStore.open(Dataset(tiny / "tiny"), "sub-01")
    labels = np.zeros(store.mask.shape, np.float32) + 3
    path = tmp_path / "mine.nii.gz"
    nib.save(nib.Nifti1Image(labels, store.grid.matrix), path)
    path.with_name("mine.tsv").write_text("index\tname\n3\tall of it\n")
    monkeypatch.setattr(regions, "parcellations", lambda _: {"mine": path})
    made_maps(finished_job("looked"))
    app = visit(job="looked")
    pick(app, "Regions").set_value("mine").run()
    assert not app.error
    assert "your parcellation" in words(app)
    assert "all of it" in list(frame_with(app, "region")["region"])
    assert next(b for b in app.button if b.label == "Add").disabled is False
    path.with_name("mine.tsv").write_text("index\tname\n4\tanother\n")
    app.run()
    assert "1 of 1 labels of" in app.error[0].value


@pytest.mark.parametrize(
    ("brought", "sentence"),
    [
        (((9, 9, 9), 3, ""), "9 × 9 × 9"),
        ((None, 0, ""), "no label"),
        ((None, 3, "MNI152NLin6Asym"), "MNI152NLin6Asym"),
    ],
)
def test_regions_of_another_place_are_one_sentence(
    visit, tiny, tmp_path, monkeypatch, brought, sentence
):
    shape, value, space = brought
    store = BetaStore.open(Dataset(tiny / "tiny"), "sub-01")
    labels = np.full(shape or store.mask.shape, value, np.float32)
    path = tmp_path / "mine.nii.gz"
    nib.save(nib.Nifti1Image(labels, store.grid.matrix), path)
    path.with_name("mine.tsv").write_text("index\tname\n3\tall of it\n")
    if space:
        path.with_name("mine.json").write_text(json.dumps({"Space": space}))
    monkeypatch.setattr(regions, "parcellations", lambda _: {"mine": path})
    made_maps(finished_job("looked"))
    app = visit(job="looked")
    pick(app, "Regions").set_value("mine").run()
    assert not app.exception
    assert len(app.error) == 1
    assert sentence in app.error[0].value


def test_maps_of_data_that_are_gone_are_one_sentence(visit, tiny_copy, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_DATA", str(tiny_copy))
    made_maps(finished_job("looked"))
    shutil.rmtree(tiny_copy / "tiny" / "derivatives")
    st.cache_data.clear()
    st.cache_resource.clear()
    app = visit(job="looked")
    assert not app.exception
    said = [e.value for e in (*app.error, *app.info, *app.warning)]
    assert said == ["sub-01 of tiny cannot be shown before it is prepared."]


def test_trainings_and_head_profiles_are_compared(visit):
    for name in ("first", "second", "third"):
        made_maps(finished_job(name))
    app = visit(job="first")
    for between, words_ in (
        ("jobs", "A map that no second seed repeats"),
        ("regions", "whose subjects have regions of the same names"),
        ("profiles", "order of the heads does not matter"),
    ):
        control(app, "Between").set_value(between).run()
        assert not app.exception, app.exception
        assert not app.error
        assert words_ in words(app)
    control(app, "Between").set_value("voxels").run()
    assert not app.exception, app.exception
    assert "maps of two subjects or more are compared, but 1 came" in app.info[-1].value


def test_two_maps_stand_side_by_side_with_their_difference(visit, monkeypatch):
    asked = []

    def drawn_of(several, order, store):
        asked.append((several, order))
        return DrawReply(b"scene", ())

    monkeypatch.setattr(attention_view, "drawn_of", drawn_of)
    monkeypatch.setattr(film, "drawn_of", drawn_of)
    for name in ("first", "second"):
        made_maps(finished_job(name))
    app = visit(job="first")
    beside = pick(app, "Beside it")
    assert {"Layer 2, head 1", "Occlusion by patch", "second, layer 1, head 1"} <= set(
        beside.options
    )
    beside.set_value("Layer 2, head 1").run()
    assert not app.error
    several, order = asked[-1]
    assert order.names == (
        "Layer 1, head 1 (chosen)",
        "Layer 2, head 1",
        "more in Layer 1, head 1 (chosen)",
        "more in Layer 2, head 1",
    )
    np.testing.assert_allclose(several[2] - several[3], several[0] - several[1], atol=1e-5)
    assert "of the mass lies elsewhere" in words(app)
    control(app, "As a film").set_value("layers").run()
    several, order = asked[-1]
    assert order.kind == "heads_gif"
    assert order.names == ("Layer 1, head 1", "Layer 2, head 1")
    assert len(several) == 2


def test_epochs_are_a_film_once_their_maps_are_made(visit, monkeypatch):
    asked, begun = [], []
    monkeypatch.setattr("thingsviz.ui.actions.begin_task", lambda *a: begun.append(a))
    monkeypatch.setattr(film, "drawn_of", lambda *a: asked.append(a) or DrawReply(b"GIF89a", ()))
    job = finished_job("looked")
    maps = made_maps(job)
    job.checkpoints.mkdir(exist_ok=True)
    for epoch in (0, 3):
        (job.checkpoints / f"epoch-{epoch:05d}.safetensors").write_bytes(b"")
    app = visit(job="looked")
    control(app, "As a film").set_value("epochs").run()
    next(b for b in app.button if b.label == "Make the maps of all kept epochs").click().run()
    assert begun[-1][1][-3:] == ["--epochs", "--methods", "attention"]
    there, name = EpochMaps(job, "test"), maps.facts()["fingerprint"]
    there.save("attention", np.stack([maps.load("attention")] * 2), name)
    there.save_tokens(maps.tokens())
    there.add_facts(epochs=[0, 3], fingerprint=name, n_layers=2)
    app.run()
    assert not app.exception, app.exception
    several, order, _ = asked[-1]
    assert order.names == ("Before training", "Epoch 3")
    assert len(several) == 2


def test_the_reports_figure_is_read_again(visit):
    made_maps(finished_job("looked"))
    app = visit(job="looked")
    next(t for t in app.toggle if t.label == "Show it for these heads").set_value(True).run()
    assert not app.error
    assert not app.exception, app.exception
    rows = next(d.value for d in app.dataframe if "n_patches" in d.value)
    assert list(rows["head"]) == [f"Head {n}" for n in range(1, 9)]
    assert rows["share"].between(0, 1).all()
    assert (rows["outside"] > 0.2).all()
    text = words(app)
    assert "approximate" in text
    assert "One patch is 210 voxels of one value" in text
    assert "that is the same everywhere would put" in text
