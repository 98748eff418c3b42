import warnings

import pytest
import torch

from models.base.errors import ModelError
from models.training.config import FitConfig
from models.training.distributed import fabric as devices


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_said():
    with pytest.raises(ModelError, match="no GPU here: use 'auto' or 'cpu'"):
        devices.pick_device(FitConfig(device="cuda"))
    assert devices.pick_device(FitConfig()) == "cpu"


@pytest.mark.parametrize(("native", "expected"), [(True, "bfloat16"), (False, "float32")])
def test_auto_precision_follows_the_processor(monkeypatch, native, expected):
    monkeypatch.setattr(devices, "has_native_bfloat16", lambda: native)
    assert devices.pick_precision(FitConfig(), "cpu") == expected
    assert devices.pick_precision(FitConfig(precision="float32"), "cpu") == "float32"


def test_bfloat16_keeps_weights_in_float32():
    fabric = devices.make_fabric(FitConfig(precision="bfloat16", device="cpu"))
    linear = torch.nn.Linear(4, 4)
    seen = []
    linear.register_forward_hook(lambda m, x, y: seen.append(y.dtype))
    fabric.setup_module(linear)(torch.ones(2, 4))
    assert seen == [torch.bfloat16]
    assert linear.weight.dtype == torch.float32


@pytest.mark.parametrize("within", [{}, {"SLURM_NTASKS": "2", "SLURM_JOB_NAME": "train"}])
def test_a_cluster_s_presence_is_neither_mentioned_nor_believed(tmp_path, monkeypatch, within):
    srun = tmp_path / "srun"
    srun.write_text("#!/bin/sh\n")
    srun.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for name, value in within.items():
        monkeypatch.setenv(name, value)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        fabric = devices.make_fabric(FitConfig(device="cpu"))
    assert not [str(w.message) for w in said if "srun" in str(w.message)]
    assert fabric._fabric.world_size == 1
