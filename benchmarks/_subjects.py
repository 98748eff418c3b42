"""A planted subject as the decoder benchmarks see it: one split, its parts, and the oracle."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from models.catalog.config import ModelConfig
from thingsviz.analysis.scores.concept_sums import RatedPart
from thingsviz.analysis.scores.metrics import pearson
from thingsviz.analysis.scores.resampling import permutation
from thingsviz.data.planted import SimulationOrder, is_planted, plant
from thingsviz.data.planted.concepts import PROPERTIES
from thingsviz.data.planted.presets import PRESETS
from thingsviz.data.prepare.build import build_store
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset, open_dataset
from thingsviz.data.trials.splits import make_split
from thingsviz.jobs.recipe import JobConfig, SplitConfig
from thingsviz.pipeline.tasks.ratings import Ratings, ScoredPart, scored_parts
from thingsviz.pipeline.tasks.table import KEYS

SUBJECT = "sub-01"
SEED = 1
# A: unseen concepts, single trials; B: test images, repeats averaged; C: the same, single.
LETTERS = {("exemplars", False): "A", ("test", True): "B", ("test", False): "C"}
# Subjects of the benchmarks' own: the full design on voxels of 6 mm, and one for half a minute.
PRESETS.setdefault("coarse", replace(PRESETS["full"], name="coarse", shape=(24, 28, 20), snr=1.5))
PRESETS.setdefault(
    "short",
    replace(PRESETS["tiny"], name="short", n_sessions=6, n_runs=3, n_train=40, n_test=10),
)


@dataclass(frozen=True)
class Bench:
    """A prepared planted subject. `work` keeps what is computed once."""

    name: str
    response: str
    seed: int
    dataset: Dataset
    store: BetaStore
    work: Path

    def material(self, model: ModelConfig, validation: float) -> Ratings:
        """Return what a job with this model would be fitted to.

        `validation`: share of the training concepts that networks stop on; linear ones use all.
        """
        split = SplitConfig(
            kind="unseen_concepts", fractions=(1 - validation, validation, 0.0), seed=0
        )
        config = JobConfig(
            dataset=str(self.dataset.root), targets=PROPERTIES, split=split, model=model
        )
        rows = make_split(self.store.trials, split.kind, split.fractions, split.seed)
        scaler = self.work / f"scaler-{self.store.fingerprint[:12]}-{len(rows.train)}.safetensors"
        return Ratings(config, self.dataset, self.store, rows, scaler)

    def oracle(self, part: ScoredPart) -> float:
        """Mean r of the decoder that knows tuning and noise, on the trials of a part."""
        known = pd.read_parquet(self.dataset.planted_dir(SUBJECT) / "oracle.parquet")
        n = int(part.where.n_averaged.removeprefix("mean of ").replace("single", "1"))
        keys = self.store.trials.iloc[part.rows][KEYS]
        found = keys.merge(known[known["n_averaged"] == n], on=KEYS, validate="one_to_one")
        guess = found[[f"pred_{name}" for name in PROPERTIES]].to_numpy(float)
        return mean_r(part.data._replace(predicted=guess))


def open_bench(root: Path, preset: str, response: str, seed: int = SEED) -> Bench:
    """Open a planted subject below `root`; plant and prepare it when it is not there."""
    name = preset if response == "linear" else f"{preset}-{response}"
    name = name if seed == SEED else f"{name}-seed{seed}"
    folder = root / name
    if not is_planted(folder):
        print(f"planting {name} (SIMULATED) in {folder}", file=sys.stderr)
        folder.parent.mkdir(parents=True, exist_ok=True)
        plant(folder, SimulationOrder(preset, seed, response=response))
    dataset = open_dataset(folder)
    build_store(dataset, SUBJECT)
    work = root / ".decoders"
    work.mkdir(exist_ok=True)
    return Bench(name, response, seed, dataset, BetaStore.open(dataset, SUBJECT), work)


def lettered(predictions: pd.DataFrame) -> list[tuple[str, ScoredPart]]:
    """Return the judged parts by letter."""
    found = []
    for scored in scored_parts(predictions, PROPERTIES):
        key = (scored.where.part, scored.where.n_averaged != "single")
        if key in LETTERS:
            found.append((LETTERS[key], scored))
    return sorted(found, key=lambda pair: pair[0])


def mean_r(data: RatedPart) -> float:
    """Mean over the ratings of Pearson's r; 0 where a prediction is constant."""
    return float(np.nan_to_num(pearson(data.true, data.predicted)).mean())


def chance_band(data: RatedPart) -> tuple[float, float]:
    """Return the middle 95 % of the mean r after shuffling concepts."""
    draws = np.nan_to_num(permutation(data)["r"]).mean(1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)
