"""Where and how precisely a network computes: the one place that knows lightning-fabric."""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from models.config import FitConfig
from models.errors import ModelError


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

    def to_device(self, x: Tensor) -> Tensor:
        """Move a tensor."""
        return x.to(self.device)


def make_fabric(config: FitConfig) -> FabricLike:
    """Make a single-device Fabric for the config's device and precision.

    lightning_fabric is imported here, not with the module: it takes 1.3 s beyond torch. Told where
    it runs, it does not look for a cluster: with SLURM installed it would write a hint on `srun`
    into every log, and believe the variables of whatever allocation it was started in.
    """
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment

    device = pick_device(config)
    precision = pick_precision(config, device)
    kind: Literal["bf16-mixed", "32-true"]
    kind = "bf16-mixed" if precision == "bfloat16" else "32-true"
    fabric = Fabric(
        accelerator=device, devices=1, precision=kind, plugins=[LightningEnvironment()]
    )
    return FabricLike(fabric, precision)


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
