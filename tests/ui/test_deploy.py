"""The files of an installation agree with the project, and systemd accepts its unit."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
DEPLOY = REPO / "thingsviz" / "deploy"


def test_the_container_gets_all_that_the_app_is_made_of_and_is_not_root():
    text = (DEPLOY / "Dockerfile").read_text()
    copied = {name for line in re.findall(r"^COPY (.*) \S+$", text, re.M) for name in line.split()}
    assert all((REPO / name).exists() for name in copied)
    assert {"app.py", "pages", "models", "thingsviz", ".streamlit", "requirements.txt"} <= copied
    assert text.index("\nUSER thingsviz") < text.index("\nCMD ")
    assert "/healthz" in text


@pytest.mark.parametrize("name", ["Dockerfile", "thingsviz.service", "thingsviz-jobs.service", "nginx.conf"])
def test_settings_are_those_that_the_program_reads(name):
    source = "\n".join(
        path.read_text() for path in (REPO / "thingsviz").rglob("*.py") if path.is_file()
    )
    for setting in set(re.findall(r"THINGSVIZ_[A-Z_]+", (DEPLOY / name).read_text())):
        assert f'"{setting}"' in source, setting


@pytest.mark.parametrize("name", ["thingsviz.service", "thingsviz-jobs.service"])
def test_systemd_accepts_the_unit(name, tmp_path):
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("no systemd-analyze here")
    text = (DEPLOY / name).read_text()
    text = re.sub(r"^ExecStart=\S+", f"ExecStart={shutil.which('true')}", text, flags=re.M)
    text = re.sub(r"^(User|WorkingDirectory)=.*\n", "", text, flags=re.M)
    unit = tmp_path / name
    unit.write_text(text)
    found = subprocess.run(
        [tool, "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert not [line for line in found.stderr.splitlines() if name in line]
