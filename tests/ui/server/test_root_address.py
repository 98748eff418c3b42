"""The web server's answers, asked for without a network."""

from __future__ import annotations

import pytest
import streamlit as st

from tests.loops import run
from thingsviz.ui.server.root_address import RootAddress, root, root_script

PAGE = b"<html><head><title>x</title></head><body></body></html>"


def ask(body: bytes, kind: bytes, accept: bytes = b"text/html", chunks: int = 1):
    """Send one GET through the middleware; returns (what the app was asked, headers, body)."""
    asked, sent = {}, []

    async def app(scope, receive, send):
        asked.update(dict(scope["headers"]))
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        step = -(-len(body) // chunks)
        for i in range(chunks):
            part = body[i * step : (i + 1) * step]
            await send({"type": "http.response.body", "body": part, "more_body": i < chunks - 1})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": [(b"accept", accept), (b"accept-encoding", b"gzip")]}
    run(RootAddress(app)(scope, None, send))
    got = b"".join(m.get("body", b"") for m in sent[1:])
    return asked, dict(sent[0]["headers"]), got


@pytest.mark.parametrize("chunks", [1, 2, 7])
def test_a_page_is_told_its_root_once_and_its_length_is_right(chunks):
    _, headers, body = ask(PAGE, b"text/html; charset=utf-8", chunks=chunks)
    assert body.count(root_script()) == 1
    assert body.replace(root_script(), b"") == PAGE
    assert headers[b"content-length"] == str(len(body)).encode()


def test_other_answers_pass_untouched():
    asked, headers, body = ask(b"{}", b"application/json", accept=b"*/*")
    assert body == b"{}"
    assert asked[b"accept-encoding"] == b"gzip"
    assert headers[b"content-length"] == b"2"


def test_only_pages_are_asked_for_uncompressed():
    asked, _, _ = ask(PAGE, b"text/html")
    assert b"accept-encoding" not in asked


def test_a_websocket_passes():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    run(RootAddress(app)({"type": "websocket", "headers": []}, None, None))
    assert seen == ["websocket"]


@pytest.mark.parametrize(("base", "path"), [("", "/"), ("lab", "/lab/"), ("/a/b/", "/a/b/")])
def test_the_root_follows_the_base_path_of_a_proxy(monkeypatch, base, path):
    monkeypatch.setattr(st, "get_option", lambda name: base)
    assert root_script() == f'<script src="{path}thingsviz-root.js"></script>'.encode()
    assert f'BACKEND_BASE_URL:location.origin+"{path}"'.encode() in root(None).body


def test_a_base_path_cannot_end_the_tag(monkeypatch):
    monkeypatch.setattr(st, "get_option", lambda name: '"></script><b>')
    assert root_script().count(b"<") == 2
