"""The nginx example, with a real nginx: login, headers, sockets, 3-D, two processes."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path

import pytest

from tests.browser.conftest import App, free_port, watch

REPO = Path(__file__).parents[2]
EXAMPLE = REPO / "thingsviz" / "deploy" / "nginx.conf"
USER, PASSWORD = "ada@lab.example", "a test's own"


@pytest.fixture(scope="module")
def apps(tiny, tmp_path_factory):
    """Two processes that know visitors by the proxy's header."""
    roles = tmp_path_factory.mktemp("roles") / "roles.toml"
    roles.write_text('train = ["*@lab.example"]\n')
    more = {"THINGSVIZ_ACCESS": "header", "THINGSVIZ_ROLES": str(roles)}
    jobs = tmp_path_factory.mktemp("jobs")
    logs = tmp_path_factory.mktemp("logs")
    started = [App(tiny, jobs, logs / f"{i}.txt", more) for i in range(2)]
    yield [app.wait() for app in started]
    for app in started:
        app.stop()


@pytest.fixture(scope="module")
def proxy(apps, tmp_path_factory):
    """The example with this test's addresses, certificate and password file in it."""
    if shutil.which("nginx") is None:
        subprocess.run([REPO / "tests" / "install_nginx.sh"], check=False)
    if shutil.which("nginx") is None:
        pytest.skip("no nginx here: run 'sudo tests/install_nginx.sh'")
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    certificate(folder)
    hashed = subprocess.run(
        ["openssl", "passwd", "-apr1", PASSWORD], check=True, capture_output=True, text=True
    )
    (folder / "htpasswd").write_text(f"{USER}:{hashed.stdout}")
    (folder / "site.conf").write_text(adapted(EXAMPLE.read_text(), folder, port, apps))
    (folder / "nginx.conf").write_text(
        f"daemon off;\nuser {'root' if os.getuid() == 0 else 'nobody'};\nworker_processes 1;\n"
        f"pid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/body;\n"
        f"proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;\n"
        f"uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; include {folder}/site.conf; }}\n"
    )
    process = subprocess.Popen(["nginx", "-p", folder, "-c", folder / "nginx.conf"])
    time.sleep(0.5)
    assert process.poll() is None, (folder / "error.log").read_text()
    yield f"https://localhost:{port}"
    process.terminate()
    process.wait(10)


def certificate(folder: Path) -> None:
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    command += f" -keyout {folder}/key.pem -out {folder}/cert.pem"
    subprocess.run(command.split(), check=True, capture_output=True)


def adapted(text: str, folder: Path, port: int, apps: list[App]) -> str:
    """Change the lines that the example marks with 'change', and nothing else."""
    servers = "".join(f"    server 127.0.0.1:{app.port};\n" for app in apps)
    wanted = {
        r"    server 127\.0\.0\.1:8501;.*\n": servers,
        r"listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        r"thingsviz\.example;": "localhost;",
        r"/etc/ssl/thingsviz/(cert|key)\.pem": rf"{folder}/\1.pem",
        r"/etc/nginx/thingsviz\.htpasswd": f"{folder}/htpasswd",
    }
    for pattern, new in wanted.items():
        text, n = re.subn(pattern, new, text)
        assert n, pattern
    return text


@pytest.fixture
def visitor(chromium, proxy):
    """A browser page of somebody who has logged in at the proxy, and says they are another."""
    context = chromium.new_context(
        ignore_https_errors=True,
        http_credentials={"username": USER, "password": PASSWORD},
        extra_http_headers={"X-Forwarded-User": "eve@else.example"},
        viewport={"width": 1280, "height": 900},
    )
    page = context.new_page()
    page.faults = watch(page)
    yield page
    faults = [fault for fault in page.faults if not fault.startswith("401 ")]
    context.close()
    assert not faults


def ask(url: str, **headers: str):
    context = ssl._create_unverified_context()
    request = urllib.request.Request(url, headers=headers)
    return urllib.request.urlopen(request, context=context, timeout=20)


def test_trials_and_3d_open_under_the_examples_policy(visitor, proxy, settle):
    visitor.goto(f"{proxy}/trials")
    settle(visitor)
    visitor.goto(f"{proxy}/brain")
    settle(visitor)
    scene = visitor.frame_locator("#stpyvistaframe").locator("#stage[data-scene]")
    scene.wait_for(timeout=60_000)
    assert not visitor.locator('[data-testid="stException"]').count()


def test_the_answer_carries_the_headers(proxy):
    login = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    with ask(f"{proxy}/", Authorization=f"Basic {login}", Accept="text/html") as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy
    assert "connect-src 'self' data: blob:;" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "HttpOnly; Secure" in headers["Set-Cookie"]


def test_nobody_passes_without_the_login_and_metrics_stay_inside(proxy, apps):
    with pytest.raises(urllib.error.HTTPError, match="401"):
        ask(f"{proxy}/", **{"X-Forwarded-User": USER})
    with pytest.raises(urllib.error.HTTPError, match="404"):
        ask(f"{proxy}/metrics")
    # past the proxy, from this machine: the header is believed, so only the proxy may reach it
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{apps[0].url}/trials", timeout=20)


def test_one_browser_stays_with_one_process(visitor, proxy, apps, settle):
    visitor.goto(f"{proxy}/trials")
    settle(visitor)
    counts = [sessions(app) for app in apps]
    assert sorted(counts)[0] < sorted(counts)[1]
    visitor.reload()
    settle(visitor)
    again = [sessions(app) for app in apps]
    assert counts.index(max(counts)) == again.index(max(again))


def sessions(app: App) -> int:
    text = urllib.request.urlopen(f"{app.url}/metrics", timeout=20).read().decode()
    return int(float(re.search(r"^thingsviz_sessions (\S+)", text, re.M)[1]))
