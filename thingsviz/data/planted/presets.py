"""How large each planted subject is, and how strongly its brain answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from thingsviz.core.errors import ConfigError
from thingsviz.core.space import Grid

# Where the first voxel of sub-01 stands in its own T1w space, mm (published header).
SUB01_ORIGIN = (-71.1632843, -80.94287109, -68.46676636)
SUB01_SHAPE = (72, 91, 75)
SUB01_VOXEL_MM = 2.0


def grid_over_sub01(shape: tuple[int, int, int]) -> Grid:
    """Return a grid of `shape` voxels over the box that sub-01's published grid covers."""
    voxel = np.array(SUB01_SHAPE) * SUB01_VOXEL_MM / np.array(shape)
    corner = np.array(SUB01_ORIGIN) - SUB01_VOXEL_MM / 2
    affine = np.diag([*voxel, 1.0])
    affine[:3, 3] = corner + voxel / 2
    return Grid.of(shape, affine)


@dataclass(frozen=True)
class SimulationPreset:
    """Design, grid, signal of a planted subject; n_train, n_test, n_catch count a run's trials."""

    name: str
    shape: tuple[int, int, int] = SUB01_SHAPE
    n_sessions: int = 12
    n_runs: int = 10
    n_train: int = 72
    n_test: int = 10
    n_catch: int = 10
    n_classes: int | None = None
    """Of a block design: so many concepts, each of which every run shows equally often. Without,
    each concept is shown once a session."""
    snr: float = 1.0
    """Factor on the regions' noise ceilings; 0 plants nothing."""
    exemplar_share: float = 0.55
    """τ: share of a latent's variance over images that is particular to the exemplar."""
    trial_state: float = 0.75
    """Variance of the latents' deviation on each trial, relative to their variance over images."""

    @property
    def n_concepts(self) -> int:
        """Concepts of the design."""
        return self.n_classes or self.n_train * self.n_runs

    @property
    def n_test_images(self) -> int:
        """Test images: each is shown once a session."""
        return self.n_test * self.n_runs

    @property
    def grid(self) -> Grid:
        """Voxel grid and affine of the beta series."""
        return grid_over_sub01(self.shape)


# The full subject's own parameters. 124 concepts are few to learn from; on unseen concepts, single
# trials, seed 1, the ridge of `models` reaches r .37 of the oracle's .53, vit3d "Fast, local" .29.
DEMO = SimulationPreset("demo", n_runs=2)
PRESETS: dict[str, SimulationPreset] = {
    # Tests have 128 train trials: more signal, and less that is private to image and trial.
    "tiny": SimulationPreset(
        "tiny",
        shape=(24, 28, 20),
        n_sessions=4,
        n_runs=2,
        n_train=16,
        n_test=4,
        n_catch=2,
        snr=3.0,
        exemplar_share=0.25,
        trial_state=0.25,
    ),
    "demo": DEMO,
    "full": SimulationPreset("full"),
    "null": replace(DEMO, name="null", snr=0.0),
    # A classic block design: 12 runs of one session, 8 classes, no test images of its own.
    "runs": SimulationPreset(
        "runs",
        shape=(24, 28, 20),
        n_sessions=1,
        n_runs=12,
        n_train=32,
        n_test=0,
        n_catch=0,
        n_classes=8,
        snr=2.0,
        exemplar_share=0.25,
    ),
}


def get_preset(name: str, snr: float | None = None) -> SimulationPreset:
    """Return the preset called `name`; `snr` scales its noise ceilings when it is given."""
    if name not in PRESETS:
        msg = f"preset {name!r} is unknown: choose one of {', '.join(PRESETS)}"
        raise ConfigError(msg)
    if snr is None:
        return PRESETS[name]
    if not 0 <= snr <= 100:
        msg = f"snr {snr:g} cannot be planted: give a factor between 0 (no signal) and 100"
        raise ConfigError(msg)
    return replace(PRESETS[name], snr=PRESETS[name].snr * snr)
