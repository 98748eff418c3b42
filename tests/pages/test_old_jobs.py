"""Job folders of earlier versions on the pages that show jobs and studies."""

import hashlib

import pytest

from tests.jobs.old_folders import unpack

SESSIONS = {"session-1": ("ridge", "vit"), "session-2": ("ridge", "vit")}


def texts(app):
    kinds = (app.markdown, app.caption, app.subheader, app.error, app.warning)
    return " | ".join(str(element.value) for kind in kinds for element in kind)


def recipes(root):
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*.json")}


@pytest.fixture(params=SESSIONS)
def old(request, tiny_env):
    unpack(request.param, tiny_env)
    before = recipes(tiny_env)
    yield SESSIONS[request.param]
    after = recipes(tiny_env)
    assert {path: after.get(path) for path in before} == before  # read, never rewritten


def test_they_are_compared(old, visit):
    app = visit("compare.py", dataset="tiny", jobs=",".join(old))
    assert not app.error
    scores = app.dataframe[0].value
    assert [*scores["training"]] == [*old]
    assert scores["score"].str.contains(r"^0\.\d\d \(.* to .*\)$").all()
    assert {"Do they differ?", "Settings that differ"} <= {s.value for s in app.subheader}
    assert "r of ridge minus that of vit is +0.286" in texts(app)
    assert "SIMULATED" in texts(app)


def test_an_old_classifier_is_offered_beside_them(tiny_env, visit):
    unpack("session-2", tiny_env)
    app = visit("compare.py", dataset="tiny", jobs="classes")
    assert not app.error
    assert {"classes", "ridge", "vit"} <= set(app.multiselect[0].options)


def test_an_old_study_opens(tiny_env, visit):
    unpack("session-2", tiny_env)
    before = recipes(tiny_env)
    app = visit("tune.py", dataset="tiny", study="study")
    assert not app.error
    finals, candidates = (table.value for table in app.dataframe[:2])
    assert [*finals["training"]] == ["study-default", "study-best"]
    assert [*candidates["state"]] == ["done", "done"]
    assert "its best is not shown to be better than the default settings" in texts(app)
    assert "SIMULATED" in texts(app)
    assert recipes(tiny_env) == before
