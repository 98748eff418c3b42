"""Studies in a real PostgreSQL server of Debian's, which these tests start and restart."""

import ast
import inspect
import multiprocessing
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from optuna.distributions import FloatDistribution
from optuna.storages._cached_storage import _CachedStorage
from optuna.trial import TrialState

from thingsviz.core import json_files
from thingsviz.core.errors import JobError
from thingsviz.studies import database_retry as study_server
from thingsviz.studies.config import parse_study
from thingsviz.studies.records import StudyRecords, work
from thingsviz.studies.rows import Reader
from thingsviz.studies.space import suggest
from thingsviz.studies.storage import open_storage, storage_url
from thingsviz.studies.study_folder import StudyFolder, create_study

SPACE = {"model.score_power": {"kind": "float", "low": 0, "high": 4}}


class Server:
    """A PostgreSQL of its own on a free port, without passwords, open to this machine only."""

    def __init__(self, programs: Path, folder: Path):
        self.programs, self.folder, self.data = programs, folder, folder / "data"
        # the server refuses to run as root
        self.as_user = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
        if self.as_user:
            shutil.chown(folder, **self.as_user)
        self.call("initdb", "-D", self.data, "-A", "trust", "-U", "lab", "--no-sync")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"postgresql://lab@127.0.0.1:{self.port}/postgres"

    def call(self, name, *words):
        command = [str(self.programs / name), *map(str, words)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
        subprocess.run(command, check=True, cwd=self.folder, **quiet, **self.as_user)

    def start(self):
        words = f"-p {self.port} -h 127.0.0.1 -k {self.folder} -c fsync=off"
        log = self.folder / "log.txt"
        self.call("pg_ctl", "-D", self.data, "-o", words, "-l", log, "-w", "start")

    def stop(self, how="immediate"):
        self.call("pg_ctl", "-D", self.data, "-m", how, "-w", "stop")


@pytest.fixture(scope="module")
def server():
    pytest.importorskip("psycopg")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    path = found[-1] if found else shutil.which("initdb")
    if path is None:
        pytest.skip("no PostgreSQL here: run 'sudo tests/install_postgresql.sh'")
    folder = Path(tempfile.mkdtemp(prefix="thingsviz-pg-"))
    server = Server(Path(path).parent, folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def make(server, tiny_env, monkeypatch, request):
    monkeypatch.setenv("THINGSVIZ_STUDY_STORAGE", server.url)

    def one(**more):
        # the server keeps the studies of all tests: each has a name of its own
        data = {"name": f"s{time.time_ns()}", "base": {"dataset": "tiny"}, "space": SPACE, **more}
        folder = create_study(parse_study(data))
        return folder, StudyRecords(folder, folder.config(), "search", open_storage(folder))

    return one


def noted(records, claimed):
    json_files.append_line(records.folder.file("ran.jsonl"), {"index": claimed.index})
    values = suggest(claimed.trial, records.config.space)
    claimed.trial.report(0.1, 1)
    time.sleep(0.02)
    records.complete(claimed, values["model.score_power"], 0.01)


def worker(path):
    folder = StudyFolder(path)
    records = StudyRecords(folder, folder.config(), "search", open_storage(folder))
    work(records, noted, lambda: None, 0.05)


def crowd(folder, n):
    context = multiprocessing.get_context("fork")
    found = [context.Process(target=worker, args=(folder.path,)) for _ in range(n)]
    for process in found:
        process.start()
    return found


def test_eight_workers_and_a_restart_in_the_middle(make, server):
    folder, records = make(n_candidates=24)
    records.plan()
    processes = crowd(folder, 8)
    ran = folder.file("ran.jsonl")
    end = time.monotonic() + 120
    while len(json_files.read_lines(ran)[0]) < 8:
        assert time.monotonic() < end
        time.sleep(0.01)
    server.stop()  # as a crash would
    time.sleep(1)
    server.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 8
    done = records.trials(TrialState.COMPLETE)
    assert sorted(t.user_attrs["index"] for t in done) == list(range(24))  # none lost, none twice
    repeated = Counter(row["index"] for row in json_files.read_lines(ran)[0])
    failed = {t.user_attrs["index"] for t in records.trials(TrialState.FAIL)}
    assert {index for index, n in repeated.items() if n > 1} <= failed
    assert not folder.database.exists()


def test_every_question_to_the_server_waits_for_it():
    tree = ast.parse(Path(inspect.getfile(_CachedStorage)).read_text())
    asked = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Attribute)
        and node.func.value.attr == "_backend"
    }
    # not twice: what makes or removes a row (planning looks first), and what asks no database
    once = {"create_new_study", "delete_study", "_create_new_trial"}
    local = {"get_heartbeat_interval", "get_heartbeat_stale_trial_callback"}
    assert "_set_trial_param" in asked
    assert asked - once - local == asked & set(study_server.ASKED_AGAIN)


def test_a_value_drawn_while_the_server_is_away_is_written_when_it_is_back(make, server):
    _, records = make(n_candidates=1)
    records.plan()
    claimed = records.claim()
    server.stop()
    back = threading.Timer(1.5, server.start)
    back.start()
    range_ = FloatDistribution(0, 4)
    records.storage.set_trial_param(claimed.trial._trial_id, "power", 2.5, range_)
    back.join()
    os.close(claimed.handle)
    assert records.trials()[0].params == {"power": 2.5}


def test_the_page_reads_the_same_records(make):
    folder, records = make(n_candidates=2)
    records.plan()
    worker(folder.path)
    rows = Reader(folder, folder.config()).rows()
    assert [(row.number, row.state) for row in rows] == [(0, "done"), (1, "done")]


def test_a_server_that_does_not_answer_is_one_sentence(make, monkeypatch):
    folder, _ = make()
    monkeypatch.setattr(study_server, "PATIENCE_S", 0.1)
    nobody = "postgresql://lab:secret@127.0.0.1:1/postgres"
    monkeypatch.setenv("THINGSVIZ_STUDY_STORAGE", nobody)
    with pytest.raises(JobError, match="THINGSVIZ_STUDY_STORAGE does not answer") as found:
        open_storage(folder)
    assert "secret" not in str(found.value)
    assert storage_url(folder) == nobody.replace("postgresql:", "postgresql+psycopg:")
