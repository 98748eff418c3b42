"""Orders and replies survive their way through a pipe; the process answers in words."""

import io
import os
import threading

import numpy as np
import pytest

from tests.figures.brains import GRID, bump, mask
from thingsviz.figures.brain import draw_worker
from thingsviz.figures.brain.draw_orders import (
    DrawJob,
    DrawOrder,
    DrawReply,
    SceneLayer,
    pack_job,
    pack_reply,
    receive,
    send,
    unpack_job,
    unpack_reply,
)
from thingsviz.figures.brain.volume import VolumeChoice


def job(**changes):
    return DrawJob(DrawOrder("scene", "light")._replace(**changes), bump(), mask(), GRID)


def test_a_job_comes_out_as_it_went_in():
    order = DrawOrder(
        kind="volume",
        theme="dark",
        choice=VolumeChoice(4.0, "value", 1.5, (1.0, -2.0, 3.5)),
        view="top",
        opacity={"brain": 0.2},
        show=("brain",),
        title="démo · sub-01",
        subtitle="x",
        simulated=True,
    )
    sent = DrawJob(order, bump(), mask(), GRID)
    found = unpack_job(pack_job(sent))
    assert found.order == order
    assert found.grid == GRID
    np.testing.assert_array_equal(found.smoothed, sent.smoothed)
    np.testing.assert_array_equal(found.mask, sent.mask)
    assert unpack_job(pack_job(job())).order.choice.crosshair_mm is None


@pytest.mark.parametrize(
    "reply",
    [
        DrawReply(),
        DrawReply(error="No."),
        DrawReply(b"\x00\xff", (SceneLayer("a", "b", None, 0.5, 3),)),
    ],
)
def test_a_reply_comes_out_as_it_went_in(reply):
    assert unpack_reply(pack_reply(reply)) == reply


@pytest.mark.parametrize("broken", [b"", b"\x01", b"\x05\0\0\0\0\0\0\0abc", b"\xff" * 9])
def test_a_torn_or_absurd_message_is_none(broken):
    assert receive(io.BytesIO(broken)) is None


def test_messages_follow_each_other():
    pipe = io.BytesIO()
    send(pipe, b"one")
    send(pipe, b"")
    pipe.seek(0)
    assert [receive(pipe), receive(pipe), receive(pipe)] == [b"one", b"", None]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"view": "above"}, "view 'above' is unknown"),
        ({"choice": VolumeChoice(by="value", threshold=-1)}, "not above 0"),
        ({"kind": "sculpture"}, "could not be drawn"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_sentence(changes, words):
    reply = draw_worker.answer(pack_job(job(**changes)))
    assert words in reply.error
    assert reply.blob == b""


def test_garbage_for_an_order_is_said_too():
    assert "could not be drawn" in draw_worker.answer(b"not an archive").error


@pytest.mark.parametrize("kind", ["volume", "surfaces"])
def test_without_opengl_pictures_are_refused_in_words_and_scenes_work(kind, monkeypatch):
    monkeypatch.setattr(draw_worker, "OPENGL", ("libNoSuchThing.so.1",))
    reply = draw_worker.answer(pack_job(job(kind=kind)))
    assert "has no OpenGL library" in reply.error
    assert "apt-get install" in reply.error
    assert draw_worker.answer(pack_job(job())).blob.startswith(b"PK")


def test_the_brains_surface_is_made_once():
    draw_worker._surface.cache_clear()
    for threshold in (2.0, 3.0):
        draw_worker.answer(pack_job(job(choice=VolumeChoice(0, "value", threshold))))
    assert draw_worker._surface.cache_info()[:2] == (1, 1)


def served(n_orders, **how):
    """Serve orders through real pipes; return the code and how many replies came."""
    (orders_out, orders_in), (replies_out, replies_in) = os.pipe(), os.pipe()
    found = []
    with (
        os.fdopen(orders_out, "rb") as orders,
        os.fdopen(orders_in, "wb") as to_orders,
        os.fdopen(replies_out, "rb") as from_replies,
        os.fdopen(replies_in, "wb") as replies,
    ):
        server = threading.Thread(
            target=lambda: found.append(draw_worker.serve(orders, replies, **how))
        )
        server.start()
        for _ in range(n_orders):
            send(to_orders, b"nonsense")
        to_orders.close()
        server.join(30)
        replies.close()
        n = 0
        while receive(from_replies) is not None:
            n += 1
    return found, n


def test_serving_ends_with_the_pipe_after_so_many_orders_and_when_idle():
    assert served(2) == ([0], 2)
    assert served(3, most=2) == ([0], 2)
    assert served(0, idle_s=0.01) == ([0], 0)
