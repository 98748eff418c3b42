"""How each voxel answers: tuning to the latents, noise ceiling, and what its noise is made of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thingsviz.data.planted.concepts import PROPERTIES
from thingsviz.data.planted.fields import Float32, SmoothField
from thingsviz.data.planted.latents import N_LATENTS, N_LOW, N_SEMANTIC
from thingsviz.data.planted.presets import SimulationPreset
from thingsviz.data.planted.regions import REGIONS, Anatomy
from thingsviz.data.planted.streams import stream

FloatArray = NDArray[np.float64]
TUNING_FWHM_MM = 8.0
SMOOTH_FWHM_MM = 5.0
WIDE_FWHM_MM = 20.0
N_WIDE = 12
SHARES = {"white": 0.40, "smooth": 0.35, "wide": 0.25}  # of the noise that the trial state leaves
CEILING_LOG_SD, CEILING_MOST = 0.8, 0.45
LEAST_NOISE = 0.05


class Tuning(NamedTuple):
    """The planted truth of n_voxels brain voxels, n_signal of which answer to pictures.

    signal (n_signal,): their places among the brain voxels; weights W (54, n_signal);
    ceiling (n_voxels,): the share of a single trial's variance that the image explains;
    white, smooth (n_voxels,): SDs of these noises; wide U (12, n_voxels): its loadings.
    """

    signal: NDArray[np.intp]
    weights: Float32
    ceiling: Float32
    white: Float32
    smooth: Float32
    wide: Float32


def make_tuning(
    anatomy: Anatomy,
    voxel_mm: FloatArray,
    covariance: FloatArray,
    preset: SimulationPreset,
    seed: int,
) -> Tuning:
    """Draw the tuning: smooth fields, scaled in each voxel to its noise ceiling wᵀ S w."""
    field = SmoothField(TUNING_FWHM_MM, voxel_mm, anatomy.brain)
    ceiling = _ceilings(anatomy, field, preset.snr, stream(seed, "ceilings"))
    signal = np.flatnonzero(ceiling > 0)
    region = anatomy.region[signal]
    weights = np.empty((N_LATENTS, len(signal)), np.float32)
    rng = stream(seed, "tuning")
    for latent, gain in enumerate(_gains()):
        weights[latent] = field.draw(rng, 1)[0, signal] * gain[region]
    drawn = np.einsum("lv,lv->v", weights, covariance.astype(np.float32) @ weights)
    weights *= np.sqrt(ceiling[signal] / np.maximum(drawn, 1e-12))
    left = np.maximum(1 - ceiling * (1 + preset.trial_state), LEAST_NOISE)
    sd = {name: np.sqrt(share * left).astype(np.float32) for name, share in SHARES.items()}
    wide = _wide_loadings(anatomy, voxel_mm, stream(seed, "wide")) * sd["wide"]
    return Tuning(signal, weights, ceiling, sd["white"], sd["smooth"], wide)


def _ceilings(
    anatomy: Anatomy, field: SmoothField, snr: float, rng: np.random.Generator
) -> Float32:
    """Noise ceiling (n_voxels,): region's mean × snr × log-normal field of mean 1, cut at .45."""
    means = np.array([region.noise_ceiling for region in REGIONS] + [0.0])  # −1 is no region
    lift = CEILING_LOG_SD * field.draw(rng, 1)[0] - CEILING_LOG_SD**2 / 2
    ceiling = means[anatomy.region] * snr * np.exp(lift)
    cut: Float32 = np.clip(ceiling, 0, CEILING_MOST).astype(np.float32)
    return cut


def _gains() -> Float32:
    """Gain of each latent in each region, (54, n_regions)."""
    columns = [
        [region.special.get(p, region.properties) for p in PROPERTIES]
        + [region.semantic] * N_SEMANTIC
        + [region.low_level] * N_LOW
        for region in REGIONS
    ]
    return np.array(columns, np.float32).T


def _wide_loadings(anatomy: Anatomy, voxel_mm: FloatArray, rng: np.random.Generator) -> Float32:
    """Loadings (12, n_voxels) of wide noise, of length 1 in each voxel; the first is global."""
    field = SmoothField(WIDE_FWHM_MM, voxel_mm, anatomy.brain)
    loadings = np.concatenate([field.draw(rng, 1) for _ in range(N_WIDE)])
    loadings[0] = 1.5 + 0.5 * loadings[0]
    unit: Float32 = loadings / np.sqrt((loadings**2).sum(0))
    return unit
