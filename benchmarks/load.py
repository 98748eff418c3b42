"""Many visitors at once against the running app: p50 and p95 of a step, errors, memory, growth.

    python -m benchmarks load [--short] [--dataset demo] [--sessions 50] [--minutes 5]
    python -m benchmarks load --soak [--minutes 12]      tabs that open and close: nothing may grow
    python -m benchmarks load --scale                    steps a second of 1 and 2 processes

Starts the app on THINGSVIZ_DATA and speaks its own protocol over real WebSockets: each visitor
opens a page by its address, thinks, and goes on (half step through trials, the others look at 3D,
a training's curves and all jobs), answers the page's own timers, leaves and comes back. Trainings
run beside at lower priority. Exits 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks._datasets import at_hand, quickest
from benchmarks._servers import Sample, Server, served, trainings
from benchmarks._visitors import Place, Plan, Tally, crowd

GOAL_P95_S = 1.0
GOAL_MB = 1500
# growth that is not noise: from the middle to the end of a soak, by all visits of that time
GOAL_GROWTH_MB = 60
GOAL_GROWTH = 3
# Streamlit keeps the last 128 closed tabs, with three files each, for two minutes, in case their
# line comes back: from so many visits on it gives up one for each that it keeps.
KEPT_SESSIONS = 128
SAMPLE_EVERY_S = 2.0
Goals = dict[str, bool]


class Wish(NamedTuple):
    """What is measured, as asked for."""

    dataset: str
    sessions: int
    think: float
    seconds: float
    trainings: int
    processes: int


def main(argv: list[str] | None = None) -> int:
    """Measure and print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(
        prog="benchmarks load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--short", action="store_true", help="8 visitors, 20 s, no trainings")
    parser.add_argument("--soak", action="store_true", help="visits that come and go, in rounds")
    parser.add_argument("--scale", action="store_true", help="1 process against 2 behind nginx")
    parser.add_argument("--dataset", help="name in THINGSVIZ_DATA; demo, planted if it is missing")
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--think", type=float, default=10.0, help="seconds between two steps")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--trainings", type=int, default=2)
    parser.add_argument("--processes", type=int, default=1, help="more than 1: behind nginx")
    o = parser.parse_args(argv)
    dataset = o.dataset or (quickest() if o.short else "demo")
    at_hand(dataset)
    wish = Wish(dataset, o.sessions, o.think, 60 * o.minutes, o.trainings, o.processes)
    if o.short:
        short = {"sessions": 8, "think": 2.0, "seconds": 20.0, "trainings": 0}
        wish = wish._replace(**short)
    print(f"{os.cpu_count()} cores, load of the machine before: {os.getloadavg()[0]:.1f}")
    goals = soak(wish) if o.soak else scale(wish) if o.scale else load(wish)
    for text, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'} {text}")
    return 0 if all(goals.values()) else 1


def load(wish: Wish) -> Goals:
    """Let all visitors in at once, and judge steps, errors and memory."""
    plan = Plan(wish.sessions, wish.think)
    with _Folder() as folder, served(folder, wish.processes) as server:
        tally, samples = _measured(server, wish, plan)
    print(
        f"{wish.dataset}: {plan.sessions} visitors, {plan.think:g} s between steps, "
        f"{wish.seconds:g} s, {wish.trainings} trainings beside, {wish.processes} process(es)"
    )
    _table(tally)
    peak, first, last = max(s.megabytes for s in samples), samples[0], samples[-1]
    cpu = (last.cpu_s - first.cpu_s) / wish.seconds
    print(f"the app took {cpu:.2f} cores; resident with children: peak {peak:.0f} MB")
    print(
        f"{tally.visits} visits, {tally.timed} answers to pages' own timers, to the browsers: "
        f"{tally.kilobytes / 1e3:.1f} MB"
    )
    return _step_goals(tally) | {f"resident {peak:.0f} MB < {GOAL_MB} MB": peak < GOAL_MB}


def _measured(server: Server, wish: Wish, plan: Plan) -> tuple[Tally, list[Sample]]:
    tally, samples = Tally(), []
    place = Place(server.url, wish.dataset, tally)

    async def both(plan: Plan) -> None:
        watching = asyncio.create_task(_watch(server, samples))
        await crowd(place, plan, wish.seconds)
        watching.cancel()

    with trainings(wish.trainings, wish.dataset) as names:
        samples.append(server.sample())
        asyncio.run(both(plan._replace(job=names[0] if names else "")))
        samples.append(server.sample())
    return tally, samples


async def _watch(server: Server, samples: list[Sample]) -> None:
    while True:
        await asyncio.sleep(SAMPLE_EVERY_S)
        samples.append(await asyncio.to_thread(server.sample))


def soak(wish: Wish) -> Goals:
    """Open and close tabs in rounds; what is held after a round may not grow with rounds."""
    plan = Plan(min(wish.sessions, 12), think=0.2, steps=3)
    rounds: list[Sample] = []
    tally, end = Tally(), time.monotonic() + wish.seconds
    print("| round | visits | MB | threads | files | processes | drawing | sessions |")
    print("|---|---|---|---|---|---|---|---|")
    with (
        _Folder() as folder,
        served(folder, wish.processes) as server,
        trainings(wish.trainings, wish.dataset) as names,
    ):
        plan = plan._replace(job=names[0] if names else "")
        n_warm = 0
        while time.monotonic() < end or len(rounds) < n_warm + 6:
            place = Place(server.url, wish.dataset, tally)
            asyncio.run(crowd(place, plan, wish.seconds / 12))
            rounds.append(_rested(server))
            n_warm = len(rounds) if tally.visits <= KEPT_SESSIONS else n_warm
            row = (len(rounds), tally.visits, f"{rounds[-1].megabytes:.0f}", *rounds[-1][1:-1])
            print("| " + " | ".join(map(str, row)) + " |", flush=True)
    _table(tally)
    return _growth_goals(rounds[n_warm:], tally)


def _rested(server: Server, seconds: float = 5.0) -> Sample:
    """Measure once tabs have closed and their work is done; Streamlit keeps some for 2 minutes."""
    time.sleep(seconds)
    return server.sample()


def _growth_goals(rounds: list[Sample], tally: Tally) -> Goals:
    """Compare the last third of the rounds with the middle one."""
    third = len(rounds) // 3
    middle, late = rounds[third : 2 * third], rounds[-third:]

    def grown(name: str) -> float:
        values = [[getattr(one, name) for one in part] for part in (middle, late)]
        return sum(values[1]) / third - sum(values[0]) / third

    more = grown("megabytes")
    goals = {f"memory {more:+.0f} MB < {GOAL_GROWTH_MB}": more < GOAL_GROWTH_MB}
    for name in ("threads", "files", "processes", "drawing"):
        goals[f"{name} {grown(name):+.1f} < {GOAL_GROWTH}"] = grown(name) < GOAL_GROWTH
    errors = sum(tally.errors.values())
    return goals | {f"{tally.visits} visits, errors {errors} = 0": errors == 0}


def scale(wish: Wish) -> Goals:
    """Count steps a second without thinking, by 1 process and by several behind nginx."""
    n_more = max(2, wish.processes)
    plan = Plan(min(wish.sessions, 8), think=0.0, steps=60, pages=("trials",))
    rates: dict[int, float] = {}
    print("| processes | steps a second | p50 s | p95 s | cores of the app | MB |")
    print("|---|---|---|---|---|---|")
    errors = 0
    for n in (1, n_more):
        with _Folder() as folder, served(folder, n) as server:
            _measured(server, wish._replace(seconds=8.0, trainings=0), plan)  # warm
            tally, samples = _measured(server, wish._replace(trainings=0), plan)
        steps = tally.waits["step"]
        rates[n] = len(steps) / wish.seconds
        cpu = (samples[-1].cpu_s - samples[0].cpu_s) / wish.seconds
        cells = f"{quantile(steps, 0.5):.2f} | {quantile(steps, 0.95):.2f} | {cpu:.2f}"
        peak = max(s.megabytes for s in samples)
        print(f"| {n} | {rates[n]:.1f} | {cells} | {peak:.0f} |", flush=True)
        errors += sum(tally.errors.values())
    gain = rates[n_more] / rates[1]
    return {
        f"errors {errors} = 0": errors == 0,
        f"{n_more} processes do {gain:.2f} times the steps of 1 (> 1.2)": gain > 1.2,
    }


class _Folder(tempfile.TemporaryDirectory):  # type: ignore[type-arg]
    """A jobs folder of its own, as a path; logs of the app lie in it too."""

    def __enter__(self) -> Path:  # type: ignore[override]
        path = Path(super().__enter__())
        os.environ["THINGSVIZ_JOBS"] = str(path / "jobs")
        return path


def quantile(values: list[float], q: float) -> float:
    """Return a quantile of a list that is not empty."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def _table(tally: Tally) -> None:
    print("| what | n | p50 s | p95 s | worst s |")
    print("|---|---|---|---|---|")
    for what, waits in sorted(tally.waits.items()):
        cells = (quantile(waits, 0.5), quantile(waits, 0.95), max(waits))
        print(f"| {what} | {len(waits)} | " + " | ".join(f"{c:.2f}" for c in cells) + " |")
    for words, n in tally.errors.most_common(5):
        print(f"error × {n}: {words}")


def _step_goals(tally: Tally) -> Goals:
    p95 = quantile(tally.waits.get("step", [float("inf")]), 0.95)
    errors = sum(tally.errors.values())
    return {
        f"p95 of a step {p95:.2f} s < {GOAL_P95_S:g} s": p95 < GOAL_P95_S,
        f"errors {errors} = 0": errors == 0,
    }


if __name__ == "__main__":
    sys.exit(main())
