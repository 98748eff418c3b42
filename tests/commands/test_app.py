"""`thingsviz app` becomes Streamlit's server, with the app's own files and folders asked for."""

from __future__ import annotations

import sys

import pytest

from thingsviz.commands import app
from thingsviz.ui.app_files import CLONE, app_folder


class BecameError(Exception):
    pass


@pytest.fixture
def became(monkeypatch):
    found = []

    def execve(path, command, env):
        found.extend([path, command, env])
        raise SystemExit(0)

    monkeypatch.setattr(app.os, "execve", execve)

    def start(*words):
        with pytest.raises(SystemExit):
            app.main(list(words))
        return found

    return start


def test_it_starts_the_app_of_this_clone(became, tmp_path):
    path, command, env = became("--port", "8765", "--data", str(tmp_path), "--server.x", "1")
    assert path == sys.executable
    assert command[1:5] == ["-m", "streamlit", "run", str(CLONE / "app.py")]
    assert command[5:] == ["--server.port", "8765", "--server.x", "1"]
    assert env["THINGSVIZ_DATA"] == str(tmp_path)


def test_a_port_out_of_range_is_one_sentence(capsys):
    assert app.main(["--port", "99999"]) == 2
    assert "--port is 99999" in capsys.readouterr().err


def test_the_files_that_streamlit_opens_are_there():
    for name in ("app.py", "pages/home.py", ".streamlit/config.toml"):
        assert (app_folder() / name).is_file()
