"""Where and how precisely a network computes: the one place that knows lightning-fabric."""

from __future__ import annotations

import logging
import os
import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from models.base.errors import ModelError
from models.training.config import FitConfig
from models.training.distributed.processes import Processes
from models.training.distributed.team import PATIENCE, Team

Kind = Literal["bf16-mixed", "32-true"]


class FabricLike:
    """The few things that the loop asks of a Fabric, typed."""

    def __init__(self, fabric: Any, precision: str) -> None:  # noqa: ANN401
        self._fabric = fabric
        self.precision = precision

    @property
    def device(self) -> torch.device:
        """Where tensors go."""
        return cast("torch.device", self._fabric.device)

    def setup_module(self, network: nn.Module) -> nn.Module:
        """Wrap for precision; the parameters stay those of `network`."""
        return cast("nn.Module", self._fabric.setup_module(network))

    def backward(self, loss: Tensor) -> None:
        """Add up gradients."""
        self._fabric.backward(loss)

    def without_sync(self, module: nn.Module, *, enabled: bool) -> AbstractContextManager[None]:
        """Keep gradients in this process, while more parts of the batch are to come."""
        if not enabled:
            return nullcontext()
        return cast("AbstractContextManager[None]", self._fabric.no_backward_sync(module))

    def to_device(self, x: Tensor) -> Tensor:
        """Move a tensor."""
        return x.to(self.device)


def make_fabric(config: FitConfig, here: Processes | None = None) -> FabricLike:
    """Make a Fabric for the config's device and precision; several processes share by DDP.

    lightning_fabric is imported here, not with the module: it takes 1.3 s beyond torch. Told where
    it runs, it does not look for a cluster: with SLURM installed it would write a hint on `srun`
    into every log, and believe the variables of whatever allocation it was started in.
    """
    device = pick_device(config)
    precision = pick_precision(config, device)
    kind: Kind = "bf16-mixed" if precision == "bfloat16" else "32-true"
    return FabricLike(_fabric(device, kind, here or Processes()), precision)


def join(here: Processes) -> Team:
    """Connect this process with the others that were started with it; waits until all are there.

    Numbers on CPUs travel by gloo, those on GPUs by NCCL.
    """
    if here.size == 1:
        return Team()
    import lightning_fabric

    logging.getLogger(lightning_fabric.__name__).setLevel(logging.WARNING)
    # said of every convolution of one channel, once a process
    warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
    _fabric("cpu", "32-true", here)
    return Team(here)


def _fabric(device: str, kind: Kind, here: Processes) -> Any:  # noqa: ANN401
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment

    if here.size == 1:
        alone = LightningEnvironment()
        return Fabric(accelerator=device, devices=1, precision=kind, plugins=[alone])
    if device == "cuda" and torch.cuda.device_count() < here.local_size:
        msg = (
            f"{here.local_size} processes on this machine need a GPU each, but torch sees "
            f"{torch.cuda.device_count()}: start fewer, or set device to 'cpu'"
        )
        raise ModelError(msg)
    fabric = Fabric(
        accelerator=device,
        devices=here.local_size,
        num_nodes=here.n_nodes,
        strategy=_strategy(),
        precision=kind,
        plugins=[_environment(here)],
    )
    fabric.launch()
    return fabric


def _strategy() -> Any:  # noqa: ANN401
    from lightning_fabric.strategies.ddp import DDPStrategy

    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    # Buffers are the same everywhere: BatchNorm's come from the trials of all processes.
    return DDPStrategy(process_group_backend=backend, timeout=PATIENCE, forward_sync_buffers=False)


def _environment(here: Processes) -> Any:  # noqa: ANN401
    from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    if here.started_by == "torchrun":
        return TorchElasticEnvironment()
    # Fabric wants to know it, srun --ntasks does not set it
    os.environ.setdefault("SLURM_NTASKS_PER_NODE", str(here.local_size))
    return SLURMEnvironment(auto_requeue=False)


def pick_device(config: FitConfig) -> str:
    """Turn "auto" into "cuda" or "cpu"; refuse a GPU that is not there."""
    if config.device == "cuda" and not torch.cuda.is_available():
        msg = "device is 'cuda', but torch sees no GPU here: use 'auto' or 'cpu'"
        raise ModelError(msg)
    if config.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return config.device


def pick_precision(config: FitConfig, device: str) -> str:
    """Turn "auto" into bfloat16 where the hardware multiplies it natively, else float32."""
    if config.precision != "auto":
        return config.precision
    if device == "cuda":
        return "bfloat16" if torch.cuda.get_device_capability()[0] >= 8 else "float32"
    return "bfloat16" if has_native_bfloat16() else "float32"


def has_native_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 natively (AVX-512 BF16 or AMX)."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
