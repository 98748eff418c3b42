"""A planted subject so small that a test may plant it several times."""

from dataclasses import replace

import pytest

from thingsviz.data.planted import SimulationOrder, plant
from thingsviz.data.planted.presets import PRESETS

N_SESSIONS, N_RUNS, N_TRAIN, N_TEST, N_CATCH = 3, 2, 6, 2, 1
N_VOLUMES = N_TRAIN + N_TEST + N_CATCH
N_CONCEPTS = N_TRAIN * N_RUNS
N_TRIALS = N_SESSIONS * N_RUNS * N_VOLUMES


@pytest.fixture(scope="session", autouse=True)
def nano():
    """The preset `nano`: 0.4 s to plant."""
    preset = replace(
        PRESETS["tiny"],
        name="nano",
        shape=(12, 14, 10),
        n_sessions=N_SESSIONS,
        n_runs=N_RUNS,
        n_train=N_TRAIN,
        n_test=N_TEST,
        n_catch=N_CATCH,
    )
    PRESETS["nano"] = preset
    yield preset
    del PRESETS["nano"]


@pytest.fixture(scope="session")
def planted(nano, tmp_path_factory):
    """A planted dataset; do not write to it."""
    root = tmp_path_factory.mktemp("planted") / "nano"
    plant(root, SimulationOrder("nano", seed=3))
    return root
