"""The drawing processes: what happens when one is late, dead, gone, or not free."""

import os
import signal
import sys
import threading
import time

import psutil
import pytest

from tests.figures.brains import GRID, bump, mask
from thingsviz.figures.brain.draw_orders import DrawingError, DrawJob, DrawOrder
from thingsviz.figures.brain.volume import VolumeChoice
from thingsviz.ui.brain import drawing
from thingsviz.ui.brain.drawing import DrawingPool, DrawingProcess

JOB = DrawJob(DrawOrder("scene", "light", VolumeChoice(0.0, "value", 4.0)), bump(), mask(), GRID)
# stand-ins for the drawing process: each reads an order and then does something else
READ = "import sys, os, time; n = int.from_bytes(sys.stdin.buffer.read(8), 'little'); "
READ += "sys.stdin.buffer.read(n); "
ANSWER = (
    "from thingsviz.figures.brain.draw_orders import *; "
    "send(sys.stdout.buffer, pack_reply(DrawReply(b'drawn')))"
)


def python(program):
    return (sys.executable, "-c", program)


def test_a_real_process_draws_a_scene_and_is_used_again():
    one = DrawingProcess()
    try:
        first = one.draw(JOB)
        assert first.blob.startswith(b"PK")
        assert [layer.name for layer in first.layers][-2:] == ["positive", "brain"]
        number = one._process.pid
        assert one.draw(JOB).blob
        assert one._process.pid == number
    finally:
        one.stop()


def test_a_process_that_crashes_becomes_a_sentence_and_the_next_works(monkeypatch):
    one = DrawingProcess(python(READ + "os.kill(os.getpid(), 11)"))
    with pytest.raises(DrawingError, match=r"ended while it drew \(signal 11\)"):
        one.draw(JOB)
    one.command = python(READ + ANSWER)
    assert one.draw(JOB).blob == b"drawn"
    one.stop()


def test_a_process_that_went_away_between_orders_is_replaced_unnoticed():
    # it answers once and ends, as after its last order or when it was idle for long
    one = DrawingProcess(python(READ + ANSWER))
    for _ in range(3):
        assert one.draw(JOB).blob == b"drawn"
        one._process.wait()
    one.stop()


def test_a_process_that_is_late_is_killed():
    one = DrawingProcess(python(READ + "time.sleep(60)"), limit_s=0.8)
    began = time.monotonic()
    with pytest.raises(DrawingError, match=r"not drawn within 0.8 s"):
        one.draw(JOB)
    assert time.monotonic() - began < 10
    assert one._process is None


def test_a_process_that_never_reads_does_not_block_the_page():
    one = DrawingProcess(python("import time; time.sleep(60)"), limit_s=0.8)
    with pytest.raises(DrawingError, match="not drawn within"):
        one.draw(JOB)


def test_a_command_that_does_not_start_says_how_it_ended():
    one = DrawingProcess(python("raise SystemExit(3)"))
    with pytest.raises(DrawingError, match="exit code 3"):
        one.draw(JOB)


def test_what_the_process_says_is_raised_as_its_sentence():
    program = READ + ANSWER.replace("b'drawn'", "error='No brain today.'")
    drawing_pool = DrawingPool(1, python(program))
    with pytest.raises(DrawingError, match=r"^No brain today\.$"):
        drawing_pool.draw(JOB)
    drawing_pool.close()


def test_a_busy_studio_asks_to_wait_and_frees_its_process_afterwards(monkeypatch):
    monkeypatch.setattr(drawing, "WAIT_S", 0.1)
    drawing_pool = DrawingPool(1, python(READ + "time.sleep(1.5); " + ANSWER))
    found = []
    other = threading.Thread(target=lambda: found.append(drawing_pool.draw(JOB).blob))
    other.start()
    time.sleep(0.3)
    with pytest.raises(DrawingError, match="Others' pictures were in the way"):
        drawing_pool.draw(JOB)
    other.join()
    assert found == [b"drawn"]
    assert drawing_pool._free.qsize() == 1
    drawing_pool.close()


def test_a_failed_drawing_frees_its_process_too():
    drawing_pool = DrawingPool(1, python("raise SystemExit(3)"))
    for _ in range(2):
        with pytest.raises(DrawingError, match="exit code 3"):
            drawing_pool.draw(JOB)
    assert drawing_pool._free.qsize() == 1


def test_a_warm_process_is_there_before_the_first_order():
    drawing_pool = DrawingPool(2, python(READ + ANSWER))
    drawing_pool.warm()
    assert sum(one._process is not None for one in drawing_pool._all) == 1
    assert drawing_pool.draw(JOB).blob == b"drawn"
    drawing_pool.close()
    assert all(one._process is None for one in drawing_pool._all)


def test_the_process_ends_when_the_app_is_killed():
    """No process stays behind: it reads the end of its pipe."""
    app = (
        "import sys, time; from thingsviz.ui.brain.drawing import DrawingProcess; "
        "one = DrawingProcess(); "
        "one.start(); print(one._process.pid, flush=True); time.sleep(60)"
    )
    with os.fdopen(os.open(os.devnull, os.O_WRONLY), "wb") as nowhere:
        parent = psutil.Popen([sys.executable, "-c", app], stdout=-1, stderr=nowhere, text=True)
    child = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    child.wait(timeout=30)
    assert not child.is_running()


def test_the_views_themselves_load_no_vtk():
    """(stpyvista does, when its component is mounted; but nothing is drawn with it in the app.)"""
    program = (
        "import sys; import thingsviz.ui.brain.volume_view, thingsviz.ui.brain.stage; "
        "print(sorted(m for m in ('pyvista', 'vtkmodules', 'trame_vtk.modules.vtk.serializers')"
        " if m in sys.modules))"
    )
    found = psutil.subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
