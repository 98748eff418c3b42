"""A step from trial to trial on the Trials page: CPU of the server, bytes to the browser, time.

    python -m benchmarks trial_step [DATASET] [--steps 30] [--url URL --pid PID]

Starts the app of its own on the datasets root (or takes a running one), opens the page in
Debian's chromium, presses the right arrow key and reads /proc/PID/stat before and after. CPU that
the idle server takes in the same time is measured after each round and printed beside it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks._datasets import at_hand

REPO = Path(__file__).parents[1]
GOAL_MS = 50
ROUNDS = 3


class Round(NamedTuple):
    """Means over the steps of a round: ms CPU, ms CPU of an idle server, ms, kB."""

    cpu: float
    idle: float
    wall: float
    kilobytes: float


def main(argv: list[str] | None = None) -> int:
    """Measure and print; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks trial_step", description=__doc__)
    parser.add_argument("dataset", nargs="?", default="demo", help="in THINGSVIZ_DATA")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--url", help="a running app instead of one of its own")
    parser.add_argument("--pid", type=int, help="its process id")
    options = parser.parse_args(argv)
    if options.url:
        rounds = measure(options.url, options.pid, options.dataset, options.steps)
    else:
        at_hand(options.dataset)
        with started() as (url, pid):
            rounds = measure(url, pid, options.dataset, options.steps)
    for one in rounds:
        print(
            f"{one.cpu:5.1f} ms CPU a step (idle server: {one.idle:.1f}), "
            f"{one.wall:.0f} ms until the address follows, {one.kilobytes:.0f} kB"
        )
    best = min(one.cpu - one.idle for one in rounds)
    print(f"goal < {GOAL_MS} ms CPU a step: {'reached' if best < GOAL_MS else 'missed'}")
    return 0 if best < GOAL_MS else 1


@contextmanager
def started() -> Iterator[tuple[str, int]]:
    """Run the app; yields its address and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    app = subprocess.Popen(command, cwd=REPO, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1).read()
                break
            except OSError:
                time.sleep(0.2)
        yield f"http://localhost:{port}", app.pid
    finally:
        app.terminate()
        app.wait()


def cpu_s(pid: int) -> float:
    """Return user and system CPU seconds of a process so far, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(url: str, pid: int, dataset: str, steps: int) -> list[Round]:
    """Step through trials in a browser, ROUNDS times `steps` of them."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        received = [0]

        def count(frame: str | bytes) -> None:
            received[0] += len(frame)

        page.on("websocket", lambda ws: ws.on("framereceived", count))
        page.goto(f"{url}/trials?dataset={dataset}")
        page.get_by_role("button", name="Next").wait_for(timeout=60_000)
        page.wait_for_timeout(5000)
        found = [_round(page, pid, steps, received) for _ in range(ROUNDS)]
        browser.close()
    return found


def _round(page: object, pid: int, steps: int, received: list[int]) -> Round:
    before, bytes_before, waited = cpu_s(pid), received[0], 0.0
    began = time.monotonic()
    for _ in range(steps):
        address = page.evaluate("location.search")  # type: ignore[attr-defined]
        start = time.monotonic()
        page.keyboard.press("ArrowRight")  # type: ignore[attr-defined]
        page.wait_for_function("a => location.search !== a", arg=address)  # type: ignore[attr-defined]
        waited += time.monotonic() - start
        page.wait_for_timeout(150)  # type: ignore[attr-defined]
    spent, length = cpu_s(pid) - before, time.monotonic() - began
    idle = cpu_s(pid)
    time.sleep(length)
    idle = cpu_s(pid) - idle
    sent = (received[0] - bytes_before) / 1e3
    return Round(1e3 * spent / steps, 1e3 * idle / steps, 1e3 * waited / steps, sent / steps)


if __name__ == "__main__":
    sys.exit(main())
