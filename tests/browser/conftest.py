"""A running app and a real browser that fails a test on anything a visitor would stumble on."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlparse

import pytest

REPO = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOME = {"localhost", "127.0.0.1", "::1", ""}
RUNNING = '[data-testid="stStatusWidget"], [data-testid="stSpinner"], [data-testid="stSkeleton"]'


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in Path(str(item.fspath)).parts:
            item.add_marker(pytest.mark.browser)
            # one worker drives the browser, so that two never share the two cores with it
            item.add_marker(pytest.mark.xdist_group("browser"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class App:
    """One `streamlit run app.py` of its own."""

    def __init__(self, data: Path, jobs: Path, log: Path, settings: dict | None = None, port=0):
        self.data, self.jobs, self.port = data, jobs, port or free_port()
        self.url = f"http://localhost:{self.port}"
        env = os.environ | {"THINGSVIZ_DATA": str(data), "THINGSVIZ_JOBS": str(jobs)}
        env |= {"OMP_NUM_THREADS": "1"} | (settings or {})
        command = [sys.executable, "-m", "streamlit", "run", "app.py"]
        command += ["--server.port", str(self.port), "--server.headless", "true"]
        self.log = log
        self.process = subprocess.Popen(
            command, cwd=REPO, env=env, stdout=log.open("w"), stderr=subprocess.STDOUT
        )

    def wait(self, seconds: float = 60) -> App:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1).read()
                return self
            except OSError:
                time.sleep(0.2)
        pytest.fail(f"the app did not start:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def start_app(tmp_path_factory):
    """Start the app on a datasets root and a jobs folder; all are stopped at the end."""
    apps: list[App] = []

    def start(data: Path, jobs: Path) -> App:
        log = tmp_path_factory.mktemp("app") / "log.txt"
        apps.append(App(data, jobs, log))
        return apps[-1].wait()

    yield start
    for app in apps:
        app.stop()


@pytest.fixture(scope="session")
def app(start_app, tiny, tmp_path_factory) -> App:
    """The app with the prepared dataset `tiny` and a jobs folder that starts empty."""
    return start_app(tiny, tmp_path_factory.mktemp("jobs"))


@pytest.fixture(scope="session")
def app_url(app) -> str:
    return app.url


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    if path is None:
        pytest.fail("no chromium: install it with 'sudo apt-get install chromium'")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def watch(page) -> list[str]:
    """Collect what goes wrong: console errors, requests that leave this machine, answers ≥ 400."""
    faults: list[str] = []
    page.on(
        "console", lambda m: faults.append(f"console: {m.text}") if m.type == "error" else None
    )
    page.on("pageerror", lambda e: faults.append(f"page error: {e}"))

    def asked(request) -> None:
        url = urlparse(request.url)
        if url.scheme in {"http", "https", "ws", "wss"} and (url.hostname or "") not in HOME:
            faults.append(f"leaves this machine: {request.url}")

    def answered(response) -> None:
        if response.status >= 400:
            faults.append(f"{response.status} {response.url}")

    page.on("request", asked)
    page.on("response", answered)
    return faults


@pytest.fixture
def page(chromium):
    """A new browser page, 1280 wide; fails the test on any fault or exception box of the visit."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(90_000)  # a busy machine is slow, not wrong
    faults = watch(page)
    yield page
    boxes = page.locator('[data-testid="stException"]').all_inner_texts()
    context.close()
    assert not faults, faults
    assert not boxes, boxes


def stop_button(page):
    """Return the page's own Stop: Streamlit has one in its header while a script runs."""
    body = page.get_by_test_id("stMainBlockContainer")
    return body.get_by_role("button", name="Stop", exact=True)


@pytest.fixture
def settle():
    """Wait until nothing runs and the text of the page has stood still for a second."""

    def wait(page, seconds: float = 90) -> None:
        end, still, last = time.monotonic() + seconds, 0, None
        while time.monotonic() < end:
            running = page.locator(RUNNING).count()
            state = (running, page.evaluate("document.body.innerText.length"))
            still = still + 1 if state == last and running == 0 and state[1] > 0 else 0
            if still >= 4:
                return
            last = state
            page.wait_for_timeout(250)
        pytest.fail(f"the page was not at rest after {seconds} s")

    return wait


@pytest.fixture
def choose(settle):
    """Pick an option of a list, once the page is at rest: drawing it anew closes an open list."""

    from playwright.sync_api import TimeoutError as TooLate

    def pick(page, label: str, option: str, seconds: float = 90) -> None:
        box = page.get_by_role("combobox", name=label)
        wanted = page.get_by_role("option", name=option)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            settle(page)
            box.click()
            try:
                wanted.click(timeout=5000)
            except TooLate:
                page.keyboard.press("Escape")
                continue
            settle(page)
            return
        pytest.fail(f"{label!r} did not open, or offers no {option!r}")

    return pick
