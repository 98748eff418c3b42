"""A subject of the tiny dataset, opened through the public door, and a place for jobs."""

import pytest

import thingsviz as tv


@pytest.fixture
def sub(tiny_env):
    return tv.load_subject("tiny")


@pytest.fixture
def split(sub):
    return sub.split(seed=0)
