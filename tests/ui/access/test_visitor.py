"""What a visitor may do: by mode and role, on pages as they are opened."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from thingsviz.ui.access import visitor as access
from thingsviz.ui.access.policy import Policy
from thingsviz.ui.access.visitor import AccessError, Visitor


@pytest.fixture
def context(monkeypatch):
    """Set what Streamlit knows of the visitor: headers, address, login."""

    def put(headers=(), ip=None, user=None):
        fake = SimpleNamespace(headers=dict(headers), ip_address=ip)
        monkeypatch.setattr(access.st, "context", fake)
        if user is not None:
            monkeypatch.setattr(access.st, "user", User(user))

    return put


class User(dict):
    """Streamlit's user: a dict that says whether it is logged in."""

    @property
    def is_logged_in(self):
        return self["is_logged_in"]


def test_local_may_do_everything_from_this_machine_only(context):
    context(ip=None)
    assert access.visitor(Policy()) == Visitor("local", "administer", "")
    context(ip="10.0.0.9")
    assert access.visitor(Policy()).role is None
    # the doors have looked at the address before
    context({"x-thingsviz-user": "local", "x-thingsviz-address": "127.0.0.1"}, ip="10.0.0.9")
    assert access.visitor(Policy()).role == "administer"


def test_open_gives_everybody_its_role(context):
    context(ip="10.0.0.9")
    assert access.visitor(Policy("open")) == Visitor("anonymous", "train", "10.0.0.9")
    assert access.visitor(Policy("open", open_role="look")).role == "look"


def test_header_believes_the_doors_only(context):
    rules = {"train": ("*@lab.example",)}
    context({"x-thingsviz-user": "ada%40lab.example"})
    assert access.visitor(Policy("header", rules=rules))[:2] == ("ada@lab.example", "train")
    context({"x-forwarded-user": "ada@lab.example"})
    assert access.visitor(Policy("header", rules=rules)).role is None


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"is_logged_in": True, "email": "ada@lab.example"}, ("ada@lab.example", "train")),
        ({"is_logged_in": False, "email": "ada@lab.example"}, ("", None)),
        (
            {"is_logged_in": True, "email": "ada@lab.example", "email_verified": False},
            ("", None),
        ),
        ({"is_logged_in": True, "sub": "eve@else.example"}, ("eve@else.example", None)),
        ({"is_logged_in": True}, ("", None)),
    ],
)
def test_oidc_believes_the_provider_only(context, user, expected):
    context({"x-thingsviz-user": "ada%40lab.example"}, user=user)
    policy = Policy("oidc", rules={"train": ("*@lab.example",)})
    assert access.visitor(policy)[:2] == expected


@pytest.mark.parametrize(
    ("role", "owner", "expected"),
    [
        ("administer", "bo", True),
        ("train", "bo", False),
        ("train", "ada", True),
        ("look", "ada", False),
        (None, "ada", False),
    ],
)
def test_a_job_belongs_to_its_owner(role, owner, expected):
    assert Visitor("ada", role, "").may_change(owner) is expected


def test_what_a_role_lacks_is_said_in_one_sentence(context, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_ACCESS", "open")
    monkeypatch.setenv("THINGSVIZ_OPEN_ROLE", "look")
    context(ip="10.0.0.9")
    with pytest.raises(AccessError, match="may look at data and results: ask the administrator"):
        access.need("train")
    assert access.need("look").name == "anonymous"


PAGES = sorted(p.stem for p in (Path(__file__).parents[3] / "pages").glob("[a-z]*.py"))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_checks_when_it_is_opened_by_its_own_address(tiny_env, monkeypatch, page):
    monkeypatch.setenv("THINGSVIZ_ACCESS", "header")
    app = AppTest.from_file(f"../../../pages/{page}.py", default_timeout=60).run()
    assert not app.exception
    assert [e.value for e in app.error] == [
        "this visitor has no role here: ask the administrator of this server."
    ]
    assert not app.title
    assert not app.selectbox
    assert not app.button
