"""The login, against a real OpenID provider: who is sent away, who comes in, with which role."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.conftest import App, free_port

FOLDER = Path(__file__).parents[1] / "login"


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    """The provider's port and the port that it sends people back to."""
    if shutil.which("npm") is None:
        pytest.skip("no npm here: install Node.js 20 or newer to test the login")
    if not (FOLDER / "node_modules" / "oidc-provider").is_dir():
        command = ["npm", "ci", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=FOLDER, check=True, timeout=300)
    port, app_port = free_port(), free_port()
    back = f"http://localhost:{app_port}/oauth2callback"
    process = subprocess.Popen(
        ["node", "provider.mjs", str(port), back], cwd=FOLDER, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline().strip() == "ready"
    yield port, app_port
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="module")
def app(provider, tiny, tmp_path_factory):
    """The app that asks this provider who somebody is."""
    port, app_port = provider
    folder = tmp_path_factory.mktemp("login")
    secrets = folder / "secrets.toml"
    secrets.write_text(
        f"""[auth]
redirect_uri = "http://localhost:{app_port}/oauth2callback"
cookie_secret = "only for this test"
client_id = "thingsviz"
client_secret = "only-for-this-test"
server_metadata_url = "http://localhost:{port}/.well-known/openid-configuration"
client_kwargs = {{ scope = "openid email", prompt = "login" }}
"""
    )
    (folder / "roles.toml").write_text('look = ["*@lab.example"]\ntrain = ["ada@lab.example"]\n')
    settings = {
        "THINGSVIZ_ACCESS": "oidc",
        "THINGSVIZ_ROLES": str(folder / "roles.toml"),
        "STREAMLIT_SECRETS_FILES": str(secrets),
    }
    started = App(tiny, tmp_path_factory.mktemp("jobs"), folder / "log.txt", settings, app_port)
    yield started.wait()
    started.stop()


@pytest.fixture
def visit(chromium, app):
    """Open a page as a new visitor who logs in under a name."""
    contexts = []

    def go(path: str, name: str | None = None):
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        contexts.append(context)
        # the provider's own pages may want pictures from elsewhere; nothing here needs them
        context.route(
            lambda url: "//localhost" not in url, lambda route: route.abort("blockedbyclient")
        )
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{app.url}{path}")
        if name is not None:
            page.get_by_role("button", name="Log in").click()
            page.locator("input[name=login]").fill(name)
            page.locator("input[name=password]").fill("whatever")
            page.get_by_role("button", name="Sign-in").click()
            page.get_by_role("button", name="Continue").click()
            page.wait_for_url(f"{app.url}/**")
        return page

    yield go
    for context in contexts:
        context.close()


def test_a_stranger_sees_a_login_and_nothing_else(visit):
    page = visit("/trials?dataset=tiny&session=01&run=01&trial=1")
    page.get_by_role("button", name="Log in").wait_for()
    assert not page.get_by_text("Session").count()
    assert not page.locator('[data-testid="stSelectbox"]').count()


def test_somebody_of_the_lab_comes_in(visit):
    page = visit("/", "ada@lab.example")
    page.get_by_text("tiny").first.wait_for()
    assert not page.get_by_role("button", name="Log in").count()


def test_somebody_else_is_told_whom_to_ask(visit):
    page = visit("/", "eve@else.example")
    page.get_by_text("eve@else.example has no role here").wait_for()
    page.get_by_role("button", name="Log out").wait_for()


def test_an_address_that_the_provider_has_not_verified_is_nobody(visit):
    page = visit("/", "unverified@lab.example")
    page.get_by_text("has no role here").wait_for()
