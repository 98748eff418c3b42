"""How a network starts as a linear solution: at step 0 it *is* the regression.

A linear decoder with a well chosen penalty is the best that the linear part of a network can be,
so training it further overfits: on a planted subject of 5,798 voxels the validation r of new
concepts fell from .391 to .385, .378 and .378 in three epochs (ridge start, learning rate 3e-4,
embedding 1e-5), while the training loss fell. An embedding that stays as it starts
(`embedding_learning_rate=0`) leaves to training what is not linear.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from models.base.arrays import Floats
from models.base.errors import ModelError
from models.base.network import Network
from models.base.voxel_subset import VoxelSubset
from models.catalog.config import parse_model
from models.catalog.registry import LinearModel, build_linear
from models.transformer.layers import LocalEmbedding
from models.transformer.vit3d import ViT3D
from models.transformer.vit3d_config import ViT3DConfig

if TYPE_CHECKING:
    from models.training.data import FitData, Hooks


def warm_start(
    network: ViT3D, data: FitData, check: Callable[[], None] = lambda: None
) -> LinearModel:
    """Fit the config's linear decoder on the fitting trials and write it into the network.

    W (n_voxels, n_targets) are the fitted decoder's weights on the learned scale, sd (n_targets,)
    the spread of its predictions over the fitting trials, n the tokens:

        embedding of a patch    E[:, k] = W[voxels of the patch, k] / sd_k · √n    (0 for k beyond)
        blocks                  output maps 0, so that tokens pass through
        pooling                 Σ tokens / √n
        head                    diag(sd), bias: the decoder's intercept

    Voxels that are in no
    token do not exist for the decoder either. `check` is called often and may raise to stop.
    Returns the decoder; it reads the network's voxels, `token_voxels(network)`.
    """
    groups = data.groups
    if groups is None:
        msg = (
            "start 'linear' chooses its penalty on held-out concepts: pass FitData(groups=...), "
            "the concept of each trial"
        )
        raise ModelError(msg)
    _check_room(network)
    voxels = token_voxels(network)
    X = VoxelSubset(data.X, voxels, check)
    Y = np.asarray(data.Y[data.train], np.float32)
    decoder = build_linear(_decoder(network.config))
    decoder.fit(X, data.train, Y, groups[data.train])
    write_linear(network, voxels, decoder, decoder.predict(X, data.train).std(0))
    return decoder


class _StoppedError(Exception):
    pass


def start_fitted(network: Network, data: FitData, hooks: Hooks) -> bool:
    """Fit and write the linear start; False when a stop was asked for meanwhile."""

    def check() -> None:
        if hooks.should_stop():
            raise _StoppedError

    try:
        warm_start(cast("ViT3D", network), data, check)
    except _StoppedError:
        return False
    return True


def _decoder(config: ViT3DConfig) -> Any:  # noqa: ANN401
    return parse_model({"name": config.start_from})


def _check_room(network: ViT3D) -> None:
    dim = network.config.embed_dim
    if dim < network.n_targets:
        msg = (
            f"start 'linear' needs an embed_dim of {network.n_targets} or more, one for each "
            f"target, but it is {dim}: make it larger or start from 'mean'"
        )
        raise ModelError(msg)


def write_linear(
    network: ViT3D, voxels: NDArray[np.int64], decoder: LinearModel, spread: Floats
) -> None:
    """Make the network compute what a fitted decoder on `voxels` computes."""
    found = decoder.arrays()
    scale = network.target_scale
    scale_sd, mean = scale.sd.cpu().numpy(), scale.mean.cpu().numpy()
    sd = np.maximum(spread / scale_sd, np.finfo(np.float32).tiny ** 0.5)
    n_targets = network.n_targets
    W = np.zeros((len(network.brain), n_targets), np.float32)
    W[voxels[found["voxels"]]] = found["weights"] / scale_sd / sd
    gather, weight = network.gather.cpu().numpy(), network.weight.cpu().numpy()
    # responses come to the embedding times their voxel weight; 0 is where there is no voxel
    inverse = np.divide(1, weight, out=np.zeros_like(weight), where=weight > 0)
    maps = W[np.maximum(gather, 0)] * (inverse * np.sqrt(len(gather)))[..., None]
    embedding = network.embedding
    if not isinstance(embedding, LocalEmbedding):
        msg = "start 'linear' needs patch_embedding 'local'"
        raise ModelError(msg)
    with torch.no_grad():
        embedding.map.zero_()
        embedding.map[..., :n_targets] = torch.from_numpy(maps)
        embedding.position.zero_()
        network.head.map.weight.zero_()
        network.head.map.weight[:, :n_targets] = torch.diag(torch.from_numpy(sd))
        network.head.map.bias.copy_(torch.from_numpy((found["intercept"] - mean) / scale_sd))


def token_voxels(network: ViT3D) -> NDArray[np.int64]:
    """Voxels of the masked vector that are in a token, rising."""
    gather = network.gather.cpu().numpy()
    return np.unique(gather[gather >= 0])
