"""What the web server adds to Streamlit's page: where the root is, and rest for hidden tabs."""

from __future__ import annotations

import html
import json
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SCRIPT = "thingsviz-root.js"
HIDDEN = Path(__file__).with_name("hidden.js")


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


def root_path() -> str:
    """Return the path under which the app is reached; `server.baseUrlPath` is a proxy's."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}/" if base else "/"


def root_script() -> bytes:
    """Return the tag of the script that names the root.

    A file of its own, not a script in the page: so a proxy's Content-Security-Policy need not
    allow scripts that stand in a page.
    """
    source = html.escape(f"{root_path()}{SCRIPT}", quote=True)
    return f'<script src="{source}"></script>'.encode()


def root(request: Request) -> Response:
    """Answer with the script that runs before Streamlit's own in each page.

    It tells where the server's root is, and lets a hidden tab rest (hidden.js): with a fragment
    of the page's own for that, each look away and back would cost a run of the whole page.
    """
    root = f"location.origin+{json.dumps(root_path())}"
    script = f"window.__streamlit={{BACKEND_BASE_URL:{root},MAIN_PAGE_BASE_URL:{root}}}\n"
    script += HIDDEN.read_text(encoding="utf-8")
    return Response(script, media_type="text/javascript", headers={"cache-control": "no-cache"})


ROUTES = [Route(f"/{SCRIPT}", root)]
