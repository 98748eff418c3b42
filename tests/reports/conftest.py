"""Trainings of this room take one thread and few draws."""

import pytest


@pytest.fixture(autouse=True)
def _small(small_training):
    pass
