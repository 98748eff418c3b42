"""The original study's classifiers: a linear layer, a hidden layer, three convolution blocks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from models.base.arrays import Floats, Mask
from models.base.errors import ModelError
from models.base.network import Network
from models.classify.config import CNN3DConfig, LogisticConfig, MLPConfig
from models.classify.voxel_choice import cnn_input, voxels_read


class _OnVoxels(Network):
    """A network that reads some voxels of a response; which ones travels with the weights."""

    voxels: Tensor

    def __init__(
        self,
        config: LogisticConfig | MLPConfig,
        mask: Mask,
        n_targets: int,
        score: Floats | None = None,
    ) -> None:
        super().__init__(config, mask, n_targets)
        self.register_buffer("voxels", torch.as_tensor(voxels_read(config, mask, score)))
        self.layers = self.build(config, len(self.voxels), n_targets)

    def build(
        self, config: LogisticConfig | MLPConfig, n_voxels: int, n_targets: int
    ) -> nn.Module:
        """Make the layers after the choice of voxels."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """(B, n_brain_voxels) or (B, X, Y, Z) → (B, n_targets)."""
        vector = masked(x, self.brain)
        out: Tensor = self.layers(vector.index_select(1, self.voxels))
        return out


class Logistic(_OnVoxels):
    """softmax(W x + b) once the loss is cross-entropy; a linear regression with squared error."""

    def build(
        self, config: LogisticConfig | MLPConfig, n_voxels: int, n_targets: int
    ) -> nn.Module:
        """Make the one layer."""
        layer = nn.Linear(n_voxels, n_targets)
        if isinstance(config, LogisticConfig) and config.start == "zero":
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        return layer


class MLP(_OnVoxels):
    """W₂ dropout(ReLU(W₁ x + b₁)) + b₂."""

    def build(
        self, config: LogisticConfig | MLPConfig, n_voxels: int, n_targets: int
    ) -> nn.Module:
        """Make both layers."""
        assert isinstance(config, MLPConfig)
        return nn.Sequential(
            nn.Linear(n_voxels, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, n_targets),
        )


class CNN3D(Network):
    """3 × [Conv3d(k 3, p 1) → BatchNorm → ReLU → pool] → Linear → ReLU → Dropout → Linear.

    The first two blocks pool by MaxPool(2), the last by the mean over the volume. Responses are
    put back into their volume, every `stride`-th voxel of it. The original study's Gaussian noise
    on the input is a setting of the training (FitConfig.noise_sd).
    """

    config: CNN3DConfig
    places: Tensor
    voxels: Tensor

    def __init__(
        self, config: CNN3DConfig, mask: Mask, n_targets: int, score: Floats | None = None
    ) -> None:
        super().__init__(config, mask, n_targets)
        self.shape, inside, at = cnn_input(config, mask)
        self.register_buffer("places", torch.as_tensor(inside))
        self.register_buffer("voxels", torch.as_tensor(at))
        a, b, c = config.channels
        self.blocks = nn.Sequential(
            *_block(1, a, nn.MaxPool3d(2)),
            *_block(a, b, nn.MaxPool3d(2)),
            *_block(b, c, nn.AdaptiveAvgPool3d(1)),
        )
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(c, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, n_targets),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, n_brain_voxels) or (B, X, Y, Z) → (B, n_targets)."""
        vector = masked(x, self.brain).index_select(1, self.voxels)
        volume = vector.new_zeros(len(vector), int(np.prod(self.shape)))
        volume = volume.index_copy(1, self.places, vector)
        out: Tensor = self.head(self.blocks(volume.view(len(vector), 1, *self.shape)))
        return out


def masked(x: Tensor, brain: Tensor) -> Tensor:
    """Responses (B, n_voxels) or (B, X, Y, Z) as masked vectors."""
    vector = x.flatten(1).index_select(1, brain) if x.ndim == 4 else x
    if vector.ndim != 2 or vector.shape[1] != len(brain):
        msg = (
            f"responses (B, {len(brain)}) in the mask or volumes (B, X, Y, Z) were expected, but "
            f"{tuple(x.shape)} came"
        )
        raise ModelError(msg)
    return vector


def _block(n_in: int, n_out: int, pool: nn.Module) -> list[nn.Module]:
    return [nn.Conv3d(n_in, n_out, 3, padding=1), nn.BatchNorm3d(n_out), nn.ReLU(), pool]
