"""Every package that the app installs has a licence that somebody has looked at."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

SCRIPT = Path(__file__).parents[1] / ".ci" / "licences.py"


@pytest.fixture(scope="module")
def licences():
    spec = importlib.util.spec_from_file_location("licences", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_are_known(licences, capsys):
    assert licences.main([]) == 0
    table = capsys.readouterr().out
    assert "| stpyvista | GNU General Public License v3 (GPLv3) (GPL-3: " in table
    assert "| torch |" in table


def test_a_new_licence_is_named(licences, monkeypatch, capsys):
    evil = SimpleNamespace(metadata={"License-Expression": "SSPL-1.0"}, requires=[])
    monkeypatch.setattr(licences, "installed", lambda: {"evil": evil})
    monkeypatch.setattr(licences, "licence_of", lambda p: p.metadata["License-Expression"])
    assert licences.main(["--check"]) == 1
    assert "evil: 'SSPL-1.0' is new here" in capsys.readouterr().err


def test_requirements_are_read_with_their_comments(licences):
    text = "# why\nnumpy==2.4.6\npandas==3.1.1  # tables\n\n"
    assert list(licences.asked_for(text)) == ["numpy", "pandas"]
