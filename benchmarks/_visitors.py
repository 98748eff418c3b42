"""Visitors of the running app who speak its own protocol over real WebSockets."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

# half of all step through trials, the others look at 3D, at a training's curves and at all jobs
PAGES = ("trials", "brain", "trials", "train", "trials", "jobs")
PATIENCE_S = 60.0
STEPS = 12


class Plan(NamedTuple):
    """How many visitors, how long each thinks (s), how many looks a visit has."""

    sessions: int
    think: float
    steps: int = STEPS
    pages: tuple[str, ...] = PAGES
    job: str = ""
    """The training whose curves are watched; none: the Train page shows its form."""


@dataclass
class Tally:
    """What all visitors met."""

    waits: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    kilobytes: float = 0.0
    visits: int = 0
    timed: int = 0
    """Answers to pages' own timers."""

    def add(self, what: str, seconds: float) -> None:
        """Note how long one answer took."""
        self.waits.setdefault(what, []).append(seconds)


class Place(NamedTuple):
    """Where the app is, which data it shows, and who counts."""

    url: str
    dataset: str
    tally: Tally


class Visitor:
    """One browser tab: what it holds of a page, and what it asks next."""

    def __init__(self, socket: ClientConnection, page: str, query: str, tally: Tally) -> None:
        self.socket, self.page, self.query, self.tally = socket, page, query, tally
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
            self.see(message.delta.new_element)
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "new_session" and not message.metadata.run.fragment_ids:
            # A run of the whole page begins: a browser forgets its timers, which are set anew.
            # One that fired while the run ends can swallow its last word (Streamlit's issue 9921).
            self.stop_timers(set(self.timers))
        elif kind == "auto_rerun":
            self.start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            self.stop_timers(set(message.stop_auto_rerun.fragment_ids))
        elif kind == "script_finished":
            self.finish(message.script_finished)

    def see(self, element: object) -> None:
        """Take note of a button or an exception."""
        kind = element.WhichOneof("type")  # type: ignore[attr-defined]
        if kind == "button" and not element.button.disabled:  # type: ignore[attr-defined]
            self.buttons[element.button.label] = element.button.id  # type: ignore[attr-defined]
        elif kind == "exception":
            words = element.exception.message[:80]  # type: ignore[attr-defined]
            self.tally.errors[words or "exception"] += 1

    def finish(self, status: int) -> None:
        """End the wait for an answer, if it was the whole page that came to its end."""
        if status == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY:
            self.tally.timed += 1
        elif self.done and not self.done.done():
            self.done.set_result(None)

    def start_timer(self, fragment: str, interval: float) -> None:
        """Ask for a fragment again and again, as a visible page in a browser does."""

        async def again() -> None:
            while True:
                await asyncio.sleep(interval)
                message = self.request()
                message.rerun_script.fragment_id = fragment
                message.rerun_script.is_auto_rerun = True
                await self.socket.send(message.SerializeToString())

        if fragment not in self.timers:
            self.timers[fragment] = asyncio.create_task(again())

    def stop_timers(self, fragments: set[str]) -> None:
        """Stop some timers."""
        for name in fragments & self.timers.keys():
            self.timers.pop(name).cancel()

    def request(self) -> BackMsg:
        """Return a message that asks for the page as it stands."""
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_name = self.page
        return message

    async def ask(self, what: str, button: str | None = None) -> None:
        """Ask for the page, or press a button, and wait for the answer."""
        message, before = self.request(), self.query
        if button is not None:
            state = message.rerun_script.widget_states.widgets.add()
            state.id, state.trigger_value = self.buttons[button], True
        self.done = asyncio.get_running_loop().create_future()
        began = time.monotonic()
        await self.socket.send(message.SerializeToString())
        try:
            await asyncio.wait_for(self.done, PATIENCE_S)
        except TimeoutError:
            self.tally.errors[f"no answer within {PATIENCE_S:g} s"] += 1
        self.tally.add(what, time.monotonic() - began)
        if button is not None and self.query == before:
            self.tally.errors["a step that led nowhere"] += 1


async def visit(place: Place, page: str, plan: Plan, end: float, dice: random.Random) -> None:
    """Open a page, look at it a while, step, and leave."""
    query = f"dataset={place.dataset}" + (f"&job={plan.job}" if page == "train" else "")
    async with connect(
        f"{place.url.replace('http', 'ws', 1)}/_stcore/stream",
        subprotocols=["streamlit", "x"],  # type: ignore[list-item]
        origin=place.url,  # type: ignore[arg-type]
        # by this cookie a proxy sends a browser to the same process each time
        additional_headers={"Cookie": f"thingsviz_process={uuid.UUID(int=dice.getrandbits(128))}"},
        max_size=None,
    ) as socket:
        visitor = Visitor(socket, page, query, place.tally)
        listener = asyncio.create_task(visitor.listen())
        try:
            await visitor.ask(f"open {page}")
            for _ in range(plan.steps):
                await asyncio.sleep(dice.uniform(0.5, 1.5) * plan.think)
                if time.monotonic() > end:
                    break
                if page == "trials" and "Next" in visitor.buttons:
                    await visitor.ask("step", "Next")
                else:
                    await visitor.ask(f"again {page}")
        finally:
            visitor.stop_timers(set(visitor.timers))
            listener.cancel()
            place.tally.visits += 1


async def sit(place: Place, number: int, plan: Plan, end: float) -> None:
    """One person for the whole time: visit after visit, page after page."""
    dice = random.Random(number)
    await asyncio.sleep(dice.uniform(0, plan.think))
    for k in range(10**6):
        if time.monotonic() > end:
            return
        page = plan.pages[(number + k) % len(plan.pages)]
        try:
            await visit(place, page, plan, end, dice)
        except Exception as error:
            place.tally.errors[f"{type(error).__name__}: {error}"[:80]] += 1
            await asyncio.sleep(1)


async def crowd(place: Place, plan: Plan, seconds: float) -> None:
    """Let all visitors come, stay and leave."""
    end = time.monotonic() + seconds
    await asyncio.gather(*(sit(place, i, plan, end) for i in range(plan.sessions)))
