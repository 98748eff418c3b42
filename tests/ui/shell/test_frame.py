"""What every page begins with, over datasets in every state."""

from __future__ import annotations

import json
import shutil

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from thingsviz.core.json_files import sealed
from thingsviz.ui.caches import dataset_cache


def script():
    import streamlit as st

    from thingsviz.ui.shell.frame import open_page

    page = open_page("A page", "It is for tests.")
    st.write(f"{page.dataset.name} {page.subject} {page.store.shape[0]} {page.theme}")


@pytest.fixture
def visit(tiny_copy, tmp_path, monkeypatch):
    """Open a page over a copy of the datasets root, at an address."""
    monkeypatch.setenv("THINGSVIZ_DATA", str(tiny_copy))
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "jobs"))

    def go(**query) -> AppTest:
        st.cache_data.clear()
        st.cache_resource.clear()
        app = AppTest.from_function(script, default_timeout=30)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, app.exception
        return app

    return go


def shown(app):
    """What the page went on to say; None when it ended before."""
    return (
        app.markdown[-1].value if len(app.markdown) and "sub-" in app.markdown[-1].value else None
    )


def test_a_page_knows_its_subject(visit):
    app = visit()
    assert shown(app) == "tiny sub-01 176 light"
    assert app.title[0].value == "A page"
    assert app.caption[0].value == "It is for tests."
    assert [box.label for box in app.sidebar.selectbox] == ["Dataset", "Subject"]


def test_simulated_data_are_called_so_and_others_are_not(visit, tiny_copy):
    assert any("SIMULATED" in m.value for m in visit().markdown)
    path = tiny_copy / "tiny" / "dataset_description.json"
    path.write_text(json.dumps({"Name": "mine"}))
    assert not any("SIMULATED" in m.value for m in visit().markdown)


def test_the_page_opens_on_a_dataset_that_can_be_shown(visit, tiny_copy):
    shutil.copytree(tiny_copy / "tiny", tiny_copy / "a raw one")
    shutil.rmtree(tiny_copy / "a raw one" / "derivatives" / "thingsviz")
    app = visit()
    assert shown(app) == "tiny sub-01 176 light"
    assert app.sidebar.selectbox[0].options == ["tiny", "a raw one"]
    app.sidebar.selectbox[0].select("a raw one").run()
    assert shown(app) is None
    assert app.info[0].value == "sub-01 of a raw one cannot be shown before it is prepared."


def test_the_address_chooses_the_dataset(visit, tiny_copy):
    shutil.copytree(tiny_copy / "tiny", tiny_copy / "other")
    assert shown(visit(dataset="other", subject="sub-01")) == "other sub-01 176 light"


def test_a_choice_lasts_against_an_address_that_only_repeats_the_page(visit, tiny_copy):
    shutil.copytree(tiny_copy / "tiny", tiny_copy / "other")
    app = visit()
    app.sidebar.selectbox[0].select("other").run()
    assert shown(app.run()) == "other sub-01 176 light"


def test_a_dataset_that_cannot_be_read_does_not_hide_the_others(visit, tiny_copy):
    shutil.copytree(tiny_copy / "tiny", tiny_copy / "bad")
    (tiny_copy / "bad" / "dataset_description.json").write_text("{")
    app = visit()
    assert shown(app) == "tiny sub-01 176 light"
    assert app.sidebar.selectbox[0].options == ["tiny"]


def test_a_stale_store_is_shown_with_a_note(visit, tiny_copy):
    path = tiny_copy / "tiny" / "image" / "02_object-level" / "_property-ratings.tsv"
    path.write_text(path.read_text() + "\n")
    app = visit()
    assert shown(app) == "tiny sub-01 176 light"
    assert app.warning[0].value.endswith("run prepare again on Home.")


def test_a_store_that_was_prepared_anew_is_opened_anew(visit, tiny_copy):
    app = visit()
    assert shown(app) == "tiny sub-01 176 light"
    folder = tiny_copy / "tiny" / "derivatives" / "thingsviz" / "sub-01"
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(
        json.dumps(sealed(manifest | {"fingerprint": "another"}))
    )
    dataset = dataset_cache.datasets()[0].dataset
    assert dataset_cache.store(dataset, "sub-01").fingerprint == "another"


def test_the_state_of_a_file_is_path_time_and_size(tmp_path):
    path = tmp_path / "a file"
    assert dataset_cache.stamp(path) == (str(path), 0, 0)
    path.write_text("12345")
    before = dataset_cache.stamp(path)
    assert before.size == 5
    path.write_text("123456")
    assert dataset_cache.stamp(path) != before


def test_job_recipes_that_cannot_be_read_belong_to_nobody(tmp_path):
    from thingsviz.jobs.job_folder import JobFolder

    job = JobFolder(tmp_path)
    assert dataset_cache.job_subject(job) is None
    (tmp_path / "config.json").write_text('{"dataset": "tiny", "surprise": 1}')
    assert dataset_cache.job_subject(job) is None
    (tmp_path / "config.json").write_text('{"dataset": "tiny", "subject": "sub-02"}')
    assert dataset_cache.job_subject(job) == ("tiny", "sub-02")


def test_a_backtick_without_its_partner_opens_no_code():
    from thingsviz.ui.shell.frame import plain

    assert plain("it`s a_b") == r"it\`s a\_b"
    assert plain("`a_b` c_d ` e_f") == r"`a_b` c\_d \` e\_f"
