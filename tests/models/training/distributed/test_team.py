"""Two processes train as one does: same losses, same weights, one going on from the other."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from models.base.errors import ModelError
from models.training.config import FitConfig
from models.training.distributed.processes import Processes, check_processes, parts_of, processes
from models.training.distributed.team import Team
from tests.models.training.distributed import team_work
from tests.models.training.distributed.team_work import CASES, STOPS_AT, train

REPO = Path(__file__).parents[4]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_two(*arguments: str) -> list[subprocess.Popen]:
    """Start a module as torchrun would, without the two seconds that torchrun itself takes."""
    shared = {"TORCHELASTIC_RUN_ID": "test", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    shared |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "GROUP_RANK": "0"}
    return [
        subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=REPO,
            env={**os.environ, **shared, "RANK": rank, "LOCAL_RANK": rank, "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in "01"
    ]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The folder in which two processes have trained all cases."""
    folder = tmp_path_factory.mktemp("team")
    assert len(train("vit3d", folder / "to_two", stop_after=STOPS_AT)) == STOPS_AT
    both = start_two("tests.models.training.distributed.team_work", str(folder))
    said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert said == ["", ""]
    return folder


@pytest.fixture(scope="module")
def found(root):
    return [json.loads((root / f"{rank}.json").read_text()) for rank in (0, 1)]


def numbers(rows):
    return np.array([[np.nan if value is None else value for value in row] for row in rows], float)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Losses and weights of the same trainings in one process, made once each."""
    folder, made = tmp_path_factory.mktemp("whole"), {}

    def make(name):
        if name not in made:
            rows = numbers(train(name, folder / name))
            made[name] = rows, load_file(folder / name / "best.safetensors")
        return made[name]

    return make


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("cnn")])
def test_two_processes_have_the_losses_of_one(name, root, found, whole):
    rows, weights = whole(name)
    np.testing.assert_allclose(numbers(found[0][name]), rows, atol=1e-5, rtol=1e-5)
    shared = load_file(root / name / "best.safetensors")
    assert shared.keys() == weights.keys()
    assert np.isfinite(rows[:, 0]).sum() >= 8


@pytest.mark.parametrize("name", ["cnn3d", "cnn_vit"])
def test_batch_norm_is_over_the_trials_of_both(name, root, found, whole):
    """Training losses and weights are those of one process; validation follows the biases.

    A bias before BatchNorm has no gradient but rounding, which Adam makes a step of: it wanders,
    BatchNorm takes it away again, but its running mean in validation lags a little behind.
    """
    rows, weights = whole(name)
    shared = load_file(root / name / "best.safetensors")
    got = numbers(found[0][name])
    np.testing.assert_allclose(got[:, 0], rows[:, 0], atol=1e-5)
    np.testing.assert_allclose(got[:, 1], rows[:, 1], atol=0.02)
    before_norm = ("convolution.bias", "blocks.0.bias", "blocks.4.bias", "blocks.8.bias")
    idle = (*before_norm, "running_mean", "qkv.bias")
    for key in weights:
        if not key.endswith(idle):
            np.testing.assert_allclose(shared[key], weights[key], atol=1e-4, err_msg=key)


def test_the_second_process_says_nothing_and_knows_all(found):
    for name in CASES:
        assert found[1][name] == found[0][name]


def test_one_goes_on_from_two(root, found, whole):
    rows, weights = whole("vit3d")
    begun = numbers(found[0]["to_one"])
    assert len(begun) == STOPS_AT
    rest = numbers(train("vit3d", root / "to_one"))
    np.testing.assert_allclose(np.concatenate([begun, rest]), rows, atol=1e-5, rtol=1e-5)
    ended = load_file(root / "to_one" / "best.safetensors")
    for key in weights:
        np.testing.assert_allclose(ended[key], weights[key], atol=2e-3, err_msg=key)


def test_two_go_on_from_one(root, found, whole):
    rows, _ = whole("vit3d")
    rest = numbers(found[0]["to_two"])
    np.testing.assert_allclose(rest, rows[STOPS_AT:], atol=1e-5, rtol=1e-5)


def test_what_goes_wrong_is_one_sentence_in_both(found):
    first, second = (part["faults"] for part in found)
    assert "do not see the same data, recipe and saved state" in first[0]
    assert first[1].startswith("the loss became nan in epoch 1, batch 1: lower")
    assert first[:2] == second[:2]
    assert second[2] == "the disk of the second machine is gone"
    assert first[2] == "process 2 of 2: the disk of the second machine is gone"


@pytest.mark.parametrize(("n", "size"), [(13, None), (13, 5), (1, None), (2, 1)])
def test_shares_make_up_the_batch(n, size):
    alone = parts_of(n, size, Processes())
    assert [part.batch for part in alone] == [part.own for part in alone]
    trials = []
    for rank in range(3):
        parts = parts_of(n, size, Processes(rank, 3, 3))
        assert [part.whole for part in parts] == [part.whole for part in alone]
        own = np.concatenate([np.arange(n)[part.batch] for part in parts])
        assert [list(own[part.own]) for part in parts] == [
            list(np.arange(n)[part.batch]) for part in parts
        ]
        trials += list(own)
    assert sorted(trials) == list(range(n))


TORCHRUN = {"TORCHELASTIC_RUN_ID": "7", "RANK": "3", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}
SRUN = {"SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_NUM_NODES": "2", "SLURM_PROCID": "3"}


def test_the_environment_says_which_process_it_is():
    assert processes({}) == Processes()
    assert processes(TORCHRUN) == Processes(3, 4, 2, "torchrun")
    assert processes(SRUN) == Processes(3, 4, 2, "srun")
    assert processes(SRUN).n_nodes == 2
    assert str(processes(SRUN)) == "process 4 of 4"
    assert processes({**TORCHRUN, "WORLD_SIZE": "1", "RANK": "0"}) == Processes()
    # a batch script of several tasks is one process until srun starts them
    assert processes({"SLURM_NTASKS": "4", "SLURM_PROCID": "0"}) == Processes()


def test_an_environment_without_its_numbers_is_refused():
    with pytest.raises(ModelError, match=r"RANK is '', but a number was expected: start it with"):
        processes({"TORCHELASTIC_RUN_ID": "7"})


def test_more_processes_than_trials_are_refused():
    fit = FitConfig(batch_size=2)
    check_processes(fit, Processes(0, 2, 2))
    with pytest.raises(ModelError, match=r"3 processes cannot share 2 trials \(batch_size\)"):
        check_processes(fit, Processes(0, 3, 3))
    small = FitConfig(batch_size=8, micro_batch_size=2)
    with pytest.raises(ModelError, match=r"start at most 2, or make micro_batch_size larger"):
        check_processes(small, Processes(0, 3, 3))
    with pytest.raises(ModelError, match="5 processes do not divide evenly over 2 machines"):
        check_processes(FitConfig(), Processes(0, 5, 2))


def test_alone_nothing_is_sent():
    team, values = Team(), {"validation_loss": 0.5}
    assert team.alone
    assert team.as_first(values) is values
    assert team.any(True)
    assert not team.any(False)
    team.check_same(3, "data")
    team.leave_note("nobody reads it")
    assert team.explain(RuntimeError("Connection closed by peer")) is None


def test_the_sentence_for_a_process_that_was_killed(monkeypatch):
    team = Team(Processes(0, 2, 2))
    monkeypatch.setattr("models.training.distributed.team._store", lambda: NoStore())
    found = team.explain(RuntimeError("[x.cc:81] Connection closed by peer [127.0.0.1]:5"))
    assert str(found).startswith("another of the 2 processes ended without a word (killed, or")
    assert team.explain(RuntimeError("mat1 and mat2 shapes cannot be multiplied")) is None


class NoStore:
    def check(self, keys):
        msg = "Connection reset by peer"
        raise RuntimeError(msg)


def test_the_cases_are_uneven_on_purpose():
    sizes = [len(part) for part in np.array_split(np.arange(team_work.N_TRAIN), [13, 26, 39])]
    assert sizes == [13, 13, 13, 1]
