"""What every network shares: targets on two scales, the optimiser's groups, numpy predictions."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.base.arrays import Floats
from models.base.settings import Settings


class TargetScale(nn.Module):
    """Ratings as given ⇄ ratings as learned: z = (y − mean) / sd, per target.

    mean and sd (n_targets,) are buffers, so they travel with the weights; before `fit` they are
    0 and 1.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, n_targets: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_targets))
        self.register_buffer("sd", torch.ones(n_targets))

    def fit(self, Y: Floats) -> None:
        """Take mean and sd over the fitting trials, Y (n_trials, n_targets)."""
        given = torch.as_tensor(Y, dtype=torch.float64)
        sd = given.std(0, unbiased=False)
        self.mean.copy_(given.mean(0))
        self.sd.copy_(torch.where(sd > 0, sd, torch.ones_like(sd)))

    def learned(self, y: Tensor) -> Tensor:
        """Given scale → learned scale."""
        return (y - self.mean) / self.sd

    def given(self, z: Tensor) -> Tensor:
        """Learned scale → given scale."""
        return z * self.sd + self.mean


class Network(nn.Module):
    """A network from responses to ratings.

    `forward` gives ratings on the learned scale, `predict` on the given one. Responses are
    masked vectors (B, n_voxels) in the C order of the brain mask, or dense (B, X, Y, Z). The
    buffer `brain` (n_voxels,) holds the mask's flat indices, so that weights know their brain.
    """

    brain: Tensor
    config: Settings

    def __init__(self, config: Settings, mask: NDArray[np.bool_], n_targets: int) -> None:
        super().__init__()
        self.config = config
        self.n_targets = n_targets
        self.register_buffer("brain", torch.as_tensor(np.flatnonzero(mask)))
        self.target_scale = TargetScale(n_targets)

    @property
    def starts_fitted(self) -> bool:
        """Whether training begins with fitting a linear decoder (models.training.warm_start)."""
        return False

    def predict(self, x: Tensor) -> Tensor:
        """Ratings (B, n_targets) on the scale of the Y that was fitted."""
        ratings: Tensor = self.target_scale.given(self(x).float())
        return ratings

    def embedding_parameters(self) -> list[nn.Parameter]:
        """Parameters that may have a learning rate of their own."""
        return []
