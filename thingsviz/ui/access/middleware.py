"""The server's doors: who a request comes from is settled here, before any page runs."""

from __future__ import annotations

import html
import logging
import socket
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import streamlit as st
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from thingsviz.core.errors import ConfigError
from thingsviz.core.settings import Role
from thingsviz.ui.access.policy import Policy, allows, is_loopback, read_policy

USER, ADDRESS = "x-thingsviz-user", "x-thingsviz-address"
OURS = {USER.encode(), ADDRESS.encode()}
LOCAL = "local"
ANONYMOUS = "anonymous"
FORWARDING = ("x-forwarded-for", "forwarded", "x-real-ip")
# these say nothing about anybody, and a monitor must be able to ask without a name
ALWAYS = ("/healthz", "/_stcore/health")
# numbers of the server: for a monitor on this machine, whoever may look at pages
MONITOR = ("/metrics",)
UPLOAD = "/_stcore/upload_file"
LOG = logging.getLogger("thingsviz.doors")
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>thingsviz</title>
<style>:root{{color-scheme:light dark}}body{{font:1.05rem/1.5 sans-serif;max-width:40rem;
margin:18vh auto;padding:0 1rem}}</style></head><body><h1>{title}</h1><p>{sentence}</p></body>"""


class RefusedError(Exception):
    """A visitor is not let in; the text is the sentence that they see."""


class RequestUser(NamedTuple):
    """Whom a request comes from; name '' is somebody who has yet to log in."""

    name: str
    address: str


class AccessMiddleware:
    """Let a request in with the headers that say who it is, or refuse it with one sentence.

    Headers of these names that came from outside are thrown away first, so that a page can
    believe them. A policy that cannot be read lets nobody in.
    """

    def __init__(self, app: ASGIApp, policy: Callable[[], Policy] = read_policy) -> None:
        self.app = app
        self.policy: Policy | None = None
        self.fault = ""
        try:
            self.policy = policy()
        except ConfigError as error:
            self.fault = str(error)
            LOG.error("nobody is let in: %s", error)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] not in {"http", "websocket"} or scope["path"] in based(ALWAYS):
            await self.app(scope, receive, send)
            return
        try:
            if self.policy is None:
                raise RefusedError(f"The server's settings are wrong: {self.fault}.")
            if scope["path"] in based(MONITOR):
                found = _local(scope.get("client") or ("", -1), Headers(scope=scope))
            else:
                found = who(self.policy, scope)
                check_upload(self.policy, found, scope)
        except RefusedError as refusal:
            await refuse(scope, receive, send, str(refusal))
            return
        await self.app(_named(scope, found), receive, send)


def based(paths: tuple[str, ...]) -> set[str]:
    """Return paths as they are asked for; `server.baseUrlPath` is the path of a proxy."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return {f"/{base}{path}" if base else path for path in paths}


def who(policy: Policy, scope: Scope) -> RequestUser:
    """Say whom a request comes from, or raise the sentence for them."""
    host, port = client = scope.get("client") or ("", -1)
    headers = Headers(scope=scope)
    if policy.mode == "local":
        return _local(client, headers)
    if policy.mode == "header":
        return _from_header(policy, host, port, headers)
    return RequestUser(ANONYMOUS if policy.mode == "open" else "", host)


def check_upload(policy: Policy, found: RequestUser, scope: Scope) -> None:
    """Refuse files from visitors who may only look: what they send would stay in memory.

    With `oidc` the login is the page's, not the request's: there the page alone hides the field.
    """
    if UPLOAD not in scope["path"] or policy.mode == "oidc":
        return
    known: dict[str, Role | None] = {"local": "administer", "open": policy.open_role}
    role = known.get(policy.mode, policy.role_of(found.name)) or "look"
    if not allows(role, "train"):
        raise RefusedError("Files can be brought by those who may train: ask the administrator.")


def _local(client: tuple[str, int], headers: Headers) -> RequestUser:
    host, port = client
    if port == 0 or any(name in headers for name in FORWARDING):
        raise RefusedError(
            "This server lets in visitors on its own machine only, and this request came through "
            "a proxy: its administrator can set THINGSVIZ_ACCESS to header, oidc or open."
        )
    if not is_loopback(host):
        raise RefusedError(
            f"This server lets in visitors on its own machine only, and this request came from "
            f"{host or 'nowhere'}: its administrator can set THINGSVIZ_ACCESS to header, oidc or "
            "open."
        )
    asked = _hostname(headers.get("host", ""))
    if asked not in {"localhost", socket.gethostname().casefold()} and not is_loopback(asked):
        # a foreign site can point its own name at this machine and read the app through a browser
        raise RefusedError(
            f"This server is called localhost, and this request asked for {asked or 'nobody'}: "
            "open http://localhost with the port that the server printed."
        )
    return RequestUser(LOCAL, host)


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _from_header(policy: Policy, host: str, port: int, headers: Headers) -> RequestUser:
    if not policy.is_proxy(host, port):
        raise RefusedError(
            f"This server is reached through its proxy, and this request came from {host} "
            "directly: open the proxy's address."
        )
    names = [_text(name).strip() for name in headers.getlist(policy.user_header)]
    if len(names) != 1 or not names[0]:
        raise RefusedError(
            f"The proxy gave {len(names) or 'no'} user{'s' if len(names) > 1 else ''} in the "
            f"header {policy.user_header}: log in there first."
        )
    if len(names[0]) > 200 or not names[0].isprintable():
        raise RefusedError(f"The proxy's header {policy.user_header} holds no name of a person.")
    if policy.role_of(names[0]) is None:
        raise RefusedError(f"{names[0]} has no role here: ask the administrator of this server.")
    return RequestUser(names[0], host)


def _text(header: str) -> str:
    """Read a header as UTF-8 where it is; Starlette reads all of them as Latin-1."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeDecodeError:
        return header


def _named(scope: Scope, found: RequestUser) -> Scope:
    kept = [(name, value) for name, value in scope["headers"] if name.lower() not in OURS]
    own = [(USER, found.name), (ADDRESS, found.address)]
    added = [(name.encode(), quote(value, safe="@.:+").encode()) for name, value in own if value]
    return {**scope, "headers": [*kept, *added]}


async def refuse(scope: Scope, receive: Receive, send: Send, sentence: str) -> None:
    """Answer 403 with a page, or close a WebSocket before it opens."""
    LOG.warning("refused %s: %s", scope["path"], sentence)
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    page = PAGE.format(title="Not open to you", sentence=html.escape(sentence)).encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(page)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": page})
