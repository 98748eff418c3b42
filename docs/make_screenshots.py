"""Make the pictures of the documentation: each page of the app with simulated data, both themes.

    python docs/make_screenshots.py                      makes what is missing, then all pictures
    python docs/make_screenshots.py --only trials,brain  some of them

Run it from the repository with an environment that holds the app, playwright and chromium. Data
and trainings are made once below --work (about 2 GB, half an hour on two cores) and used again.
The data are SIMULATED, and every page says so.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
IMAGES = Path(__file__).parent / "images"
# the Server page shows this path
WORK = Path(tempfile.gettempdir()) / "thingsviz-pictures"
WIDTH, HEIGHT = 1280, 860
THEMES = ("light", "dark")
BUSY = '[data-testid="stStatusWidget"], [data-testid="stSpinner"], [data-testid="stSkeleton"]'
# WebGL without a GPU
FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
DATA = {"dataset": "demo", "subject": "sub-01"}
TARGETS = ["manmade", "precious", "lives", "heavy", "natural", "moves", "grasp", "hold"]
TRANSFORMER: dict[str, Any] = {
    "model": {
        "name": "vit3d",
        "tokens": "brain",
        "n_selected_tokens": 64,
        "score_power": 0.5,
        "patch_embedding": "local",
        "embed_dim": 64,
        "n_layers": 2,
        "n_heads": 8,
        "mlp_ratio": 2,
        "input_dropout": 0.5,
        "pooling": "sum",
        "final_norm": False,
        "start": "mean",
    },
    "fit": {
        "epochs": 8,
        "batches_per_epoch": None,
        "batch_size": 64,
        "learning_rate": 5e-4,
        "weight_decay": 0.05,
        "early_stopping": 3,
        "precision": "float32",
    },
}
JOBS: dict[str, dict[str, Any]] = {
    "ridge": {"model": {"name": "ridge"}},
    "concept-decoder": {"model": {"name": "concept_decoder"}},
    "transformer": TRANSFORMER,
}
STUDY: dict[str, Any] = {
    "name": "learning-rate",
    # few epochs: it is about the page, not about the best rate
    "base": {
        "name": "learning-rate",
        **DATA,
        "targets": TARGETS,
        "model": TRANSFORMER["model"],
        "fit": TRANSFORMER["fit"] | {"epochs": 3},
    },
    "space": {
        "fit.learning_rate": {"kind": "float", "low": 5e-5, "high": 5e-3, "log": True},
        "model.input_dropout": {"kind": "float", "low": 0.0, "high": 0.8},
    },
    "n_candidates": 6,
    "controls": ["default"],
}


class Shot(NamedTuple):
    """A picture: a page, its address, its height in pixels, and how long its 3-D scene takes."""

    page: str
    query: str = ""
    height: int = HEIGHT
    wait_s: float = 0.0


HERE = "dataset=demo&subject=sub-01"
TRIAL = f"{HERE}&session=1&run=1&trial=4"
SHOTS: dict[str, Shot] = {
    "home": Shot("home"),
    "trials": Shot("trials", TRIAL, height=1560),
    "brain": Shot("brain", TRIAL, height=1200, wait_s=20),
    "train": Shot("train", HERE),
    "training": Shot("train", f"{HERE}&job=transformer", height=1000),
    "jobs": Shot("jobs"),
    "tune": Shot("tune", f"{HERE}&study=learning-rate"),
    "predictions": Shot("predictions", f"{HERE}&job=concept-decoder", height=1500),
    "compare": Shot("compare", f"{HERE}&jobs=concept-decoder,ridge,transformer", height=1300),
    "attention": Shot("attention", f"{HERE}&job=transformer", height=1700, wait_s=25),
    "leaderboard": Shot("leaderboard", HERE, height=1300),
    "learning": Shot("learning", HERE, height=1100),
    "server": Shot("server"),
}


def main(argv: list[str] | None = None) -> int:
    """Make data, trainings and pictures; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make the pictures of the documentation.")
    parser.add_argument("--work", type=Path, default=WORK, help="data and jobs")
    parser.add_argument("--only", default=",".join(SHOTS), help="pictures, with commas between")
    parser.add_argument("--no-make", action="store_true", help="take data and jobs as they are")
    options = parser.parse_args(argv)
    chosen = options.only.split(",")
    unknown = [name for name in chosen if name not in SHOTS]
    if unknown:
        parser.error(f"there is no picture {unknown[0]!r}: choose from {', '.join(SHOTS)}")
    work = options.work.absolute()
    if not options.no_make:
        make_content(work)
    with running_app(work) as url, sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        for name in chosen:
            for theme in THEMES:
                take(browser, url, name, theme)
        browser.close()
    return 0


def environment(work: Path) -> dict[str, str]:
    """Return the settings under which app and commands run."""
    own = {
        "THINGSVIZ_DATA": str(work / "data"),
        "THINGSVIZ_JOBS": str(work / "jobs"),
        "THINGSVIZ_ACCESS": "open",
        "THINGSVIZ_OPEN_ROLE": "administer",
    }
    return os.environ | own


def make_content(work: Path) -> None:
    """Simulate and prepare a subject, train, make maps; what is there already is left alone."""
    demo, jobs = work / "data" / "demo", work / "jobs"
    run(work, "plant", str(demo), "--preset", "demo", "--seed", "1", "--if-missing")
    run(work, "prepare", str(demo), "--subject", "sub-01")
    for name, recipe in JOBS.items():
        config = {"name": name, **DATA, "targets": TARGETS, **recipe}
        if state_of(write_config(jobs / name, config)) != "done":
            run(work, "train", str(jobs / name))
    methods = "attention,rollout,gradient_input,occlusion,pattern"
    run(work, "maps", str(jobs / "transformer"), "--part", "test", "--methods", methods, "--judge")
    run(work, "leaderboard", str(demo), "--subject", "sub-01")
    run(work, "learning_curves", str(demo), "--subject", "sub-01", "--model", "ridge")
    study = jobs / ".studies" / STUDY["name"]
    if state_of(write_config(study, STUDY)) != "done":
        run(work, "tune", str(study))


def write_config(folder: Path, config: dict[str, Any]) -> Path:
    """Write a recipe into its folder, unless one is there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "config.json").exists():
        (folder / "config.json").write_text(json.dumps(config, indent=1))
    return folder


def state_of(folder: Path) -> str:
    """Return the state that a job or study has reached, '' before it starts."""
    path = folder / "status.json"
    return str(json.loads(path.read_text()).get("state", "")) if path.exists() else ""


def run(work: Path, command: str, *arguments: str) -> None:
    """Run one of the commands; its words go to the terminal."""
    line = [sys.executable, "-m", f"thingsviz.jobs.{command}", *arguments]
    subprocess.run(line, cwd=ROOT, env=environment(work), check=True)


@contextmanager
def running_app(work: Path) -> Iterator[str]:
    """Start the app on a free port, and stop it in the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    process = subprocess.Popen(
        [*line, "--server.headless", "true"], cwd=ROOT, env=environment(work)
    )
    url = f"http://localhost:{port}"
    try:
        wait_for(f"{url}/_stcore/health", process)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 90) -> None:
    """Wait until the app answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).read()
        except OSError:
            time.sleep(0.3)
        else:
            return
    msg = f"the app did not answer at {url} within {seconds:g} s: see its words above"
    raise SystemExit(msg)


def take(browser: Browser, url: str, name: str, theme: str) -> None:
    """Open a page, wait until it rests, and write its picture as WebP."""
    shot = SHOTS[name]
    scheme = "dark" if theme == "dark" else "light"
    context = browser.new_context(
        viewport={"width": WIDTH, "height": shot.height}, color_scheme=scheme
    )
    page = context.new_page()
    page.set_default_timeout(120_000)
    # the first page has no address of its own
    path = "" if shot.page == "home" else shot.page
    page.goto(f"{url}/{path}{'?' + shot.query if shot.query else ''}")
    settle(page)
    page.wait_for_timeout(1000 * shot.wait_s)
    settle(page)
    if page.locator('[data-testid="stException"]').count():
        msg = f"the page {name!r} shows an exception: no picture of it is made"
        raise SystemExit(msg)
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").save(IMAGES / f"{name}-{theme}.webp", quality=82, method=6)
    context.close()


def settle(page: Page, seconds: float = 180) -> None:
    """Wait until nothing runs and the page's text has stood still for a second."""
    end, still, last = time.monotonic() + seconds, 0, (-1, -1)
    while time.monotonic() < end and still < 4:
        page.wait_for_timeout(250)
        now = (page.locator(BUSY).count(), page.evaluate("document.body.innerText.length"))
        still = still + 1 if now == last and now[0] == 0 and now[1] > 0 else 0
        last = now
    if still < 4:
        msg = f"{page.url} did not come to rest within {seconds:g} s"
        raise SystemExit(msg)


if __name__ == "__main__":
    sys.exit(main())
