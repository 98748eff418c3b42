"""Words of the field, sentences of errors, and what a page remembers."""

from __future__ import annotations

import gc
import pickle

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from models.base.errors import ModelError
from thingsviz.core.errors import DataError
from thingsviz.ui.shell import gc_freeze
from thingsviz.ui.shell.frame import PAGES, page_path, plain
from thingsviz.ui.shell.glossary import GLOSSARY, glossary
from thingsviz.ui.shell.ui_state import Key


@pytest.mark.parametrize("term", GLOSSARY)
def test_each_term_is_explained_in_bold_then_plainly(term):
    text = glossary(term)
    assert text.startswith("**")
    assert text.endswith(".")
    assert 40 < len(text) < 330


def test_the_terms_of_the_issue_are_there():
    wanted = "beta, noise ceiling, permutation p, confidence, ridge, catch trial, z-score, concept"
    assert set(wanted.split(", ")) <= set(GLOSSARY)


def test_an_unknown_term_is_a_mistake_of_ours():
    with pytest.raises(KeyError, match="nonsense"):
        glossary("nonsense")


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("sub-01_ses_01", r"sub-01\_ses\_01"),
        ("run `prepare_it` on a_b", r"run `prepare_it` on a\_b"),
        ("5 * [3] $x$", r"5 \* \[3\] \$x\$"),
        (r"C:\data", r"C\:\\data"),
        ("dog.jpg is missing", "dog.jpg is missing"),
    ],
)
def test_a_sentence_is_shown_as_it_is(sentence, shown):
    assert plain(sentence) == shown


def guarded(error):
    def script(error):
        import streamlit as st

        from thingsviz.ui.shell.frame import guard

        with guard():
            raise error
        st.write("the page goes on")

    return AppTest.from_function(script, args=(error,)).run()


@pytest.mark.parametrize("error", [DataError("no such run"), ModelError("no such run")])
def test_an_error_to_mend_is_one_sentence_and_the_page_goes_on(error):
    app = guarded(error)
    assert [box.value for box in app.error] == ["no such run"]
    assert app.markdown[-1].value == "the page goes on"


def test_a_file_that_is_gone_is_one_sentence():
    app = guarded(FileNotFoundError(2, "No such file or directory", "a_b.npy"))
    assert app.error[0].value == (
        r"A file could not be read (No such file or directory\: a\_b.npy); "
        "see Home for the state of the data."
    )


def test_a_mistake_of_ours_is_not_hidden():
    assert guarded(RuntimeError("bug")).exception


def test_keys_are_different_and_what_they_hold_can_be_pickled():
    assert len({str(key) for key in Key}) == len(Key)
    assert pickle.loads(pickle.dumps(Key.TRIAL)) is Key.TRIAL


def test_pages_have_files_and_names():
    assert [page.file for page in PAGES][:2] == ["home.py", "trials.py"]
    assert all(page_path(page.file).parent.name == "pages" for page in PAGES)
    assert len({page.title for page in PAGES}) == len(PAGES)


def test_what_lives_long_is_frozen_once(monkeypatch):
    frozen = []
    monkeypatch.setattr(gc_freeze, "_frozen", [0])
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(1))
    gc_freeze.spare_the_collector()
    gc_freeze.spare_the_collector()
    assert frozen == [1]


def test_the_theme_asks_for_nothing_from_outside():
    for section in ("theme", "theme.light", "theme.dark"):
        assert "http" not in str(st.get_option(f"{section}.font"))
    assert st.get_option("runner.enforceSerializableSessionState") is True
    assert st.get_option("browser.gatherUsageStats") is False
    assert st.get_option("server.enableXsrfProtection") is True
    assert st.get_option("client.showErrorDetails") == "none"
