"""In what order, and on how many threads, a planted subject is computed and written."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from thingsviz.core.errors import ConfigError
from thingsviz.core.files import crc_of_file
from thingsviz.core.json_files import write_json
from thingsviz.core.progress import Progress, Report, silent
from thingsviz.data.planted.latents import Latents, concept_latents, draw_latents
from thingsviz.data.planted.oracle import Filters, make_filters
from thingsviz.data.planted.presets import SimulationPreset, get_preset
from thingsviz.data.planted.publish import check_place, publishing
from thingsviz.data.planted.regions import make_anatomy
from thingsviz.data.planted.responses import RESPONSES, Brain
from thingsviz.data.planted.streams import stream
from thingsviz.data.planted.subject import PlantedSubject, Sources, make_subject
from thingsviz.data.planted.truth import Oracle, write_truth
from thingsviz.data.planted.tuning import make_tuning
from thingsviz.data.planted.writer import LayoutWriter

FloatArray = NDArray[np.float64]
MOST_THREADS = 4  # each works on a run of its own: 0.5 GB on the published grid
CONCEPTS_A_TASK = 12


@dataclass(frozen=True)
class SimulationOrder:
    """What is to be planted."""

    preset: str
    seed: int = 1
    snr: float | None = None
    """Factor on the preset's noise ceilings."""
    response: str = "linear"
    sources: Sources = field(default_factory=Sources)


def plant(out: Path, order: SimulationOrder, on_progress: Report = silent) -> None:
    """Plant a subject into the folder `out`, which appears only when it is complete.

    The same order gives the same bytes, whatever the number of threads: every piece of work has
    random numbers of its own, and BLAS runs on one thread in each.
    """
    preset = get_preset(order.preset, order.snr)
    if order.seed < 0 or order.response not in RESPONSES:
        forms = ", ".join(RESPONSES)
        msg = f"seed {order.seed} or response {order.response!r}: give 0 or more, one of {forms}"
        raise ConfigError(msg)
    check_place(out)
    subject = make_subject(preset, order.seed, order.sources)
    threads = min(MOST_THREADS, os.cpu_count() or 1)
    with (
        publishing(out) as folder,
        threadpool_limits(1, "blas"),
        ThreadPoolExecutor(threads) as pool,
    ):
        try:
            _Planting(folder, order, preset, subject, on_progress).work(pool)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _Planting:
    """One planting: the steps share the subject, its writer and the count of what is done."""

    def __init__(
        self,
        folder: Path,
        order: SimulationOrder,
        preset: SimulationPreset,
        subject: PlantedSubject,
        report: Report,
    ) -> None:
        self.order, self.preset, self.subject, self.report = order, preset, subject, report
        self.voxel_mm = preset.grid.voxel_size
        self.anatomy = make_anatomy(preset.grid)
        self.writer = LayoutWriter(folder, preset.grid, self.anatomy)
        session, run = (subject.design[name].to_numpy() for name in ("session", "run"))
        keys = sorted(set(zip(session.tolist(), run.tolist(), strict=True)))
        self.runs = {(s, r): np.flatnonzero((session == s) & (run == r)) for s, r in keys}
        self.files = subject.image_files()
        self.done, self.total = 0, len(self.runs) + 12 + len(self.files) // CONCEPTS_A_TASK

    def step(self, message: str) -> None:
        """Report one more step."""
        self.done = min(self.done + 1, self.total)
        self.report(Progress(self.done, self.total, message))

    def work(self, pool: ThreadPoolExecutor) -> None:
        """Compute and write everything."""
        pictures = self.start_pictures(pool)
        latents, brain = self.make_brain()
        self.write_tables(brain)
        for task in as_completed(pictures):  # a bad photograph is said before the long work
            task.result()
            self.step("pictures")
        filters = make_filters(
            brain.tuning, self.anatomy, self.voxel_mm, pool, lambda: self.step("oracle")
        )
        statistics = self.write_runs(pool, latents, brain, filters)
        path = self.writer.derivative("truth.npz")
        write_truth(path, self.subject, latents, self.anatomy, brain, self.preset)
        self.write_oracle(statistics, latents, filters)
        self.report(Progress(self.total, self.total, "planted"))

    def make_brain(self) -> tuple[Latents, Brain]:
        """Draw latents and tuning."""
        self.step("tuning of the voxels")
        seed, subject = self.order.seed, self.subject
        kind = subject.concepts.kind
        concepts = concept_latents(subject.ratings, kind, stream(seed, "semantic"))
        latents = draw_latents(subject.design, concepts, self.preset, seed)
        tuning = make_tuning(self.anatomy, self.voxel_mm, latents.covariance, self.preset, seed)
        return latents, Brain(self.anatomy, self.voxel_mm, tuning, seed)

    def start_pictures(self, pool: ThreadPoolExecutor) -> list[Future[None]]:
        """Start drawing the pictures, some concepts a task."""
        names = list(self.files)
        parts = [names[i : i + CONCEPTS_A_TASK] for i in range(0, len(names), CONCEPTS_A_TASK)]
        return [pool.submit(self.draw, part) for part in parts]

    def draw(self, concepts: list[str]) -> None:
        """Draw and write all pictures of some concepts."""
        for concept in concepts:
            files = self.files[concept]
            drawn = self.subject.pictures.draw(concept, files)
            for name, data in zip(files, drawn, strict=True):
                self.writer.picture(concept, name, data)

    def write_tables(self, brain: Brain) -> None:
        """Write all that is neither betas nor pictures nor truth."""
        writer, order, design = self.writer, self.order, self.subject.design
        writer.brain_mask()
        test = design[design["trial_type"] == "test"]
        repeats = int(test.groupby("image_filename").size().median()) if len(test) else 1
        writer.voxel_metadata(brain.tuning.ceiling, repeats)
        writer.ratings(self.subject.table)
        writer.categories(self.subject.table["uniqueID"].tolist(), self.subject.kinds)
        writer.image_paths([name for names in self.files.values() for name in names])
        planted: dict[str, Any] = {
            "preset": order.preset,
            "seed": order.seed,
            "snr": self.preset.snr,
            "response": order.response,
            "exemplar_share": self.preset.exemplar_share,
            "trial_state": self.preset.trial_state,
            "simulated_ratings": self.subject.simulated_ratings,
            "design": "given" if order.sources.design else "made",
        }
        writer.description(planted, self.subject.pictures.credit)

    def write_runs(
        self, pool: ThreadPoolExecutor, latents: Latents, brain: Brain, filters: Filters
    ) -> FloatArray:
        """Compute and write all runs; return the oracle's statistics T (n_trials, 54)."""
        names = self.subject.design["image_filename"]

        def one(session: int, run: int, rows: NDArray[np.intp]) -> FloatArray:
            y = brain.answer(latents.trials[rows], session, run, self.order.response)
            part = (y @ filters.voxels).astype(np.float64)
            offset, scale = brain.session(session)
            y *= scale
            y += offset
            self.writer.run(session, run, y, names[rows].tolist())
            return part

        statistics = np.zeros(latents.trials.shape)
        tasks = {pool.submit(one, *key, rows): key for key, rows in self.runs.items()}
        for task in as_completed(tasks):
            session, run = tasks[task]
            statistics[self.runs[session, run]] = task.result()
            self.step(f"ses-{session:02d} run-{run:02d}")
        return statistics

    def write_oracle(self, statistics: FloatArray, latents: Latents, filters: Filters) -> None:
        """Write the oracle's predictions and scores."""
        oracle = Oracle(self.subject, statistics, latents, self.preset)
        predictions = oracle.predict(filters.information)
        table = self.writer.derivative("oracle.parquet")
        predictions.to_parquet(table, index=False)
        summary = oracle.summary(predictions, filters.information, self.order.response)
        summary["parquet_crc32"] = crc_of_file(table)  # a flipped bit is found by its readers
        write_json(self.writer.derivative("oracle.json"), summary)
