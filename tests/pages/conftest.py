"""What the tests of pages share: a page opened at an address, and a process that is alive."""

import fcntl
import os
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

PAGES = Path(__file__).parents[2] / "pages"


@pytest.fixture
def visit(tiny_env):
    """Open a page by its file's name at an address, with nothing in memory, and look at it."""
    st.cache_data.clear()
    st.cache_resource.clear()

    def run(name, **query) -> AppTest:
        app = AppTest.from_file(PAGES / name, default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        return look(app)

    return run


def look(app) -> AppTest:
    """Run a page once more; it must not raise."""
    app.run()
    assert not app.exception, app.exception
    return app


@pytest.fixture
def alive():
    """Hold a job's lock, as its process would."""
    handles = []

    def hold(job):
        handles.append(os.open(job.file("lock"), os.O_RDWR | os.O_CREAT))
        fcntl.flock(handles[-1], fcntl.LOCK_EX)

    yield hold
    for handle in handles:
        os.close(handle)


def button(app, label):
    """Return the button of that label."""
    return next(b for b in app.button if b.label == label)


def press(app, label) -> AppTest:
    """Click a button and look at what comes."""
    button(app, label).click()
    return look(app)


def labels(app):
    """Return the labels of all buttons."""
    return {b.label for b in app.button}
