"""Tabs of one real window, of which only the foremost is seen.

Playwright tells every page that it is seen and has the focus; a browser that is only asked through
its own debugging port does not.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

from websockets.sync.client import ClientConnection, connect

from tests.browser.conftest import FLAGS, free_port


class Window:
    """A chromium of its own with tabs."""

    def __init__(self, profile: Path) -> None:
        self.port = free_port()
        command = [
            shutil.which("chromium"),
            "--headless=new",
            *FLAGS,
            f"--user-data-dir={profile}",
        ]
        command += [f"--remote-debugging-port={self.port}", "about:blank"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                self.ask("/json/version")
                return
            except OSError:
                time.sleep(0.1)

    def ask(self, path: str, method: str = "GET") -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        return urllib.request.urlopen(request, timeout=10).read()

    def open(self) -> Tab:
        """Open an empty tab in front of the others."""
        return Tab(self, json.loads(self.ask("/json/new?about:blank", "PUT")))

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)


class Tab:
    """A tab that counts what its page sends over WebSockets."""

    def __init__(self, window: Window, facts: dict) -> None:
        self.window, self.id, self.sent, self.number = window, facts["id"], 0, 0
        self.socket: ClientConnection = connect(facts["webSocketDebuggerUrl"], max_size=None)
        self.call("Network.enable")

    def call(self, method: str, **params) -> dict:
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv(timeout=30))
            self.hear(message)
            if message.get("id") == self.number:
                return message.get("result", {})

    def hear(self, message: dict) -> None:
        self.sent += message.get("method") == "Network.webSocketFrameSent"

    def listen(self, seconds: float) -> int:
        """Listen for a while; returns how many messages the page sent meanwhile."""
        before, end = self.sent, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                self.hear(json.loads(self.socket.recv(timeout=left)))
            except TimeoutError:
                break
        return self.sent - before

    def evaluate(self, expression: str):
        return self.call("Runtime.evaluate", expression=expression)["result"].get("value")

    def wait(self, expression: str, seconds: float = 90) -> None:
        """Wait until an expression is true in the page."""
        end = time.monotonic() + seconds
        while not self.evaluate(expression):
            assert time.monotonic() < end, expression
            self.listen(0.3)

    def go(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def show(self) -> None:
        """Bring the tab to the front: all others are hidden then."""
        self.window.ask(f"/json/activate/{self.id}")
