"""How weights move: AdamW or Adam in two groups, clipping, warm-up, and the plateau schedule."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from models.base.network import Network
from models.training.config import FitConfig
from models.training.state import load_optimizer, optimizer_state

PLATEAU_FACTOR, PLATEAU_PATIENCE = 0.5, 2


class Optimizer:
    """AdamW or Adam over the embedding and the rest; `rate` is the rest's learning rate now."""

    def __init__(self, network: Network, config: FitConfig) -> None:
        self.config = config
        freeze_embedding(network, config)
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        groups = _groups(network, config)
        kind = torch.optim.Adam if config.optimiser == "adam" else torch.optim.AdamW
        self.optimizer = kind(groups, weight_decay=config.weight_decay, fused=True)
        self.plateau = ReduceLROnPlateau(
            self.optimizer, factor=PLATEAU_FACTOR, patience=PLATEAU_PATIENCE
        )

    @property
    def rate(self) -> float:
        """Learning rate of all but the embedding."""
        return float(self.optimizer.param_groups[0]["lr"])

    def step(self, step: int) -> None:
        """Move the weights by the gradients that were added up, and forget these."""
        if step < self.config.warmup_batches:
            for group in self.optimizer.param_groups:
                group["lr"] = group["full_lr"] * (step + 1) / self.config.warmup_batches
        if self.config.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.config.gradient_clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def end_epoch(self, validation_loss: float) -> None:
        """Let the schedule see the validation loss."""
        if self.config.schedule == "plateau":
            self.plateau.step(validation_loss)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and JSON-ready facts."""
        tensors, groups = optimizer_state(self.optimizer)
        plateau = {
            name: value
            for name, value in self.plateau.state_dict().items()
            if isinstance(value, int | float | str | list | None)
        }
        return tensors, {"groups": groups, "plateau": plateau}

    def load(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Put back what `state` gave."""
        load_optimizer(self.optimizer, tensors, facts["groups"])
        self.plateau.load_state_dict(facts["plateau"])


def freeze_embedding(network: Network, config: FitConfig) -> None:
    """Take the embedding out of the training where its learning rate is 0; undo it elsewhere."""
    for parameter in network.embedding_parameters():
        parameter.requires_grad_(config.embedding_learning_rate != 0)


def _groups(network: Network, config: FitConfig) -> list[dict[str, Any]]:
    embedding = [p for p in network.embedding_parameters() if p.requires_grad]
    own = {id(p) for p in network.embedding_parameters()}
    rest = [p for p in network.parameters() if id(p) not in own]
    rates = config.learning_rate, config.embedding_learning_rate or config.learning_rate
    return [
        {"params": parameters, "lr": rate, "full_lr": rate}
        for parameters, rate in zip((rest, embedding), rates, strict=True)
        if parameters
    ]
