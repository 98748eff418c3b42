"""Interrupted trainings must end as the uninterrupted one: every tensor, every reported number."""

import json
import random

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.base.errors import ModelError
from models.catalog.registry import blank_network, build_network
from models.training.checkpoint import newest_state, save_state
from models.training.loop import FitData, Hooks, fit_network
from models.training.state import load_random_state, random_state

N_BATCHES = 12  # 192 training trials in batches of 16


@pytest.fixture
def recipe(small, quick):
    return small, quick.model_copy(update={"epochs": 3, "early_stopping": 3, "warmup_batches": 5})


def data_of(planted):
    return FitData(planted.X, planted.Y, planted.train, planted.validation)


class Run:
    """Everything that one training leaves, gathered over its interruptions."""

    def __init__(self, planted, recipe, folder):
        self.planted, (self.model, self.fit), self.folder = planted, recipe, folder
        self.rows = []

    def go(self, stop_after=None, save_every_s=1e9, saves=None):
        """Train (or go on) until it asks to stop for the `stop_after`-th time."""
        asked = 0

        def should_stop():
            nonlocal asked
            asked += 1
            return stop_after is not None and asked > stop_after

        def save(state):
            save_state(self.folder, state)
            if saves is not None:
                saves.append(state)

        state = newest_state(self.folder)
        if state is not None:
            self.rows = self.rows[: state.facts["n_reports"]]
        network = (blank_network if state else build_network)(self.model, self.planted.mask, 3)
        hooks = Hooks(self.rows.append, should_stop, save, 5, save_every_s)
        result = fit_network(network, data_of(self.planted), self.fit, hooks, state)
        return network, result

    def ending(self, network, result):
        """Bytes of weights and generators, and all numbers that were reported."""
        generators, facts = random_state()
        return (
            {k: v.numpy().tobytes() for k, v in network.state_dict().items()},
            {k: v.numpy().tobytes() for k, v in generators.items()},
            json.dumps([facts, self.rows, result.history, result.best_value]),
        )


@pytest.fixture
def uninterrupted(planted, recipe, tmp_path):
    run = Run(planted, recipe, tmp_path / "whole")
    return run.ending(*run.go())


@pytest.mark.parametrize(
    "stops",
    [
        [0],  # before the first batch
        [1],
        [7],
        [N_BATCHES],  # after the last batch of an epoch, before its validation
        [N_BATCHES + 1],  # at the first batch of the second epoch
        [N_BATCHES + 6],
        [2 * N_BATCHES + 5],
        [4, 3, 11, 1, 0],  # again and again
        [1] * 9,
    ],
)
def test_interrupted_is_uninterrupted(planted, recipe, tmp_path, uninterrupted, stops):
    run = Run(planted, recipe, tmp_path / "parts")
    for stop in stops:
        _, result = run.go(stop_after=stop)
        assert not result.finished
        torch.manual_seed(random.randrange(10**6))  # whatever happens between two processes
        random.seed(5)
        np.random.seed(6)  # noqa: NPY002
    ending = run.ending(*run.go())
    assert ending == uninterrupted


def test_a_killed_training_goes_on_from_any_of_its_states(
    planted, recipe, tmp_path, uninterrupted
):
    """Killed, it leaves rows behind that its newest state does not know of: they are dropped."""
    first, saves = Run(planted, recipe, tmp_path / "first"), []
    first.go(save_every_s=0, saves=saves)
    assert len(saves) > 2 * N_BATCHES
    for number in (0, 3, N_BATCHES - 1, N_BATCHES, N_BATCHES + 1, len(saves) - 1):
        run = Run(planted, recipe, tmp_path / f"killed{number}")
        run.rows = list(first.rows)
        save_state(run.folder, saves[number])
        assert run.ending(*run.go()) == uninterrupted


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stops=st.lists(st.integers(0, 14), max_size=6))
def test_any_pattern_of_stops(planted, recipe, tmp_path_factory, uninterrupted, stops):
    run = Run(planted, recipe, tmp_path_factory.mktemp("any"))
    for stop in stops:
        if run.go(stop_after=stop)[1].finished:
            break
    assert run.ending(*run.go()) == uninterrupted


def test_a_finished_training_has_nothing_left_to_do(planted, recipe, tmp_path, uninterrupted):
    run = Run(planted, recipe, tmp_path)
    run.go()
    network, result = run.go()
    assert result.finished
    assert run.ending(network, result)[0] == uninterrupted[0]


def test_saving_changes_nothing(planted, recipe, tmp_path, uninterrupted):
    run = Run(planted, recipe, tmp_path)
    assert run.ending(*run.go(save_every_s=0)) == uninterrupted


def test_the_thread_count_is_recorded_and_set_again(planted, recipe, tmp_path):
    run = Run(planted, recipe, tmp_path)
    torch.set_num_threads(2)
    run.go(stop_after=2)
    assert newest_state(tmp_path).facts["threads"] == 2
    torch.set_num_threads(1)
    run.go(stop_after=1)
    assert torch.get_num_threads() == 2


def test_generators_come_back():
    tensors, facts = random_state()
    facts = json.loads(json.dumps(facts))
    draws = random.random(), np.random.rand(3).tolist(), torch.rand(3).tolist()  # noqa: NPY002
    load_random_state(tensors, facts)
    again = random.random(), np.random.rand(3).tolist(), torch.rand(3).tolist()  # noqa: NPY002
    assert again == draws


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("fit", r"has other settings \(learning_rate\): start a new job"),
        ("model", r"has another model \(n_layers\)"),
        ("data", r"has other data \(train\)"),
        ("ratings", r"has other data \(ratings\)"),
    ],
)
def test_a_state_of_something_else_is_refused(planted, recipe, tmp_path, change, words):
    run = Run(planted, recipe, tmp_path)
    run.go(stop_after=2)
    model, fit = recipe
    data = data_of(planted)
    if change == "fit":
        fit = fit.model_copy(update={"learning_rate": 1e-5})
    elif change == "model":
        model = model.model_copy(update={"n_layers": 1})
    elif change == "data":
        data = FitData(planted.X, planted.Y, planted.train[:-1], planted.validation)
    else:
        data = FitData(planted.X, planted.Y + 1, planted.train, planted.validation)
    with pytest.raises(ModelError, match=words):
        fit_network(
            build_network(model, planted.mask, 3), data, fit, resume=newest_state(tmp_path)
        )
