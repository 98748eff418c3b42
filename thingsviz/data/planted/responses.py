"""What the planted brain answers: signal of one of four forms, noise, session effects."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from thingsviz.data.planted.fields import Float32, SmoothField
from thingsviz.data.planted.regions import Anatomy
from thingsviz.data.planted.streams import stream
from thingsviz.data.planted.tuning import N_WIDE, SMOOTH_FWHM_MM, WIDE_FWHM_MM, Tuning

FloatArray = NDArray[np.float64]
OFFSET_SD, LOG_SCALE_SD = 0.5, 0.15
GAIN_LOG_SD = 0.35
BATCH = 8

# latents (n, 54), weights (54, n_signal), generator → signal (n, n_signal) of about equal variance
Response = Callable[[Float32, Float32, np.random.Generator], Float32]


def linear(latents: Float32, weights: Float32, _: np.random.Generator) -> Float32:
    """Z · W."""
    signal: Float32 = latents @ weights
    return signal


def gain(latents: Float32, weights: Float32, rng: np.random.Generator) -> Float32:
    """Each trial's signal times its own gain, log-normal of mean square 1 (attention, say)."""
    lift = GAIN_LOG_SD * rng.standard_normal((len(latents), 1)) - GAIN_LOG_SD**2
    signal: Float32 = (latents * np.exp(lift).astype(np.float32)) @ weights
    return signal


def saturation(latents: Float32, weights: Float32, _: np.random.Generator) -> Float32:
    """1.6 · SD · tanh(drive / SD), SD being the drive's own: strong drives stop counting."""
    drive: Float32 = latents @ weights
    spread = np.maximum(drive.std(0), np.float32(1e-6))
    signal: Float32 = np.float32(1.6) * spread * np.tanh(drive / spread)
    return signal


def product(latents: Float32, weights: Float32, _: np.random.Generator) -> Float32:
    """Half the variance from products of two latents, of which a linear decoder knows nothing."""
    pairs = latents * np.roll(latents, 1, axis=1)
    pairs = (pairs - pairs.mean(0)) / np.maximum(pairs.std(0), 1e-6) * latents.std(0)
    signal: Float32 = ((latents + pairs) * np.float32(np.sqrt(0.5))) @ weights
    return signal


RESPONSES: dict[str, Response] = {
    "linear": linear,
    "gain": gain,
    "saturation": saturation,
    "product": product,
}


class Brain:
    """Answers trials: y = offset[session] + scale[session] · (signal + noise), (n, n_voxels)."""

    def __init__(self, anatomy: Anatomy, voxel_mm: FloatArray, tuning: Tuning, seed: int) -> None:
        self.tuning = tuning
        self.seed = seed
        self._smooth = SmoothField(SMOOTH_FWHM_MM, voxel_mm, anatomy.brain)
        self._wide = SmoothField(WIDE_FWHM_MM, voxel_mm, anatomy.brain)

    def answer(
        self, latents: FloatArray, session: int, run: int, response: str = "linear"
    ) -> Float32:
        """Signal and noise of a run: latents (n, 54) → (n, n_voxels), without session effects."""
        rng = stream(self.seed, "noise", session, run)
        tuning, n = self.tuning, len(latents)
        y = rng.standard_normal((n, N_WIDE), dtype=np.float32) @ tuning.wide
        if len(tuning.signal):
            signal = RESPONSES[response](latents.astype(np.float32), tuning.weights, rng)
            y[:, tuning.signal] += signal
        for start in range(0, n, BATCH):
            part = y[start : start + BATCH]
            part += self._smooth.draw(rng, len(part)) * tuning.smooth
            part += rng.standard_normal(part.shape, dtype=np.float32) * tuning.white
        return y

    def session(self, session: int) -> tuple[Float32, Float32]:
        """Offset and scale of a session, both (n_voxels,): smooth fields."""
        offset, scale = self._wide.draw(stream(self.seed, "session", session), 2)
        return np.float32(OFFSET_SD) * offset, np.exp(np.float32(LOG_SCALE_SD) * scale)
