"""A subject of the tiny dataset, opened through the public door, and a place for jobs."""

import pytest

import thingsviz as tv
from models.catalog.config import CONFIGS
from models.catalog.registry import MODELS


@pytest.fixture
def sub(tiny_env):
    return tv.load_subject("tiny")


@pytest.fixture
def split(sub):
    return sub.split(seed=0)


@pytest.fixture(autouse=True)
def _forget():
    """Leave the registry as it was."""
    before = set(MODELS)
    yield
    for name in set(MODELS) - before:
        del MODELS[name], CONFIGS[name]
