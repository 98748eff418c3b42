"""The files of an installation agree with the project, and systemd accepts its unit."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from thingsviz.core.settings import Settings, variable

REPO = Path(__file__).parents[2]
DEPLOY = REPO / "thingsviz" / "deploy"
UNITS = ("thingsviz.service", "thingsviz-jobs.service")


def test_the_container_gets_all_that_the_app_is_made_of_and_is_not_root():
    text = (DEPLOY / "Dockerfile").read_text()
    copied = {name for line in re.findall(r"^COPY (.*) \S+$", text, re.M) for name in line.split()}
    assert all((REPO / name).exists() for name in copied)
    assert {"app.py", "pages", "models", "thingsviz", ".streamlit", "requirements.txt"} <= copied
    assert text.index("\nUSER thingsviz") < text.index("\nCMD ")
    assert "/healthz" in text


def test_whoever_builds_the_image_gets_what_it_copies_and_no_secrets():
    wanted = re.findall(r"^COPY (.*) \S+$", (DEPLOY / "Dockerfile").read_text(), re.M)
    copied = {name.removeprefix("./") for line in wanted for name in line.split()}
    lines = (REPO / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert copied == {rule[1:] for rule in rules if rule.startswith("!")}
    assert ".streamlit/secrets.toml" in rules


def test_the_container_writes_nowhere_but_where_it_is_told():
    """Its root is read-only: all that the settings name lies on a volume or in /tmp."""
    text = (DEPLOY / "Dockerfile").read_text()
    places = re.findall(r"(?:THINGSVIZ_(?:JOBS|DERIVATIVES)|HOME|MPLCONFIGDIR)=(/\S+)", text)
    assert len(places) == 4
    assert all(place.startswith(("/jobs", "/tmp")) for place in places)
    for line in text.splitlines():
        if line.startswith("#   docker run"):
            assert "--read-only" in line
            assert "--tmpfs /tmp" in line


@pytest.mark.parametrize(
    "name", ["Dockerfile", "thingsviz.service", "thingsviz-jobs.service", "nginx.conf"]
)
def test_settings_are_those_that_the_program_reads(name):
    known = {variable(setting) for setting in Settings.model_fields}
    assert set(re.findall(r"THINGSVIZ_[A-Z_]+", (DEPLOY / name).read_text())) <= known


@pytest.mark.parametrize("name", UNITS)
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
