"""The line in its database: order, transactions, and that it may be lost."""

import sqlite3
import threading
from contextlib import closing

import pytest

from thingsviz.core.errors import ConfigError
from thingsviz.queue import limits
from thingsviz.queue.database import DATABASE, Queue, Row
from thingsviz.queue.ticket import Ticket, read_ticket, take_ticket, ticket_for, write_ticket


@pytest.fixture
def queue(tmp_path):
    found = Queue(tmp_path / ".queue")
    yield found
    found.close()


def test_the_line_keeps_its_order(queue):
    for name, submitted in (("late", 30.0), ("early", 10.0), ("middle", 20.0)):
        queue.add(name, Ticket(owner="ana", submitted=submitted))
    queue.add("early", Ticket(owner="ben", submitted=99.0))
    assert queue.line() == ["early", "middle", "late"]
    queue.update("early", state="running", pid=7, gpu="1")
    assert queue.line() == ["middle", "late"]
    row = next(row for row in queue.rows() if row.name == "early")
    assert (row.owner, row.pid, row.running().gpu) == ("ana", 7, "1")
    queue.remove("early")
    assert len(queue.rows()) == 2


def test_twenty_threads_lose_nothing(queue, tmp_path):
    def add(number):
        mine = Queue(tmp_path / ".queue")
        for i in range(10):
            mine.add(f"{number}-{i}", Ticket(owner="ana", submitted=float(i)))
        mine.close()

    threads = [threading.Thread(target=add, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(queue.line()) == 200


def test_a_change_that_fails_changes_nothing(queue):
    queue.add("one", Ticket())

    def half_a_change():
        with queue.change() as connection:
            connection.execute("DELETE FROM jobs")
            raise KeyError("killed here")

    with pytest.raises(KeyError, match="killed here"):
        half_a_change()
    assert queue.line() == ["one"]


def test_a_file_that_is_no_database_is_put_aside(tmp_path):
    folder = tmp_path / ".queue"
    folder.mkdir()
    (folder / DATABASE).write_bytes(b"nonsense" * 1000)
    queue = Queue(folder)
    assert queue.rows() == []
    queue.close()
    assert [p.read_bytes()[:8] for p in folder.glob("*.damaged-*")] == [b"nonsense"]


def test_a_database_that_is_busy_is_not_put_aside(tmp_path, monkeypatch):
    def busy(*_, **__):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(sqlite3, "connect", busy)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        Queue(tmp_path / ".queue")


def test_a_ticket_there_and_back(make_job, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_STUDY_STORAGE", "postgresql://me:secret@host/db")
    job = make_job(model={"name": "vit3d"}, fit={"epochs": 50, "device": "cpu"})
    ticket = ticket_for(job.config(), "ana", 12.5)
    assert (ticket.short, ticket.wants_gpu) == (False, False)
    write_ticket(job, ticket)
    assert read_ticket(job) == ticket
    assert "secret" not in job.file("ticket.json").read_text()
    assert (take_ticket(job), take_ticket(job), read_ticket(job)) == (True, False, None)


@pytest.mark.parametrize("text", ["{", "[]", '{"owner": 3}', '{"colour": "red"}', ""])
def test_a_damaged_ticket_still_counts_as_one(make_job, text):
    job = make_job()
    job.file("ticket.json").write_text(text)
    assert read_ticket(job) == Ticket()


@pytest.mark.parametrize(
    ("recipe", "short"),
    [
        ({"model": {"name": "ridge"}}, True),
        ({"model": {"name": "vit3d"}, "fit": {"epochs": 2, "batches_per_epoch": 10}}, True),
        ({"model": {"name": "vit3d"}, "fit": {"epochs": 200, "batches_per_epoch": 64}}, False),
        ({"model": {"name": "vit3d"}, "fit": {"epochs": 1, "batches_per_epoch": None}}, False),
    ],
)
def test_what_is_short(make_job, recipe, short):
    assert ticket_for(make_job(**recipe).config(), "", 0).short is short


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("THINGSVIZ_SLOTS", text) for text in ("0", "-1", "many", "1.5", "99999")),
        ("THINGSVIZ_QUOTA", "0"),
        ("THINGSVIZ_JOB_MEMORY_MB", "4GB"),
        *(("THINGSVIZ_JOB_HOURS", text) for text in ("0", "-2", "nan", "inf", "a day")),
    ],
)
def test_limits_must_be_numbers(monkeypatch, name, text):
    monkeypatch.setenv(name, text)
    with pytest.raises(ConfigError, match=f"{name} is '{text}': give the "):
        limits.read_limits()


def test_limits_are_read(monkeypatch):
    for name, text in (("SLOTS", "3"), ("QUOTA", "2"), ("JOB_HOURS", "1.5"), ("GPUS", "0, 1")):
        monkeypatch.setenv(f"THINGSVIZ_{name}", text)
    assert limits.read_limits() == limits.Limits(3, ("0", "1"), 2, None, 1.5)


def test_the_engine_is_one_of_two(monkeypatch):
    monkeypatch.setenv("THINGSVIZ_ENGINE", "cloud")
    with pytest.raises(ConfigError, match="'cloud': use one of local, slurm"):
        limits.engine()


def test_gpus_are_those_named_or_those_of_the_driver(tmp_path):
    for name in ("nvidia0", "nvidia1", "nvidia10", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert limits.gpus({}, tmp_path) == ("0", "1", "10")
    assert limits.gpus({"CUDA_VISIBLE_DEVICES": ""}, tmp_path) == ()
    assert limits.gpus({"CUDA_VISIBLE_DEVICES": "2,3", "THINGSVIZ_GPUS": "3"}, tmp_path) == ("3",)


def filled(folder):
    with closing(Queue(folder)) as queue:
        for i in range(40):
            queue.add(f"job-{i}", Ticket(owner="ada", submitted=float(i)))
        queue._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return queue.path


@pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_damaged_database_is_set_aside_and_the_line_goes_on(tmp_path, at):
    path = filled(tmp_path)
    raw = bytearray(path.read_bytes())
    start = int(at * len(raw))
    raw[start : start + 64] = bytes(range(160, 224))
    path.write_bytes(raw)
    with closing(Queue(tmp_path)) as queue:
        assert set(queue.rows()) <= {
            Row(f"job-{i}", "waiting", "ada", float(i)) for i in range(40)
        }
        queue.add("new", Ticket(owner="bob", submitted=1.0))
        assert "new" in queue.line()


@pytest.mark.parametrize(
    "change",
    ["submitted = 'x'", "owner = x'05'", "state = 'gone'", "pid = 'many'", "attempts = 0.5"],
)
def test_a_row_that_nobody_wrote_is_not_believed(tmp_path, change):
    path = filled(tmp_path)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(f"UPDATE jobs SET {change} WHERE name = 'job-3'")
    with closing(Queue(tmp_path)) as queue:
        assert queue.rows() == []
    assert list(tmp_path.glob("*.damaged-*"))


def test_the_line_of_an_earlier_version_goes_on(tmp_path):
    """A supervisor that is updated while jobs run must still find their processes."""
    path = filled(tmp_path)
    with closing(sqlite3.connect(path)) as older, older:
        older.execute("UPDATE jobs SET state = 'running', pid = 77 WHERE name = 'job-3'")
        older.execute("ALTER TABLE jobs DROP COLUMN kills")
    with closing(Queue(tmp_path)) as queue:
        rows = {row.name: row for row in queue.rows()}
        assert len(rows) == 40
        assert (rows["job-3"].pid, rows["job-3"].kills) == (77, -1)
    assert not list(tmp_path.glob("*.damaged-*"))
