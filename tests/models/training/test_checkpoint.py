import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import SafetensorError, safe_open

from models.base.atomic_files import replacing
from models.base.errors import ModelError
from models.catalog.registry import build_network
from models.training.checkpoint import (
    load_network,
    load_tensors,
    newest_state,
    save_network,
    save_state,
    save_tensors,
)
from models.training.state import TrainingState

TENSORS = {"a": torch.arange(6.0).view(2, 3), "b/c": torch.tensor([1, 2], dtype=torch.int64)}
FACTS = {"epoch": 3, "batch": 7, "text": 'with "quotes" and "crc32":"00000000"', "x": [0.1, None]}


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / "a job with späces"
    folder.mkdir()
    return folder / "weights.safetensors"


def test_tensors_and_facts_come_back(path):
    save_tensors(path, TENSORS, FACTS)
    tensors, facts = load_tensors(path)
    assert facts == FACTS
    assert set(tensors) == set(TENSORS)
    assert all(
        torch.equal(tensors[k], v) and tensors[k].dtype == v.dtype for k, v in TENSORS.items()
    )
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_the_file_is_plain_safetensors(path):
    save_tensors(path, TENSORS, FACTS)
    with safe_open(path, "pt") as file:
        assert torch.equal(file.get_tensor("a"), TENSORS["a"])
        assert json.loads(file.metadata()["facts"]) == FACTS


def test_views_and_half_precision_can_be_saved(path):
    save_tensors(path, {"t": torch.arange(6.0).view(2, 3).T, "h": torch.ones(3).bfloat16()}, {})
    tensors, _ = load_tensors(path)
    assert torch.equal(tensors["t"], torch.arange(6.0).view(2, 3).T)
    assert tensors["h"].dtype == torch.bfloat16


def test_every_flipped_bit_is_noticed(path):
    save_tensors(path, TENSORS, FACTS)
    good = path.read_bytes()
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 1 << (place % 8)
        path.write_bytes(bad)
        with pytest.raises(ModelError, match=r"is damaged|is not a checkpoint|is of format"):
            load_tensors(path)


@pytest.mark.parametrize("length", [0, 4, 8, 20, 200, -1])
def test_a_cut_file_is_said(path, length):
    save_tensors(path, TENSORS, FACTS)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(
        ModelError, match=r"is damaged|not a checkpoint or was cut short"
    ) as caught:
        load_tensors(path)
    assert str(path) in str(caught.value)


def test_foreign_files_are_said(path):
    path.write_bytes(b"\x93NUMPY" + bytes(500))
    with pytest.raises(ModelError, match="is not a checkpoint or was cut short"):
        load_tensors(path)
    from safetensors.torch import save_file

    save_file(TENSORS, path)
    with pytest.raises(ModelError, match="is not a checkpoint"):
        load_tensors(path)
    save_file(TENSORS, path, {"format": "pt"})
    with pytest.raises(ModelError, match=r"is of format 'pt', but 'thingsviz-models-1'"):
        load_tensors(path)


def test_a_missing_file_is_said(path):
    with pytest.raises(ModelError, match=r"does not exist: train first"):
        load_tensors(path)


def test_infinity_in_the_facts_comes_back(path):
    save_tensors(path, TENSORS, {"best": float("inf")})
    assert load_tensors(path)[1] == {"best": float("inf")}


def test_a_network_comes_back(path, planted, small):
    random = small.model_copy(update={"start": "random"})
    network = build_network(random, planted.mask, 3).eval()
    network.target_scale.fit(planted.Y)
    save_network(path, network, {"best_epoch": 4})
    loaded, facts = load_network(path, random, planted.mask)
    assert facts == {"best_epoch": 4}
    x = torch.from_numpy(planted.X.array[:3])
    assert torch.equal(loaded.predict(x), network.predict(x))
    assert not loaded.training


def test_a_network_of_another_brain_is_refused(path, planted, small):
    save_network(path, build_network(small, planted.mask, 3), {})
    with pytest.raises(ModelError, match=r"brain mask \(240 voxels\).* another dataset or archi"):
        load_network(path, small, np.ones_like(planted.mask))
    shifted = np.roll(planted.mask, 1, axis=0)  # as many voxels, in other places
    with pytest.raises(ModelError, match="another dataset or architecture"):
        load_network(path, small, shifted)
    with pytest.raises(ModelError, match="another dataset or architecture"):
        load_network(path, small.model_copy(update={"n_layers": 1}), planted.mask)


def state_at(epoch, batch=0):
    tensors = {"network/w": torch.full((4,), float(epoch))}
    return TrainingState(tensors, {"epoch": epoch, "batch": batch})


def test_the_newest_two_states_are_kept(tmp_path):
    assert newest_state(tmp_path / "none yet") is None
    for epoch in (1, 2, 10, 100):
        save_state(tmp_path, state_at(epoch))
    assert newest_state(tmp_path).facts["epoch"] == 100
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_newest_state_falls_back_to_the_one_before(tmp_path):
    save_state(tmp_path, state_at(1))
    newest = save_state(tmp_path, state_at(2))
    newest.write_bytes(newest.read_bytes()[:-3])
    state = newest_state(tmp_path)
    assert state.facts["epoch"] == 1
    assert torch.equal(state.tensors["network/w"], torch.ones(4))


def test_going_on_from_the_older_state_removes_the_damaged_one(tmp_path):
    save_state(tmp_path, state_at(1))
    damaged = save_state(tmp_path, state_at(2))
    damaged.write_bytes(b"")
    save_state(tmp_path, state_at(1, 5))
    assert not damaged.exists()
    assert [p.name for p in sorted(tmp_path.iterdir())] == [
        "state-00001-000000.safetensors",
        "state-00001-000005.safetensors",
    ]


def test_when_all_are_damaged_the_newest_is_named(tmp_path):
    paths = [save_state(tmp_path, state_at(e)) for e in (1, 2)]
    for path in paths:
        path.write_bytes(b"\0" * 40)
    with pytest.raises(ModelError, match=r"state-00002-000000\.safetensors is not a checkpoint"):
        newest_state(tmp_path)


def test_a_failed_write_leaves_the_old_file(path, monkeypatch):
    save_tensors(path, TENSORS, FACTS)
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_tensors(path, TENSORS, {"epoch": 4})
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_leftovers_of_a_killed_writer_go(tmp_path):
    """safetensors writes beside the file under a name of its own, and leaves it when killed."""
    for name in (".tmpAbC123", ".state-00001-000000.safetensors.x.tmp"):
        (tmp_path / name).write_bytes(b"half")
    save_state(tmp_path, TrainingState(TENSORS, {"epoch": 1, "batch": 0}))
    assert [p.name for p in tmp_path.iterdir()] == ["state-00001-000000.safetensors"]


def test_a_full_disk_is_an_error_of_the_system(path, monkeypatch):
    def full(*_):
        raise SafetensorError("Error while serializing: I/O error: No space (os error 28)")

    monkeypatch.setattr("models.training.checkpoint.save_file", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        save_tensors(path, TENSORS, FACTS)
    assert caught.value.errno == errno.ENOSPC
    assert not list(path.parent.iterdir())


def test_the_mode_follows_the_umask(path):
    old = os.umask(0o027)
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(b"x")
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o640


WRITER = """
import sys, torch
from pathlib import Path
from models.training.checkpoint import save_state
from models.training.state import TrainingState
folder = Path(sys.argv[1])
for epoch in range(1, 10_000):
    tensors = {"w": torch.full((500_000,), float(epoch))}
    save_state(folder, TrainingState(tensors, {"epoch": epoch, "batch": 0}))
    print(epoch, flush=True)
"""


@pytest.mark.parametrize("delay", [0.0, 0.011, 0.023, 0.037])
def test_killed_while_writing_there_is_a_valid_state(tmp_path, delay):
    root = Path(__file__).parents[3]
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=root
    )
    seen = [int(process.stdout.readline()) for _ in range(4)][-1]
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    state = newest_state(tmp_path)
    assert state.facts["epoch"] >= seen
    assert state.tensors["w"].eq(state.facts["epoch"]).all()
    save_state(tmp_path, state)
    assert not list(tmp_path.glob(".*"))
    shutil.rmtree(tmp_path)
