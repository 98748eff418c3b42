"""Who a request comes from: every way in, honest and forged, against the real server's rules."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from thingsviz.core.errors import ConfigError
from thingsviz.ui.access.middleware import ADDRESS, USER, AccessMiddleware
from thingsviz.ui.access.policy import read_policy

HEADER = {"THINGSVIZ_ACCESS": "header", "THINGSVIZ_TRUSTED_PROXIES": "127.0.0.1, ::1, 10.0.0.2"}


def knock(
    settings,
    client=("127.0.0.1", 40_000),
    headers=(),
    path="/",
    kind="http",
    host="localhost:8501",
):
    """Send a request through uvicorn's and our middleware; returns (status, body, headers in)."""
    seen, sent = {}, []

    async def app(scope, receive, send):
        seen.update({name.decode(): value.decode() for name, value in scope["headers"]})
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "websocket.connect"}

    headers = [("host", host), *headers]
    given = [(name.lower().encode(), value.encode()) for name, value in headers]
    scope = {"type": kind, "path": path, "headers": given, "client": client, "scheme": "http"}
    doors = ProxyHeadersMiddleware(
        AccessMiddleware(app, lambda: read_policy(settings)), trusted_hosts="127.0.0.1,::1"
    )
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, doors(scope, receive, send)).result()
    first = sent[0]
    body = b"".join(m.get("body", b"") for m in sent[1:]).decode()
    return first.get("status", first.get("code")), body, seen


def test_local_lets_this_machine_in():
    status, _, seen = knock({})
    assert status == 200
    assert (seen[USER], seen[ADDRESS]) == ("local", "127.0.0.1")


@pytest.mark.parametrize("client", [("10.0.0.9", 40_000), ("", -1), None])
def test_local_refuses_other_machines(client):
    status, body, seen = knock({}, client)
    assert (status, seen) == (403, {})
    assert "visitors on its own machine only" in body


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_local_refuses_what_came_through_a_proxy(name):
    status, body, _ = knock({}, headers=[(name, "127.0.0.1")])
    assert status == 403
    assert "through a proxy" in body


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:8501", "[::1]:8501"])
def test_local_goes_by_the_machines_own_names(host):
    assert knock({}, host=host)[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8501", "", "[::1"])
def test_local_refuses_a_foreign_name_that_points_here(host):
    status, body, _ = knock({}, host=host)
    assert status == 403
    assert "open http://localhost" in body


def test_open_calls_everybody_anonymous_whatever_they_say():
    status, _, seen = knock(
        {"THINGSVIZ_ACCESS": "open"}, ("10.0.0.9", 1), [(USER, "ada"), ("X-Forwarded-User", "ada")]
    )
    assert status == 200
    assert seen[USER] == "anonymous"


@pytest.mark.parametrize(
    ("client", "more"),
    [
        (("10.0.0.2", 40_000), []),
        (("127.0.0.1", 40_000), []),
        # nginx on this machine, with the usual header: uvicorn puts the visitor's address in
        (("127.0.0.1", 40_000), [("X-Forwarded-For", "192.0.2.7")]),
    ],
)
def test_a_proxys_word_is_taken(client, more):
    status, _, seen = knock(HEADER, client, [("X-Forwarded-User", "ada@lab.example"), *more])
    assert status == 200
    assert seen[USER] == "ada@lab.example"


@pytest.mark.parametrize(
    "more",
    [
        [],
        [("X-Forwarded-For", "127.0.0.1")],
        [("X-Forwarded-For", "10.0.0.2")],
        [("X-Forwarded-For", "10.0.0.9")],
        [("Forwarded", "for=127.0.0.1")],
    ],
)
def test_a_neighbour_cannot_play_the_proxy(more):
    forged = [("X-Forwarded-User", "ada@lab.example"), (USER, "ada@lab.example"), *more]
    status, body, seen = knock(HEADER, ("10.0.0.9", 40_000), forged)
    assert (status, seen) == (403, {})
    assert "open the proxy" in body


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ([], "gave no user in the header"),
        ([("X-Forwarded-User", " ")], "log in there first"),
        ([("X-Forwarded-User", "a"), ("X-Forwarded-User", "b")], "gave 2 users"),
        ([("X-Forwarded-User", "a" * 201)], "no name of a person"),
        ([("X-Forwarded-User", "a\x07b")], "no name of a person"),
    ],
)
def test_a_proxy_that_names_nobody_is_told_so(headers, words):
    status, body, _ = knock(HEADER, headers=headers)
    assert status == 403
    assert words in body


def test_a_name_of_any_alphabet_arrives(tmp_path):
    _, _, seen = knock(HEADER, headers=[("X-Forwarded-User", "Łukasz Żak")])
    assert seen[USER] == "%C5%81ukasz%20%C5%BBak"


def test_nobody_without_a_role_comes_in(tmp_path):
    roles = tmp_path / "roles.toml"
    roles.write_text('train = ["*@lab.example"]')
    settings = {**HEADER, "THINGSVIZ_ROLES": str(roles)}
    status, body, _ = knock(settings, headers=[("X-Forwarded-User", "<b>eve</b>")])
    assert status == 403
    assert "&lt;b&gt;eve&lt;/b&gt; has no role here" in body


def test_wrong_settings_let_nobody_in(caplog):
    status, body, _ = knock({"THINGSVIZ_ACCESS": "opne"})
    assert status == 403
    assert "did you mean &#x27;open&#x27;" in body
    assert "nobody is let in" in caplog.text


def test_a_websocket_is_closed_before_it_opens():
    status, _, seen = knock({}, ("10.0.0.9", 1), kind="websocket")
    assert (status, seen) == (1008, {})


def test_a_monitor_needs_no_name():
    status, _, _ = knock({}, ("10.0.0.9", 1), path="/healthz")
    assert status == 200
    assert knock({}, ("10.0.0.9", 1), path="/media/healthz")[0] == 403


@pytest.mark.parametrize("mode", ["local", "open", "header", "oidc"])
def test_metrics_are_for_this_machine_only(mode):
    settings = {"THINGSVIZ_ACCESS": mode}
    assert knock(settings, path="/metrics")[0] == 200
    assert knock(settings, ("10.0.0.9", 1), path="/metrics")[0] == 403
    through = [("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-User", "ada")]
    assert knock(settings, headers=through, path="/metrics")[0] == 403


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, 200),
        ({"THINGSVIZ_ACCESS": "open"}, 200),
        ({"THINGSVIZ_ACCESS": "open", "THINGSVIZ_OPEN_ROLE": "look"}, 403),
        (HEADER | {"THINGSVIZ_ROLES": "look"}, 403),
        (HEADER | {"THINGSVIZ_ROLES": "train"}, 200),
    ],
)
def test_files_come_only_from_those_who_may_train(tmp_path, settings, status):
    if "THINGSVIZ_ROLES" in settings:
        roles = tmp_path / "roles.toml"
        roles.write_text(f'{settings["THINGSVIZ_ROLES"]} = ["ada"]\n')
        settings = settings | {"THINGSVIZ_ROLES": str(roles)}
    user = [("X-Forwarded-User", "ada")] if "THINGSVIZ_TRUSTED_PROXIES" in settings else []
    assert knock(settings, headers=user, path="/_stcore/upload_file/s/f")[0] == status
    assert knock(settings, headers=user, path="/trials")[0] == 200


def test_with_oidc_the_page_asks_for_the_login():
    status, _, seen = knock({"THINGSVIZ_ACCESS": "oidc"}, ("10.0.0.9", 1), [(USER, "ada")])
    assert status == 200
    assert USER not in seen


def test_the_policy_is_read_once():
    with pytest.raises(ConfigError):
        read_policy({"THINGSVIZ_ACCESS": "x"})
    calls = []
    AccessMiddleware(None, lambda: calls.append(1) or read_policy({}))
    assert calls == [1]
