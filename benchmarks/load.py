"""Many visitors at once against the running app: p50 and p95 of a step, errors, memory, growth.

    python -m benchmarks load [--short] [--dataset demo] [--sessions 50] [--minutes 5]

Starts the app on THINGSVIZ_DATA and speaks its own protocol over real WebSockets: each visitor
opens a page by its address, thinks, and goes on (two thirds step through trials, the others look
at 3D, Predictions and Train, as long as a visit lasts), answers the page's own timers, leaves and
comes back. Trainings run beside at lower priority. Exits 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.trial_step import started

REPO = Path(__file__).parents[1]
GOAL_P95_S = 1.0
GOAL_MB = 1500
PAGES = ("trials",) * 4 + ("brain", "predictions")
PATIENCE_S = 60
MEMORY_EVERY_S = 2.0


class Plan(NamedTuple):
    """How many visitors, how long each thinks (s), how long all of it takes (s)."""

    sessions: int
    think: float
    seconds: float
    trainings: int


@dataclass
class Tally:
    """What all visitors met."""

    waits: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    kilobytes: float = 0.0

    def add(self, what: str, seconds: float) -> None:
        """Note how long one answer took."""
        self.waits.setdefault(what, []).append(seconds)


class Visitor:
    """One browser tab: what it holds of a page, and what it asks next."""

    def __init__(self, socket: ClientConnection, page: str, dataset: str, tally: Tally) -> None:
        self.socket, self.page, self.tally = socket, page, tally
        self.query = f"dataset={dataset}"
        self.buttons: dict[str, str] = {}
        self.timers: dict[str, asyncio.Task[None]] = {}
        self.done: asyncio.Future[None] | None = None

    async def listen(self) -> None:
        """Read all that the server says until it closes."""
        async for data in self.socket:
            self.tally.kilobytes += len(data) / 1e3
            message = ForwardMsg()
            message.ParseFromString(data if isinstance(data, bytes) else data.encode())
            self.hear(message)

    def hear(self, message: ForwardMsg) -> None:
        """Take note of what a browser would: buttons, addresses, timers, errors, the end."""
        kind = message.WhichOneof("type")
        if kind == "delta":
            element = message.delta.new_element
            if element.WhichOneof("type") == "button" and not element.button.disabled:
                self.buttons[element.button.label] = element.button.id
            elif element.WhichOneof("type") == "exception":
                self.tally.errors[element.exception.message[:80] or "exception"] += 1
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self.start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "script_finished":
            self.finish(message.script_finished)

    def finish(self, status: int) -> None:
        """End the wait for an answer, if it was the whole page that came to its end."""
        if status == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY:
            return
        if self.done and not self.done.done():
            self.done.set_result(None)

    def start_timer(self, fragment: str, interval: float) -> None:
        """Ask for a fragment again and again, as the page in a browser does."""

        async def again() -> None:
            while True:
                await asyncio.sleep(interval)
                message = self.request()
                message.rerun_script.fragment_id = fragment
                message.rerun_script.is_auto_rerun = True
                await self.socket.send(message.SerializeToString())

        if fragment not in self.timers:
            self.timers[fragment] = asyncio.create_task(again())

    def request(self) -> BackMsg:
        """Return a message that asks for the page as it stands."""
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_name = self.page
        return message

    async def ask(self, what: str, button: str | None = None) -> None:
        """Ask for the page, or press a button, and wait for the answer."""
        message = self.request()
        if button is not None:
            state = message.rerun_script.widget_states.widgets.add()
            state.id, state.trigger_value = self.buttons[button], True
        self.done = asyncio.get_running_loop().create_future()
        began = time.monotonic()
        await self.socket.send(message.SerializeToString())
        try:
            await asyncio.wait_for(self.done, PATIENCE_S)
        except TimeoutError:
            self.tally.errors[f"no answer within {PATIENCE_S} s"] += 1
        self.tally.add(what, time.monotonic() - began)

    def leave(self) -> None:
        """Stop the timers."""
        for timer in self.timers.values():
            timer.cancel()


async def visit(address: str, page: str, plan: Plan, end: float, rest: _Rest) -> None:
    """Open a page, look at it a while, step, and leave."""
    dataset, tally, dice = rest
    origin = address.replace("ws", "http", 1)
    protocols = ["streamlit", "x"]
    async with connect(
        f"{address}/_stcore/stream",
        subprotocols=protocols,  # type: ignore[arg-type]
        origin=origin,  # type: ignore[arg-type]
        max_size=None,
    ) as socket:
        visitor = Visitor(socket, page, dataset, tally)
        listener = asyncio.create_task(visitor.listen())
        try:
            await visitor.ask(f"open {page}")
            for _ in range(12):
                await asyncio.sleep(dice.uniform(0.5, 1.5) * plan.think)
                if time.monotonic() > end:
                    break
                if page == "trials" and "Next" in visitor.buttons:
                    await visitor.ask("step", "Next")
                else:
                    await visitor.ask(f"again {page}")
        finally:
            visitor.leave()
            listener.cancel()


class _Rest(NamedTuple):
    dataset: str
    tally: Tally
    dice: random.Random


async def sit(address: str, number: int, plan: Plan, end: float, rest: _Rest) -> None:
    """One person for the whole time: visit after visit, page after page."""
    await asyncio.sleep(rest.dice.uniform(0, plan.think))
    pages = [PAGES[(number + k) % len(PAGES)] for k in range(len(PAGES))]
    while time.monotonic() < end:
        page = pages.pop(0)
        pages.append(page)
        try:
            await visit(address, page, plan, end, rest)
        except Exception as error:
            rest.tally.errors[f"{type(error).__name__}: {error}"[:80]] += 1
            await asyncio.sleep(1)


class Sample(NamedTuple):
    """The app with all its children at one moment."""

    megabytes: float
    threads: int
    files: int
    processes: int


def sample(pid: int) -> Sample:
    """Measure a process and those below it; memory that several share is shared out (PSS)."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    megabytes, threads, files = 0.0, 0, 0
    for process in family:
        with contextlib.suppress(psutil.Error):
            megabytes += process.memory_full_info().pss / 1e6
            threads += process.num_threads()
            files += process.num_fds()
    return Sample(megabytes, threads, files, len(family))


async def watch(pid: int, end: float, samples: list[Sample]) -> None:
    """Measure the app until the end."""
    while time.monotonic() < end:
        samples.append(sample(pid))
        await asyncio.sleep(MEMORY_EVERY_S)


async def storm(url: str, pid: int, plan: Plan, dataset: str) -> tuple[Tally, list[Sample]]:
    """Let all visitors come, stay and leave; then wait until the app has cleaned up."""
    tally, samples = Tally(), []
    end = time.monotonic() + plan.seconds
    address = url.replace("http", "ws", 1)
    people = [
        sit(address, i, plan, end, _Rest(dataset, tally, random.Random(i)))
        for i in range(plan.sessions)
    ]
    await asyncio.gather(watch(pid, end, samples), *people)
    return tally, samples


@contextlib.contextmanager
def trainings(n: int, dataset: str) -> Iterator[None]:
    """Run `n` trainings beside, at the lower priority that the queue gives them."""
    from thingsviz.jobs.folder.config import JobConfig
    from thingsviz.jobs.folder.store import create_job

    started_ones = []
    for i in range(n):
        recipe = {"name": f"beside-{i}", "dataset": dataset, "model": {"name": "vit3d"}}
        job = create_job(JobConfig.model_validate(recipe))
        command = ["nice", "-n", "10", sys.executable, "-m", "thingsviz.jobs.train", str(job.path)]
        started_ones.append(subprocess.Popen(command, cwd=REPO, stderr=subprocess.DEVNULL))
    try:
        yield
    finally:
        for process in started_ones:
            process.terminate()
            process.wait()


def quantile(values: list[float], q: float) -> float:
    """Return a quantile of a list that is not empty."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def growth(samples: list[Sample]) -> Sample:
    """Return how much more the last fifth holds than the second: after the start, all is warm."""
    fifth = max(1, len(samples) // 5)
    early, late = samples[fifth : 2 * fifth] or samples, samples[-fifth:]
    means = [
        sum(x[k] for x in late) / len(late) - sum(x[k] for x in early) / len(early)
        for k in range(len(Sample._fields))
    ]
    return Sample(means[0], round(means[1]), round(means[2]), round(means[3]))


def report(tally: Tally, samples: list[Sample]) -> bool:
    """Print the table; returns whether the goals are met."""
    print("| what | n | p50 s | p95 s | worst s |")
    print("|---|---|---|---|---|")
    for what, waits in sorted(tally.waits.items()):
        cells = (quantile(waits, 0.5), quantile(waits, 0.95), max(waits))
        print(f"| {what} | {len(waits)} | " + " | ".join(f"{c:.2f}" for c in cells) + " |")
    peak, more = max(s.megabytes for s in samples), growth(samples)
    print(
        f"resident with children: peak {peak:.0f} MB, {more.megabytes:+.0f} MB from early to late"
    )
    print(f"threads {more.threads:+d}, open files {more.files:+d}, processes {more.processes:+d}")
    print(f"to the browsers: {tally.kilobytes / 1e3:.1f} MB")
    errors = sum(tally.errors.values())
    print(f"errors: {errors} {dict(tally.errors.most_common(5)) if errors else ''}")
    p95 = quantile(tally.waits["step"], 0.95)
    goals = {
        f"p95 of a step {p95:.2f} s < {GOAL_P95_S:g} s": p95 < GOAL_P95_S,
        f"errors {errors} = 0": errors == 0,
        f"resident {peak:.0f} MB < {GOAL_MB} MB": peak < GOAL_MB,
    }
    for text, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'} {text}")
    return all(goals.values())


def main(argv: list[str] | None = None) -> int:
    """Measure and print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks load", description=__doc__)
    parser.add_argument("--short", action="store_true", help="8 visitors, 20 s, no trainings")
    parser.add_argument("--dataset", default="demo", help="name in THINGSVIZ_DATA")
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--think", type=float, default=10.0, help="seconds between two steps")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--trainings", type=int, default=2)
    options = parser.parse_args(argv)
    plan = Plan(options.sessions, options.think, 60 * options.minutes, options.trainings)
    if options.short:
        plan = Plan(8, 2.0, 20.0, 0)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["THINGSVIZ_JOBS"] = folder
        with (
            started() as (url, pid),
            trainings(plan.trainings, options.dataset),
        ):
            tally, samples = asyncio.run(storm(url, pid, plan, options.dataset))
    print(
        f"{plan.sessions} visitors, {plan.think:g} s between steps, {plan.seconds:g} s,", end=" "
    )
    print(f"{plan.trainings} trainings beside, {os.cpu_count()} cores")
    return 0 if report(tally, samples) else 1


if __name__ == "__main__":
    sys.exit(main())
