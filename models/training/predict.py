"""A network's outputs for many trials, batch by batch, without gradients."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from models.base.arrays import Floats, Rows, TrialMatrix
from models.base.network import Network
from models.training.batches import read_ahead
from models.training.config import FitConfig
from models.training.distributed.fabric import FabricLike, make_fabric


def forward_all(
    fabric: FabricLike, model: torch.nn.Module, X: TrialMatrix, rows: Rows, size: int
) -> Tensor:
    """Outputs (len(rows), n_targets) on the learned scale, on the CPU, without gradients."""
    batches = [rows[i : i + size] for i in range(0, len(rows), size)]
    model.eval()
    with torch.no_grad():
        out = [
            model(fabric.to_device(torch.from_numpy(block))).float().cpu()
            for _, block in read_ahead(X, batches)
        ]
    return torch.cat(out)


def predict_network(
    network: Network, X: TrialMatrix, rows: Rows, config: FitConfig | None = None
) -> Floats:
    """Ratings (len(rows), n_targets) on the scale of the Y that was fitted.

    `config` brings device, precision and batch size; without it float32 on what there is.
    """
    config = config or FitConfig(batch_size=64, precision="float32")
    if not len(rows):
        return np.empty((0, network.n_targets), np.float32)
    fabric = make_fabric(config)
    model = fabric.setup_module(network)
    size = config.micro_batch_size or config.batch_size
    learned = forward_all(fabric, model, X, rows, size)
    given: Floats = network.target_scale.given(fabric.to_device(learned)).cpu().numpy()
    return given
