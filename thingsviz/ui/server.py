"""What the web server adds to Streamlit: every page knows where the server's root is."""

from __future__ import annotations

import json

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class RootAddress:
    """Tell the browser where Streamlit answers, so that a deep link need not guess.

    Without it the browser asks for /trials/_stcore/health first, gets a 404 (an error in its
    console) and only then tries the root: one more round trip for each deep link.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; anything but a page passes untouched."""
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self.app(scope, receive, send)
            return
        await self.app(_uncompressed(scope), receive, _PageSender(send))


class _PageSender:
    """Passes an answer on; an HTML page is held back until it is whole and has its script."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = Headers(raw=message["headers"])
            if headers.get("content-type", "").startswith("text/html"):
                self.start = message
                return
        if self.start is None:
            await self.send(message)
            return
        self.body += message.get("body", b"")
        if not message.get("more_body"):
            await self._finish(self.start)

    async def _finish(self, start: Message) -> None:
        page = self.body.replace(b"</head>", root_script() + b"</head>", 1)
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["content-length"] = str(len(page))
        for name in ("etag", "last-modified"):
            del headers[name]
        await self.send({**start, "headers": headers.raw})
        await self.send({"type": "http.response.body", "body": page})


def _uncompressed(scope: Scope) -> Scope:
    """Ask for a page that is not gzipped: it is 3 kB, and text is to be put into it."""
    kept = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
    return {**scope, "headers": kept}


def root_script() -> bytes:
    """Return the script tag that names the root; `server.baseUrlPath` is the path of a proxy."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    path = json.dumps(f"/{base}/" if base else "/").replace("<", "\\u003c")
    root = f"location.origin+{path}"
    script = f"window.__streamlit={{BACKEND_BASE_URL:{root},MAIN_PAGE_BASE_URL:{root}}}"
    return f"<script>{script}</script>".encode()
