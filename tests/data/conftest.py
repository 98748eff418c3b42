"""A little subject in the published layout, fresh for each test that may break it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.data import published
from thingsviz.data.prepare.build import build_store
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset


@pytest.fixture(scope="session")
def _written(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("published") / "little"
    published.write_subject(root)
    return root


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    monkeypatch.delenv("THINGSVIZ_DERIVATIVES", raising=False)
    monkeypatch.delenv("THINGSVIZ_DATA", raising=False)


@pytest.fixture
def little(_written, tmp_path) -> Dataset:
    """The dataset, not prepared, for one test alone."""
    root = tmp_path / "little"
    shutil.copytree(_written, root)
    return Dataset(root)


@pytest.fixture
def store(little) -> BetaStore:
    """The prepared store of `little`."""
    build_store(little, "sub-01")
    return BetaStore.open(little, "sub-01")
