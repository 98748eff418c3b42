"""optuna-dashboard, Optuna's own app, opens what a study of ours has written."""

import json
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from thingsviz.studies.config import parse_study
from thingsviz.studies.records import StudyRecords, work
from thingsviz.studies.space import suggest
from thingsviz.studies.storage import open_storage
from thingsviz.studies.study_folder import create_study


@pytest.fixture
def folder(tiny_env):
    space = {"model.score_power": {"kind": "float", "low": 0, "high": 2}}
    data = {"name": "looked-at", "base": {"dataset": "tiny"}, "space": space, "n_candidates": 3}
    folder = create_study(parse_study(data))
    for phase in ("search", "random"):
        records = StudyRecords(folder, folder.config(), phase, open_storage(folder))
        records.plan()
        work(
            records,
            lambda r, c: r.complete(c, suggest(c.trial, r.config.space)["model.score_power"], 1),
            lambda: None,
        )
    return folder


def fetch(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return json.load(answer)


def test_the_dashboard_finds_both_searches(folder):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = "import sys; from optuna_dashboard._cli import main; sys.exit(main())"
    storage = f"sqlite:///{folder.database}"
    command = [sys.executable, "-c", code, storage, "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 90
        while True:
            try:
                found = fetch(port, "/api/studies")["study_summaries"]
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.2)
        assert {s["study_name"] for s in found} == {"looked-at", "looked-at-random"}
        study = next(s for s in found if s["study_name"] == "looked-at")
        detail = fetch(port, f"/api/studies/{study['study_id']}?after=0")
        assert [t["state"] for t in detail["trials"]] == ["Complete"] * 3
        assert {p["name"] for t in detail["trials"] for p in t["params"]} == {"model.score_power"}
    finally:
        process.kill()
        process.wait()
