"""What becomes of a spoilt input: refused in a sentence, harmless, read as changed, or a fault."""

from __future__ import annotations

import json
import logging
import os
import random
import resource
import select
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.base.errors import ModelError
from thingsviz.core.errors import ThingsvizError

DEADLINE_S = 10.0
MOST_MB = 1024
LONGEST = 3000
FAULTS = ("crash", "silent", "late")


def never(mutated: Any, value: Any) -> bool:  # noqa: ANN401
    """Say that no other value than that of the untouched input is right."""
    return False


@dataclass(frozen=True)
class Target:
    """A parser: how its input is spoilt, how the app reads it, what else may come out.

    `agrees(mutated, value)` is a second, plain reading: whether a spoilt input really says the
    value that the app made of it. Files with a checksum have none: there any change is a fault.
    `sound` are the bytes of a file as it was written.
    """

    name: str
    draw: Callable[[random.Random], Any]
    read: Callable[[Any], Any]
    whole: Any
    agrees: Callable[[Any, Any], bool] = never
    sound: bytes | None = None


@dataclass
class Outcome:
    """What became of all mutations of one parser."""

    parser: str
    mutations: int = 0
    refused: int = 0
    harmless: int = 0
    changed: int = 0
    crashes: int = 0
    silent: int = 0
    peak_mb: float = 0.0
    slowest_s: float = 0.0
    faults: list[str] = field(default_factory=list)

    def count(self, number: int, verdict: str, words: str, seconds: float) -> None:
        """Add one mutation."""
        self.mutations += 1
        name = {"crash": "crashes", "late": "crashes"}.get(verdict, verdict)
        setattr(self, name, getattr(self, name) + 1)
        self.slowest_s = max(self.slowest_s, seconds)
        if verdict in FAULTS:
            self.faults.append(f"{self.parser} #{number}: {verdict}: {words}")


def drawn(target: Target, seed: int, number: int) -> Any:  # noqa: ANN401
    """Return the mutation of a number: the same each time."""
    return target.draw(random.Random(f"{target.name} {seed} {number}"))


def verdict_on(target: Target, mutated: Any) -> tuple[str, str]:  # noqa: ANN401
    """Let the app read a spoilt input and say what came of it."""
    try:
        value = target.read(mutated)
    except (ThingsvizError, ModelError) as error:
        words = str(error)
        fine = words and len(words.splitlines()) == 1 and len(words) < LONGEST
        return ("refused", words) if fine else ("crash", f"no one sentence: {words[:300]!r}")
    except TooLateError:
        return "late", f"more than {DEADLINE_S:g} s"
    except MemoryError:
        return "crash", f"more than {MOST_MB:,} MB"
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        return "crash", f"{type(error).__name__} at {where}: {str(error)[:200]!r} {_own(error)}"
    return ("harmless", "") if same(value, target.whole) else _compared(target, mutated, value)


def _compared(target: Target, mutated: Any, value: Any) -> tuple[str, str]:  # noqa: ANN401
    """Compare another value than that of the untouched input with the plain reading."""
    try:
        right, words = target.agrees(mutated, value), ""
    except Exception as error:
        right, words = False, f"plainly read it is {type(error).__name__}: {error}; "
    if right:
        return "changed", ""
    return "silent", f"{words}{str(mutated)[:300]!r} gave {str(value)[:200]!r}"


def _own(error: BaseException) -> str:
    """Name the last place in the app's own code that an error came through."""
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if "/site-packages/" not in f[0]
    ]
    return f"(in {Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def same(a: Any, b: Any) -> bool:  # noqa: ANN401
    """Whether two readings are the same; NaN is like NaN here."""
    return bool(a == b) or repr(a) == repr(b)


def fuzz_here(target: Target, n: int, seed: int) -> Outcome:
    """Judge mutations in this process, without limits of memory and time."""
    found = Outcome(target.name)
    for number in range(n):
        began = time.monotonic()
        found.count(number, *verdict_on(target, drawn(target, seed, number)), 0.0)
        found.slowest_s = max(found.slowest_s, time.monotonic() - began)
    return found


class TooLateError(BaseException):
    """A reading has taken longer than it may."""


def fuzz_apart(target: Target, n: int, seed: int) -> Outcome:
    """Judge mutations in processes of their own, with limits of memory and time.

    A process that dies or hangs counts as a crash of the mutation it was at; another one goes on.
    """
    found, number = Outcome(target.name), 0
    while number < n:
        for line in _lines_of(target, range(number, n), seed):
            found.count(number, *line["said"], line["seconds"])
            found.peak_mb = max(found.peak_mb, line["peak_mb"])
            number += 1
        if number < n:
            found.count(number, "crash", "the process died or hung", 0.0)
            number += 1
    return found


def _lines_of(target: Target, numbers: range, seed: int) -> Iterator[dict[str, Any]]:
    """Yield what a forked process says of one mutation after the other."""
    inlet, outlet = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(inlet)
        _work(target, numbers, seed, outlet)
    os.close(outlet)
    with os.fdopen(inlet, "rb") as file:
        while select.select([file], [], [], 3 * DEADLINE_S)[0] and (line := file.readline()):
            yield json.loads(line)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _work(target: Target, numbers: range, seed: int, outlet: int) -> None:
    try:
        warnings.simplefilter("ignore")
        logging.disable()
        signal.signal(signal.SIGALRM, _too_late)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        _limit_memory()
        base = _reset_peak()
        for number in numbers:
            mutated = drawn(target, seed, number)
            began = time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, DEADLINE_S)
            said = verdict_on(target, mutated)
            signal.setitimer(signal.ITIMER_REAL, 0)
            seconds = round(time.monotonic() - began, 4)
            peak = round(_status_mb("VmHWM") - base, 1)
            line = {"said": said, "seconds": seconds, "peak_mb": peak}
            os.write(outlet, json.dumps(line).encode("utf-8", "replace") + b"\n")
    except BaseException:  # a fault of this benchmark, not of what it reads
        traceback.print_exc()
    finally:
        os._exit(0)


def _too_late(*_: object) -> None:
    raise TooLateError


def _limit_memory() -> None:
    """Let this process have 1 GB more than it has, and write no file above 1 GB."""
    most = int((_status_mb("VmSize") + MOST_MB) * 2**20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_MB * 2**20, MOST_MB * 2**20))


def _reset_peak() -> float:
    """Begin to measure the largest memory anew; returns what is held now."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _status_mb("VmRSS")


def _status_mb(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def then_gone(path: Path, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Read, and remove the file whatever came of it: others must not find it."""

    def call(mutated: Any) -> Any:  # noqa: ANN401
        try:
            return read(mutated)
        finally:
            path.unlink()

    return call
