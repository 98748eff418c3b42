"""What the load benchmark counts: growth, steps, errors; and the proxy it puts in front."""

from __future__ import annotations

import asyncio

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks import _servers, load
from benchmarks._visitors import Plan, Tally, Visitor
from tests import loops


def sample(megabytes=500.0, threads=10, files=400):
    return _servers.Sample(megabytes, threads, files, 2, 1, 0, 1.0)


def missed(goals):
    return [text.split()[0] for text, met in goals.items() if not met]


def test_rounds_that_hold_the_same_have_not_grown():
    rounds = [sample(500 + 20 * (i % 2)) for i in range(9)]
    assert not missed(load._growth_goals(rounds, Tally()))


@pytest.mark.parametrize(
    ("name", "grown"),
    [
        ("memory", [sample(500 + 40 * i) for i in range(9)]),
        ("threads", [sample(threads=10 + 2 * i) for i in range(9)]),
        ("files", [sample(files=100 + 3 * i) for i in range(9)]),
    ],
)
def test_what_grows_with_every_round_is_found(name, grown):
    assert missed(load._growth_goals(grown, Tally())) == [name]


def test_an_error_misses_a_goal():
    tally = Tally()
    tally.add("step", 0.2)
    assert not missed(load._step_goals(tally))
    tally.errors["KeyError"] += 1
    assert missed(load._step_goals(tally)) == ["errors"]
    assert missed(load._step_goals(Tally())) == ["p95"]  # nobody made a step


def test_a_slow_twentieth_is_too_many():
    tally = Tally()
    for i in range(100):
        tally.add("step", 5.0 if i < 6 else 0.1)
    assert missed(load._step_goals(tally)) == ["p95"]


def test_the_example_of_nginx_can_be_adapted():
    text = _servers.adapted(_servers.EXAMPLE.read_text(), 9000, [8001, 8002])
    assert "server 127.0.0.1:8001;\n    server 127.0.0.1:8002;\n" in text
    assert "listen 127.0.0.1:9000;" in text
    assert "ssl_certificate" not in text
    assert "hash $thingsviz_process consistent;" in text


def test_an_example_that_changed_is_said():
    with pytest.raises(ValueError, match="has no line like"):
        _servers.adapted("server {}", 9000, [1])


class Socket:
    """A line on which the server answers each request as told."""

    def __init__(self):
        self.sent = []

    async def send(self, data):
        self.sent.append(data)


def heard(**parts) -> ForwardMsg:
    message = ForwardMsg()
    for name, value in parts.items():
        if name == "button":
            message.delta.new_element.button.label = value
            message.delta.new_element.button.id = f"id-{value}"
        elif name == "query":
            message.page_info_changed.query_string = value
        elif name == "exception":
            message.delta.new_element.exception.message = value
        elif name == "timer":
            message.auto_rerun.fragment_id, message.auto_rerun.interval = value, 30.0
        else:
            message.script_finished = value
    return message


def test_a_visitor_steps_and_notes_a_step_that_led_nowhere():
    async def run():
        tally, socket = Tally(), Socket()
        visitor = Visitor(socket, "trials", "trial=1", tally)
        visitor.hear(heard(button="Next"))
        for query in ("trial=2", "trial=2"):
            asking = asyncio.create_task(visitor.ask("step", "Next"))
            await asyncio.sleep(0)
            visitor.hear(heard(query=query))
            visitor.hear(heard(done=ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY))
            assert not asking.done()
            visitor.hear(heard(done=ForwardMsg.FINISHED_SUCCESSFULLY))
            await asking
        return tally, socket

    tally, socket = loops.run(run())
    assert len(tally.waits["step"]) == len(socket.sent) == 2
    assert tally.errors == {"a step that led nowhere": 1}
    assert tally.timed == 2


def test_exceptions_count_and_timers_end_with_the_visit():
    async def run():
        tally = Tally()
        visitor = Visitor(Socket(), "train", "", tally)
        visitor.hear(heard(exception="KeyError: x"))
        visitor.hear(heard(timer="fragment"))
        (timer,) = visitor.timers.values()
        stop = ForwardMsg()
        stop.stop_auto_rerun.fragment_ids.append("fragment")
        visitor.hear(stop)
        await asyncio.gather(timer, return_exceptions=True)
        return tally, visitor, timer

    tally, visitor, timer = loops.run(run())
    assert tally.errors == {"KeyError: x": 1}
    assert not visitor.timers
    assert timer.cancelled()


def test_a_run_of_the_whole_page_ends_the_timers_as_in_a_browser():
    async def run():
        visitor = Visitor(Socket(), "train", "", Tally())
        visitor.hear(heard(timer="fragment"))
        part, whole = ForwardMsg(), ForwardMsg()
        part.new_session.name = whole.new_session.name = "app"
        part.metadata.run.fragment_ids.append("fragment")
        visitor.hear(part)
        kept = set(visitor.timers)
        visitor.hear(whole)
        return kept, set(visitor.timers)

    assert loops.run(run()) == ({"fragment"}, set())


def test_a_plan_mixes_pages():
    assert {"trials", "brain", "train", "jobs"} == set(Plan(1, 1.0).pages)
    assert Plan(1, 1.0).pages.count("trials") * 2 == len(Plan(1, 1.0).pages)
