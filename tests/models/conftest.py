"""A small brain with a planted linear signal, and networks small enough to train in a second."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from models.base.arrays import ArrayTrials
from models.training.config import FitConfig
from models.transformer.vit3d_config import ViT3DConfig

SHAPE = (6, 8, 5)
PATCH = (3, 4, 5)
N_CONCEPTS, N_EXEMPLARS, N_TARGETS = 40, 8, 3


@dataclass
class Planted:
    """Responses (n_trials, n_voxels) that hold ratings Y (n_trials, n_targets) of concepts."""

    mask: np.ndarray
    X: ArrayTrials
    Y: np.ndarray
    concepts: np.ndarray
    signal: np.ndarray  # voxels that carry it
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def plant(strength: float, seed: int = 0) -> Planted:
    """Ratings of 40 concepts in the first quarter of an ellipsoid's voxels; noise sd 1."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij"))
    mask = (grid**2).sum(0) < 1.6
    n_voxels = int(mask.sum())
    signal = np.arange(n_voxels) < n_voxels // 4
    concepts = np.repeat(np.arange(N_CONCEPTS), N_EXEMPLARS)
    Y = rng.uniform(1, 7, (N_CONCEPTS, N_TARGETS)).astype("f4")[concepts]
    W = rng.standard_normal((N_TARGETS, n_voxels)) * signal * strength
    X = (Y - 4) @ W + rng.standard_normal((len(Y), n_voxels))
    order = rng.permutation(N_CONCEPTS)
    parts = [
        np.flatnonzero(np.isin(concepts, order[a:b])) for a, b in ((0, 24), (24, 32), (32, 40))
    ]
    return Planted(mask, ArrayTrials(X.astype("f4")), Y, concepts, signal, *parts)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny kernels on one thread: on a busy machine two took 60 times as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def planted() -> Planted:
    return plant(0.12)


@pytest.fixture(scope="session")
def noise() -> Planted:
    return plant(0.0)


@pytest.fixture
def small() -> ViT3DConfig:
    """A brain-token network with local maps that starts at the mean."""
    return ViT3DConfig(
        patch_size=PATCH,
        tokens="brain",
        patch_embedding="local",
        embed_dim=16,
        n_layers=2,
        n_heads=2,
        mlp_ratio=2,
        dropout=0.1,
        input_dropout=0.2,
        pooling="sum",
        final_norm=False,
        start="mean",
    )


@pytest.fixture
def quick() -> FitConfig:
    """A training of a second or two."""
    return FitConfig(
        epochs=12,
        batches_per_epoch=None,
        batch_size=16,
        learning_rate=3e-3,
        weight_decay=0.05,
        precision="float32",
        device="cpu",
    )


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson r averaged over columns."""
    return float(np.mean([np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(a.shape[1])]))
