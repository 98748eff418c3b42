"""What the planted brain represents of a picture: latents of concepts, images and trials."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.data.planted.concepts import PROPERTIES
from thingsviz.data.planted.presets import SimulationPreset
from thingsviz.data.planted.streams import stream

FloatArray = NDArray[np.float64]
N_PROPERTIES, N_SEMANTIC, N_LOW = len(PROPERTIES), 20, 20
N_CONCEPTUAL = (
    N_PROPERTIES + N_SEMANTIC
)  # latents in which images of one concept resemble each other
N_LATENTS = N_CONCEPTUAL + N_LOW


class Latents(NamedTuple):
    """Latents in the order properties, semantic, low-level; each has variance 1 over images.

    concepts (n_concepts, 34); trials (n_trials, 54) with the trial's state in it; covariance
    (54, 54) over images.
    """

    concepts: FloatArray
    trials: FloatArray
    covariance: FloatArray


def concept_latents(
    ratings: FloatArray, kind: NDArray[np.intp], rng: np.random.Generator
) -> FloatArray:
    """Z-scored true ratings (n, 14) and semantic latents, partly shared in a kind: (n, 34)."""
    shared = 0.6 * rng.standard_normal((int(kind.max(initial=0)) + 1, N_SEMANTIC))[kind]
    latents = np.hstack([ratings, shared + 0.8 * rng.standard_normal((len(kind), N_SEMANTIC))])
    spread = latents.std(0)
    z: FloatArray = (latents - latents.mean(0)) / np.where(spread > 0, spread, 1)
    return z


def image_covariance(concepts: FloatArray) -> FloatArray:
    """Covariance (54, 54) over images: that of the concepts, and independent low-level latents."""
    covariance = np.eye(N_LATENTS)
    covariance[:N_CONCEPTUAL, :N_CONCEPTUAL] = concepts.T @ concepts / len(concepts)
    return covariance


def square_root(covariance: FloatArray) -> FloatArray:
    """Symmetric root R, R Rᵀ = covariance; also where there are fewer concepts than latents."""
    values, vectors = np.linalg.eigh(covariance)
    root: FloatArray = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    return root


def draw_latents(
    design: pd.DataFrame, concepts: FloatArray, preset: SimulationPreset, seed: int
) -> Latents:
    """Draw latents of each image and trial of `design`; `concept_index` counts into `concepts`.

    image = √(1 − τ) · concept + √τ · own part, with τ = exemplar_share, and 1 for low-level
    latents and for catch pictures; trial = image + √trial_state · state, anew for each trial.
    """
    covariance = image_covariance(concepts)
    root = square_root(covariance)
    code, images = pd.factorize(design["image_filename"], sort=True)
    first = np.unique(code, return_index=True)[1]
    of = design["concept_index"].to_numpy()[first]
    image = stream(seed, "images").standard_normal((len(images), N_LATENTS)) @ root
    tau = np.where(of >= 0, preset.exemplar_share, 1.0)[:, None]
    part = image[:, :N_CONCEPTUAL]
    image[:, :N_CONCEPTUAL] = np.sqrt(1 - tau) * concepts[of] + np.sqrt(tau) * part
    state = stream(seed, "states").standard_normal((len(design), N_LATENTS)) @ root
    return Latents(concepts, image[code] + np.sqrt(preset.trial_state) * state, covariance)
