"""The stages of a classifier after its fit: classify the test trials once, score, write down."""

from __future__ import annotations

import numpy as np

from thingsviz.analysis.classes.differences import hit_sentences
from thingsviz.analysis.classes.hit_table import class_curve, class_rows
from thingsviz.analysis.classes.limits import class_sentences
from thingsviz.data.trials.splits import audit
from thingsviz.jobs import schema
from thingsviz.jobs.arrays import read_arrays, write_arrays
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.manifest import add_to_manifest, keep_predictions, now
from thingsviz.pipeline.classes import references
from thingsviz.pipeline.classes.labels import doubts, learnable
from thingsviz.pipeline.classes.predictions import (
    RANKS,
    Classified,
    classify_parts,
    scored_classes,
)
from thingsviz.pipeline.classes.references import class_differences, reference_curves
from thingsviz.pipeline.load_model import load_predict
from thingsviz.pipeline.references import cache_folder, reference_rows
from thingsviz.pipeline.training_data import TrainingData
from thingsviz.queue.reporter import Interruptible, Reporter


def finish_classes(reporter: Reporter, material: TrainingData) -> None:
    """Classify and score, whatever of it is not done yet."""
    _score(reporter, material, _classify_once(reporter, material))


def kept_guesses(job: JobFolder) -> Classified | None:
    """Return what a job's classifier said, None before it looked at the test trials."""
    table = job.predictions()
    if table is None or not job.file(RANKS).is_file():
        return None
    return Classified(table, read_arrays(job.file(RANKS))["ranks"].astype(np.int16))


def _classify_once(reporter: Reporter, material: TrainingData) -> Classified:
    """Classify with the best weights; the only place that looks at test trials, once a job."""
    job = reporter.job
    known = kept_guesses(job)
    if known is not None:
        return known
    reporter.announce("classifying the test trials")
    touched = [*job.manifest().get("test_set_touched", []), now()]
    add_to_manifest(job, test_set_touched=touched)
    X = Interruptible(material.responses, reporter)
    found = classify_parts(material, load_predict(job, material, X), material.config.model)
    write_arrays(job.file(RANKS), {"ranks": found.ranks})
    keep_predictions(job, found.table)
    return found


def _score(reporter: Reporter, material: TrainingData, found: Classified) -> None:
    reporter.announce("scoring")
    name, draws = material.config.model.name, references.N_DRAWS
    rows, curves = [], []
    for place, data in scored_classes(found, material.outputs, name):
        rows += class_rows(place, data, chance=True, n_draws=draws)
        curves.append(class_curve(place, data, full=True, n_draws=draws))
    X = Interruptible(material.responses, reporter)
    beside = reference_rows(material, X, reporter.announce, reporter.check)
    rows += [row for row in beside if row["model"] != name]
    curves += [c for c in reference_curves(cache_folder(material)) if c["model"] != name]
    compared = class_differences(material, found.table, cache_folder(material))
    checked = audit(material.store.trials, material.split)
    simulated = material.dataset.simulated
    known, n_test = learnable(material.split, material.classes)
    record = {
        "rows": rows,
        "curves": curves,
        "differences": compared,
        "could_not_show": [
            *doubts(material.config, material.dataset),
            *hit_sentences(compared),
            *class_sentences(rows, checked, (known, n_test), simulated),
        ],
        "audit": checked._asdict(),
        "learnable": {"test_trials": n_test, "of_trained_classes": known},
        "n_classes": len(material.outputs),
    }
    schema.write("scores", reporter.job.file("scores.json"), record)
