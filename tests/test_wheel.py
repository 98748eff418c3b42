"""The wheel: all files are in it, and it works where nothing is known of this clone."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import tomllib
import urllib.request
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

import thingsviz

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SOURCES = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "app.py")
# one worker builds and installs it for all of them
pytestmark = pytest.mark.xdist_group("wheel")
FOLDERS = ("pages", "models", "thingsviz", ".streamlit")


def test_both_lists_name_the_same_packages_and_the_pins_lie_in_the_ranges():
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    pinned = [Requirement(line) for line in lines if line and not line.startswith("#")]
    ranges = {need.name.lower(): need for need in map(Requirement, PROJECT["dependencies"])}
    assert {pin.name.lower() for pin in pinned} == set(ranges)
    for pin in pinned:
        ((equals, version),) = ((one.operator, one.version) for one in pin.specifier)
        wide = ranges[pin.name.lower()].specifier
        assert equals == "=="
        assert wide.contains(version), f"{pin} is not in {wide}"
        assert {one.operator for one in wide} == {">=", "<"}


def test_one_version_everywhere():
    assert "version" not in PROJECT
    cited = ROOT / "CITATION.cff"
    if cited.is_file():
        found = re.search(r"^version: (\S+)$", cited.read_text("utf-8"), re.MULTILINE)
        assert found is not None
        assert found[1] == thingsviz.__version__


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy, so that no build folder is left here."""
    source, out = (tmp_path_factory.mktemp(name) for name in ("source", "dist"))
    for name in SOURCES:
        shutil.copy(ROOT / name, source / name)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    # what must not get in: secrets, and what an earlier build has left
    (source / ".streamlit" / "secrets.toml").write_text("[auth]\n")
    (source / "build" / "lib" / "thingsviz").mkdir(parents=True)
    (source / "build" / "lib" / "thingsviz" / "stale.py").touch()
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    command += ["--no-index", "--disable-pip-version-check", "-w", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = out.glob("*.whl")
    return path


def test_every_file_of_the_packages_is_inside_and_nothing_else(wheel):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in ("models", "thingsviz")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    app = {"app.py", ".streamlit/config.toml"}
    app |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "pages").glob("*.py")}
    assert inside == expected | {f"thingsviz/ui/app/{name}" for name in app}
    assert {"thingsviz/py.typed", "models/py.typed"} <= inside


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment with the wheel in it; only what thingsviz needs comes from the one here."""
    place = tmp_path_factory.mktemp("empty")
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(place / "venv")], check=True
    )
    python = place / "venv" / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps"]
    command += ["--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    (packages,) = (place / "venv" / "lib").glob("python*/site-packages")
    # a .pth inside of that folder is not read again: an editable thingsviz in it stays unseen
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    home = place / "elsewhere"
    home.mkdir()
    env = {name: value for name, value in os.environ.items() if "THINGSVIZ" not in name}
    env |= {"THINGSVIZ_THREADS": "1", "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    env.pop("PYTHONPATH", None)

    def run(*command):
        done = subprocess.run(
            list(map(str, command)), cwd=home, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return SimpleNamespace(run=run, home=home, env=env, python=python)


@pytest.fixture(scope="module")
def trained(installed):
    """Demo data and a trained ridge, made by the installed command in an empty folder."""
    installed.run("thingsviz", "simulate", "data/tiny", "--preset", "tiny")
    installed.run("thingsviz", "prepare", "data/tiny")
    installed.run("thingsviz", "train", "--dataset", "tiny", "--model", "ridge")
    return installed


def test_the_package_comes_from_the_wheel_alone(installed):
    code = "import thingsviz, models; print(thingsviz.__file__, models.__file__)"
    for path in installed.run("python", "-c", code).split():
        assert Path(path).is_relative_to(installed.python.parents[1])
    assert installed.run("thingsviz", "--version").strip() == thingsviz.__version__


def test_the_names_of_earlier_versions_are_in_it(installed):
    assert "usage: thingsviz replicate" in installed.run(
        "python", "-m", "thingsviz.jobs.again", "--help"
    )


@pytest.mark.slow
def test_the_quickstart_ends_in_a_scored_decoder(installed, tmp_path):
    shown = installed.run("python", ROOT / "examples" / "quickstart.py", tmp_path / "new")
    assert "ceiling" in shown
    assert "manmade" in shown


@pytest.mark.slow
def test_it_simulates_prepares_and_trains_in_the_current_folder(trained):
    assert (trained.home / "checkpoints" / "ridge" / "scores.json").is_file()
    assert "ridge  done   ridge    tiny" in trained.run("thingsviz", "jobs")


@pytest.mark.slow
def test_the_doctor_finds_it_well(trained):
    found = {row["topic"]: row for row in json.loads(trained.run("thingsviz", "doctor", "--json"))}
    assert found["data"]["text"] == "tiny: sub-01 ready"
    assert found["jobs"]["text"].endswith("1 done")
    assert str(trained.python.parents[1]) in found["app"]["text"]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.slow
def test_the_app_answers_from_another_folder(trained):
    port = free_port()
    command = ["thingsviz", "app", "--port", str(port)]
    log = (trained.home / "app.log").open("w")
    with subprocess.Popen(
        command, cwd=trained.home, env=trained.env, stdout=log, stderr=log
    ) as app:
        try:
            answers = {path: get(f"http://127.0.0.1:{port}{path}") for path in ("/healthz", "/")}
        finally:
            app.terminate()
    assert json.loads(answers["/healthz"])["state"] == "well"
    assert "<title>" in answers["/"]


def get(address):
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"{address} does not answer")


HOME = """
from streamlit.testing.v1 import AppTest
from thingsviz.ui.app_files import app_folder
app = AppTest.from_file(str(app_folder() / "pages" / "home.py"), default_timeout=60).run()
assert not app.exception, app.exception
print(app.title[0].value, *(one.value for one in (*app.markdown, *app.caption)))
"""


@pytest.mark.slow
def test_the_home_page_shows_the_data(trained):
    shown = trained.run("python", "-c", HOME)
    assert shown.startswith("thingsviz")
    assert "SIMULATED" in shown
    assert "ready" in shown
