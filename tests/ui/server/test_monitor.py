"""What a monitor is told: well or not and why, and numbers in Prometheus' own format."""

from __future__ import annotations

import shutil
from collections import namedtuple

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.testclient import TestClient

from thingsviz.ui.server import monitor

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "jobs"))
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path / "data"))
    return TestClient(Starlette(routes=monitor.ROUTES))


def test_a_well_server_says_so_before_anything_exists(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["state"] == "well"
    assert answer.json()["faults"] == []


def test_a_full_disk_is_named(client, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 10**12 - 1, 1))
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["faults"] == [
        "the disk of jobs is nearly full: trainings will wait for room"
    ]


def test_folders_that_cannot_be_used_are_named_without_their_paths(client, monkeypatch, tmp_path):
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(monitor.os, "access", lambda path, mode: False)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert [fault.split(":")[0] for fault in answer.json()["faults"]] == [
        "the folder of jobs cannot be written",
        "the folder of datasets cannot be read",
    ]
    assert str(tmp_path) not in answer.text


def test_metrics_are_read_by_prometheus_own_parser(client):
    answer = client.get("/metrics")
    families = {f.name: f for f in text_string_to_metric_families(answer.text)}
    value = {name: f.samples[0].value for name, f in families.items() if f.samples}
    assert value["thingsviz_sessions"] == 0
    assert value["thingsviz_threads"] >= 1
    assert value["thingsviz_jobs_free_bytes"] > 0
    assert value["process_resident_memory_bytes"] > 10_000_000
    assert families["thingsviz_build"].samples[0].labels["version"]
