"""The app as a lab runs it: one process, or several behind the nginx example; trainings beside."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

REPO = Path(__file__).parents[1]
EXAMPLE = REPO / "thingsviz" / "deploy" / "nginx.conf"
NICENESS = "5"


class Sample(NamedTuple):
    """Processes with all their children at one moment; `drawing` draw 3D scenes."""

    megabytes: float
    threads: int
    files: int
    processes: int
    drawing: int
    sessions: int
    cpu_s: float


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server(NamedTuple):
    """Where visitors come in, and the processes of the app with their own ports."""

    url: str
    pids: tuple[int, ...]
    ports: tuple[int, ...]

    def sample(self) -> Sample:
        """Measure the app with all below it; memory that several share is shared out (PSS)."""
        tops = [psutil.Process(pid) for pid in self.pids]
        family = [p for top in tops for p in (top, *top.children(recursive=True))]
        found, cpu = [0.0, 0, 0, len(family), 0], 0.0
        for process in family:
            with contextlib.suppress(psutil.Error):
                found[0] += process.memory_full_info().pss / 1e6
                found[1] += process.num_threads()
                found[2] += process.num_fds()
                found[4] += any("draw_worker" in word for word in process.cmdline())
                times = process.cpu_times()
                cpu += times.user + times.system
        sizes = (round(n) for n in found[1:])
        return Sample(found[0], *sizes, self.sessions(), cpu)

    def sessions(self) -> int:
        """Ask how many tabs are connected, or kept for one that lost its line."""
        total = 0
        for port in self.ports:
            url = f"http://localhost:{port}/metrics"
            text = urllib.request.urlopen(url, timeout=60).read().decode()
            total += int(float(re.findall(r"^thingsviz_sessions (\S+)", text, re.M)[0]))
        return total


@contextlib.contextmanager
def served(folder: Path, n_processes: int = 1) -> Iterator[Server]:
    """Run the app; more than one process stands behind nginx as the example has it."""
    ports = [free_port() for _ in range(n_processes)]
    env = os.environ | ({"THINGSVIZ_ACCESS": "header"} if n_processes > 1 else {})
    with contextlib.ExitStack() as stack:
        apps = [stack.enter_context(_app(port, env, folder)) for port in ports]
        for port in ports:
            _wait(f"http://localhost:{port}/healthz")
        url = f"http://localhost:{ports[0]}"
        if n_processes > 1:
            url = stack.enter_context(_nginx(folder, ports))
        yield Server(url, tuple(app.pid for app in apps), tuple(ports))


@contextlib.contextmanager
def _app(port: int, env: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with (folder / f"app-{port}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=REPO, env=env, stdout=log, stderr=log)
        with _ended(process):
            yield process


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=5).read()
            return
        except OSError:
            time.sleep(0.2)
    msg = f"{url} did not answer within {seconds:g} s"
    raise TimeoutError(msg)


@contextlib.contextmanager
def _nginx(folder: Path, ports: list[int]) -> Iterator[str]:
    """Run the example with these processes behind it; without TLS, and everybody is one user."""
    program = shutil.which("nginx")
    if program is None:
        msg = "no nginx here: install it with tests/install_nginx.sh"
        raise FileNotFoundError(msg)
    port = free_port()
    (folder / "site.conf").write_text(adapted(EXAMPLE.read_text(), port, ports))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"daemon off; {user} worker_processes 1; pid {folder}/pid; "
        f"error_log {folder}/error.log; events {{ worker_connections 4096; }}\n"
        f"http {{ access_log off; {places} include {folder}/site.conf; }}\n"
    )
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with _ended(subprocess.Popen(command, stderr=subprocess.DEVNULL)):
        _wait(f"http://localhost:{port}/healthz")
        yield f"http://localhost:{port}"


def adapted(text: str, port: int, ports: list[int]) -> str:
    """Change the lines of the example that an installation has to change."""
    servers = "".join(f"    server 127.0.0.1:{one};\n" for one in ports)
    changes = {
        r"    server 127\.0\.0\.1:8501;.*\n": servers,
        r"listen 443 ssl;": f"listen 127.0.0.1:{port};",
        r"thingsviz\.example;": "localhost;",
        r" *(ssl_certificate|auth_basic).*\n": "",
        r"\$remote_user;": "visitor@lab.example;",
    }
    for pattern, new in changes.items():
        text, n = re.subn(pattern, new, text)
        if not n:
            msg = f"{EXAMPLE} has no line like {pattern}: mend benchmarks/_servers.py"
            raise ValueError(msg)
    return text


@contextlib.contextmanager
def trainings(n: int, dataset: str) -> Iterator[list[str]]:
    """Run `n` trainings beside, at the priority that the queue gives them; yields their names."""
    from thingsviz.jobs.job_folder import create_job
    from thingsviz.jobs.recipe import JobConfig

    names: list[str] = []
    with contextlib.ExitStack() as stack:
        for i in range(n):
            recipe = {"name": f"beside-{i}", "dataset": dataset, "model": {"name": "vit3d"}}
            job = create_job(JobConfig.model_validate(recipe | {"fit": {"epochs": 10_000}}))
            command = ["nice", "-n", NICENESS, sys.executable, "-m", "thingsviz.commands.train"]
            with job.file("log.txt").open("wb") as log:
                process = subprocess.Popen(
                    [*command, str(job.path)], cwd=REPO, stdout=log, stderr=log
                )
            stack.enter_context(_ended(process))
            names.append(job.name)
        yield names
