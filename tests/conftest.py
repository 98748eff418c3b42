"""The planted subject and the real tables that tests of several rooms share."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.flaky import (  # noqa: F401
    pytest_collection_modifyitems,
    pytest_sessionfinish,
    pytest_terminal_summary,
)
from tests.trainings import make_job, make_vit, run, small_training  # noqa: F401

REPO = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _main_again():
    """Undo what a page under AppTest leaves as `__main__`: a spawned process would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def rng():
    return np.random.default_rng(20)


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real tables and pictures; tests that need it are skipped where it is not."""
    folder = Path(os.environ.get("THINGSVIZ_REAL", REPO.parent / "shared" / "real"))
    if not (folder / "conditions").is_dir():
        pytest.skip("no real tables here: set THINGSVIZ_REAL to a folder with conditions/")
    return folder


@contextmanager
def _one_at_a_time(path: Path):
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """A datasets root that holds the planted and prepared dataset `tiny`; do not write to it.

    Made once for all workers of a test run: the first that comes plants, the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    root = shared / "datasets"
    with _one_at_a_time(shared / "datasets.lock"):
        if not (root / "tiny").exists():
            from thingsviz.commands import prepare, simulate

            assert simulate.main([str(root / "tiny"), "--preset", "tiny", "--seed", "7"]) == 0
            assert prepare.main([str(root / "tiny"), "--subject", "sub-01"]) == 0
    return root


@pytest.fixture
def tiny_copy(tiny, tmp_path) -> Path:
    """A copy of `tiny` that a test may break."""
    root = tmp_path / "datasets"
    shutil.copytree(tiny, root)
    return root


@pytest.fixture
def tiny_env(tiny, tmp_path, monkeypatch) -> Path:
    """Point THINGSVIZ_DATA at the tiny dataset and THINGSVIZ_JOBS at the empty folder given."""
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    monkeypatch.setenv("THINGSVIZ_DATA", str(tiny))
    monkeypatch.setenv("THINGSVIZ_JOBS", str(jobs))
    monkeypatch.delenv("THINGSVIZ_DERIVATIVES", raising=False)
    return jobs
