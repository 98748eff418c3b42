"""A command that a message names works when it is pasted, wherever it is installed."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from thingsviz.core import command_hint as hints


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """A virtual environment in a folder with a space, with the command in it or not."""
    folder = tmp_path / "my env" / "bin"
    folder.mkdir(parents=True)
    monkeypatch.setattr(hints.sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", "/nowhere")

    def make():
        (folder / "thingsviz").write_text("#!/bin/sh\n")
        (folder / "thingsviz").chmod(0o755)
        return folder

    return make


def test_on_the_path_it_is_the_bare_name(environment, monkeypatch):
    monkeypatch.setenv("PATH", str(environment()))
    assert (
        hints.command_hint("prepare", "/data/my things") == "thingsviz prepare '/data/my things'"
    )


def test_beside_the_interpreter_it_is_a_path_from_here(environment, monkeypatch, tmp_path):
    environment()
    monkeypatch.chdir(tmp_path)
    assert hints.command_hint("doctor") == "'my env/bin/thingsviz' doctor"


def test_not_installed_it_is_the_module(monkeypatch, environment):
    assert shlex.split(hints.command_hint("doctor"))[1:] == ["-m", "thingsviz", "doctor"]


def test_what_it_says_here_runs():
    command = shlex.split(hints.command_hint("--version"))
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert sys.executable
