"""What is written beside a planted dataset: its truth, and the oracle's predictions and scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.base.concepts import pearson
from thingsviz.data.planted.concepts import PROPERTIES, archetypes
from thingsviz.data.planted.latents import N_LOW, N_PROPERTIES, N_SEMANTIC, Latents
from thingsviz.data.planted.oracle import decode
from thingsviz.data.planted.presets import SimulationPreset
from thingsviz.data.planted.regions import REGIONS, Anatomy
from thingsviz.data.planted.responses import Brain
from thingsviz.data.planted.subject import PlantedSubject
from thingsviz.data.planted.tuning import SMOOTH_FWHM_MM, Tuning
from thingsviz.data.things.ratings import mean_column

FloatArray = NDArray[np.float64]
KEYS = ["session", "run", "trial"]


def write_truth(
    path: Path,
    subject: PlantedSubject,
    latents: Latents,
    anatomy: Anatomy,
    brain: Brain,
    preset: SimulationPreset,
) -> None:
    """Write truth.npz: plain arrays; voxels in C order of the mask, all trials in order."""
    tuning: Tuning = brain.tuning
    sessions = np.unique(subject.design["session"])
    fields = [brain.session(int(s)) for s in sessions]
    kinds = np.array(archetypes().index)
    arrays: dict[str, Any] = {
        "weights": tuning.weights.astype(np.float16),
        "signal_voxels": tuning.signal.astype(np.int32),
        "noise_ceiling": tuning.ceiling,
        "region": anatomy.region,
        "region_names": np.array([region.name for region in REGIONS]),
        "latent_names": np.array(
            [*PROPERTIES]
            + [f"semantic_{n + 1:02d}" for n in range(N_SEMANTIC)]
            + [f"low_{n + 1:02d}" for n in range(N_LOW)]
        ),
        "latent_covariance": latents.covariance,
        "concept_names": np.array(subject.concepts.names),
        "concept_kinds": kinds[subject.concepts.kind].astype(str),
        "concept_latents": latents.concepts.astype(np.float32),
        "true_ratings": subject.ratings,
        "trial_latents": latents.trials.astype(np.float32),
        "noise_white_sd": tuning.white.astype(np.float16),
        "noise_smooth_sd": tuning.smooth.astype(np.float16),
        "noise_smooth_fwhm_mm": np.array(SMOOTH_FWHM_MM),
        "noise_wide": tuning.wide.astype(np.float16),
        "sessions": sessions,
        "session_offset": np.stack([offset for offset, _ in fields]).astype(np.float16),
        "session_scale": np.stack([scale for _, scale in fields]).astype(np.float16),
        "exemplar_share": np.array(preset.exemplar_share),
        "trial_state": np.array(preset.trial_state),
    }
    np.savez(path, **arrays)


class Oracle:
    """The oracle's predictions for a subject's trials, from T (n_trials, 54)."""

    def __init__(
        self,
        subject: PlantedSubject,
        statistics: FloatArray,
        latents: Latents,
        preset: SimulationPreset,
    ) -> None:
        self.subject, self.preset = subject, preset
        self.statistics, self.latents = statistics, latents

    def predict(self, information: FloatArray) -> pd.DataFrame:
        """Predict single live trials, and averaged repeats (key: the first) of each test image."""
        design = self.subject.design.reset_index(drop=True)
        live = design[design["concept_index"] >= 0]
        tables = [self._table(live, self.statistics[live.index], information, 1)]
        tests = live[live["trial_type"] == "test"]
        for _, rows in tests.groupby("image_filename"):
            mean = self.statistics[rows.index].mean(0, keepdims=True)
            if len(rows) > 1:
                tables.append(self._table(rows.head(1), mean, information, len(rows)))
        return pd.concat(tables, ignore_index=True)

    def _table(
        self, rows: pd.DataFrame, statistics: FloatArray, information: FloatArray, n: int
    ) -> pd.DataFrame:
        z = decode(statistics, information, self.latents.covariance, self.preset, n).mean
        true = self.subject.ratings
        predicted = true.mean(0) + true.std(0) * z
        columns = {f"pred_{name}": predicted[:, at] for at, name in enumerate(PROPERTIES)}
        keys = rows[KEYS].reset_index(drop=True).assign(n_averaged=n)
        return keys.assign(**columns)

    def summary(
        self, predictions: pd.DataFrame, information: FloatArray, response: str
    ) -> dict[str, Any]:
        """Return what oracle.json holds: r per property against the ratings as published."""
        design = self.subject.design.set_index(KEYS)
        found = predictions.set_index(KEYS)
        of = design.loc[found.index, "concept_index"].to_numpy()
        kind = design.loc[found.index, "trial_type"].to_numpy()
        columns = [mean_column(name) for name in PROPERTIES]
        published = self.subject.table[columns].to_numpy(float)[of]
        predicted = found[[f"pred_{name}" for name in PROPERTIES]].to_numpy()
        n = found["n_averaged"].to_numpy()
        parts = {"train trials, single": (kind == "train") & (n == 1)}
        parts["test trials, single"] = (kind == "test") & (n == 1)
        parts |= {f"test images, mean of {k}": n == k for k in np.unique(n[n > 1])}
        scores = {
            name: _score(predicted[at], published[at], self._expected(information, int(n[at][0])))
            for name, at in parts.items()
            if at.any()
        }
        return {
            "decoder": "posterior mean of the ratings from the true tuning and noise covariance",
            "best_possible": response == "linear",
            "signal": bool(np.abs(information).sum() > 0),
            "response": response,
            "scores": scores,
        }

    def _expected(self, information: FloatArray, n: int) -> float:
        nothing = np.zeros((1, len(information)))
        posterior = decode(nothing, information, self.latents.covariance, self.preset, n)
        return float(posterior.expected_r.mean())


def _score(predicted: FloatArray, published: FloatArray, expected: float) -> dict[str, Any]:
    r = pearson(predicted, published)
    per = {name: _plain(value) for name, value in zip(PROPERTIES, r, strict=True)}
    mean = _plain(r.mean()) if len(r) == N_PROPERTIES else None
    return {"n": len(predicted), "mean_r": mean, "expected_mean_r": round(expected, 4), "r": per}


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
