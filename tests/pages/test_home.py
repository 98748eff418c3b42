"""The Home page as Streamlit runs it, without a browser."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from thingsviz.core.json_files import sealed
from thingsviz.core.progress import Progress
from thingsviz.queue.background_tasks import Task
from thingsviz.ui.shell import background

PAGE = Path(__file__).parents[2] / "pages" / "home.py"


@pytest.fixture
def started(monkeypatch):
    """The commands that the page started; none really runs."""
    found = []
    monkeypatch.setattr(
        "thingsviz.ui.actions.begin_task", lambda kind, args: found.append((kind, *args))
    )
    return found


@pytest.fixture
def visit(started, tmp_path, monkeypatch):
    """Open the page over a datasets root."""

    def go(root) -> AppTest:
        st.cache_data.clear()
        st.cache_resource.clear()
        monkeypatch.setenv("THINGSVIZ_DATA", str(root))
        monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "jobs"))
        app = AppTest.from_file(PAGE, default_timeout=30).run()
        assert not app.exception, app.exception
        return app

    return go


def store_of(root):
    return root / "tiny" / "derivatives" / "thingsviz" / "sub-01"


def words(app):
    kinds = (app.markdown, app.caption, app.subheader, app.info, app.warning, app.error, app.code)
    return "\n".join(str(e.value) for kind in kinds for e in kind)


def button(app, label):
    return next(b for b in app.button if b.label == label)


def test_a_ready_subject_is_counted(visit, tiny):
    app = visit(tiny)
    assert {"tiny"} <= {box.value for box in app.subheader}
    assert "SIMULATED" in words(app)
    assert "ready" in words(app)
    table = app.dataframe[0].value
    counts = dict(zip(table["what"], table["number"], strict=True))
    assert counts["sessions"] == 4
    assert counts["train trials"] == 128
    assert counts["test trials"] == 32
    assert counts["catch trials"] == 16
    assert counts["brain voxels"] > 1000
    assert not [b for b in app.button if b.label.startswith("Prepare")]


def test_the_counts_are_drawn_by_session_and_type(visit, tiny):
    spec = json.loads(visit(tiny).get("plotly_chart")[0].proto.spec)
    assert [trace["name"] for trace in spec["data"]] == ["train", "test", "catch"]


def test_first_steps_lead_to_the_other_pages(visit, tiny):
    links = [link.proto.label for link in visit(tiny).get("page_link")]
    assert links[0].startswith("**Trials**")


def test_an_empty_machine_offers_the_demo_and_says_where_real_data_go(visit, started, tmp_path):
    root = tmp_path / "data_sets"
    app = visit(root)
    assert "There are no data here yet." in words(app)
    assert str(root) in words(app).replace("\\", "")
    assert "betas_vol/scalematched/sub-01" in words(app)
    button(app, "Make the demo data").click().run()
    demo = str(root / "demo")
    assert started == [("simulate", demo, "--preset", "demo", "--seed", "1", "--if-missing")]


def test_a_planting_that_failed_is_said_beside_the_button(visit, tmp_path, monkeypatch):
    root = str(tmp_path / "data" / "demo")
    failed = Task("t", "simulate", (root,), 0.0, "failed", Progress(0, 1, ""), "the disk is full")
    monkeypatch.setattr(background, "tasks", lambda: [failed])
    app = visit(tmp_path / "data")
    assert app.error[0].value == r"The last planting ended early\: the disk is full"
    assert not button(app, "Make the demo data").disabled


def test_a_raw_subject_is_prepared_by_a_button(visit, started, tiny_copy):
    shutil.rmtree(store_of(tiny_copy))
    app = visit(tiny_copy)
    assert "raw" in words(app)
    assert "not prepared yet" in words(app)
    button(app, "Prepare").click().run()
    assert started == [("prepare", str(tiny_copy / "tiny"), "--subject", "sub-01")]


def test_conditions_alone_give_the_trials_table(visit, started, tiny_copy):
    shutil.rmtree(store_of(tiny_copy))
    for path in (tiny_copy / "tiny" / "betas_vol").rglob("*.nii.gz"):
        path.unlink()
    app = visit(tiny_copy)
    button(app, "Prepare the trials table").click().run()
    assert started[0][-1] == "--table-only"


def test_a_changed_source_makes_it_stale_and_says_which(visit, tiny_copy):
    path = tiny_copy / "tiny" / "image" / "02_object-level" / "_property-ratings.tsv"
    path.write_text(path.read_text() + "\n")
    app = visit(tiny_copy)
    assert "stale" in words(app)
    assert "property-ratings.tsv" in words(app).replace("\\", "")
    assert button(app, "Prepare again")
    assert app.dataframe, "what is known is still shown"


def test_a_broken_store_says_why(visit, tiny_copy):
    (store_of(tiny_copy) / "betas.npy").unlink()
    app = visit(tiny_copy)
    assert "broken" in words(app)
    assert "betas.npy" in app.error[0].value
    assert button(app, "Prepare again")


def test_a_manifest_of_nonsense_breaks_nothing(visit, tiny_copy):
    (store_of(tiny_copy) / "manifest.json").write_text("{")
    app = visit(tiny_copy)
    assert "broken" in words(app)


def test_a_description_of_nonsense_is_one_sentence(visit, tiny_copy):
    (tiny_copy / "tiny" / "dataset_description.json").write_text("[1]")
    app = visit(tiny_copy)
    assert len(app.error) == 1
    assert "should hold a JSON object" in app.error[0].value


def test_warnings_of_the_data_are_shown(visit, tiny_copy):
    path = store_of(tiny_copy) / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(
        json.dumps(sealed(manifest | {"warnings": ["3 trials show an unlisted picture_x"]}))
    )
    app = visit(tiny_copy)
    assert [w.value for w in app.warning] == [r"3 trials show an unlisted picture\_x."]


def test_a_dataset_without_subjects_is_said(visit, tmp_path):
    (tmp_path / "root" / "empty_one" / "betas_vol").mkdir(parents=True)
    app = visit(tmp_path / "root")
    assert "No subject is in this dataset." in words(app)
