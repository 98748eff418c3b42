"""The stages of a job after its recipe is known to be sound: fit, predict, compare, write down."""

from __future__ import annotations

from typing import Any

import pandas as pd

from thingsviz.analysis.scores.differences import comparison_sentences
from thingsviz.analysis.scores.limits import free_confidence, sentences
from thingsviz.data.trials.splits import audit
from thingsviz.jobs import schema
from thingsviz.jobs.manifest import add_to_manifest, keep_predictions, now
from thingsviz.pipeline.classes.run import finish_classes
from thingsviz.pipeline.fit import default_threads, fit
from thingsviz.pipeline.load_model import load_predict
from thingsviz.pipeline.manifest_facts import begin_manifest
from thingsviz.pipeline.ratings.naming import naming, with_places
from thingsviz.pipeline.ratings.predictions import predict_parts, scored_parts
from thingsviz.pipeline.references import differences, reference_rows, score
from thingsviz.pipeline.resource_usage import metered
from thingsviz.pipeline.training_data import TrainingData
from thingsviz.queue.reporter import Interruptible, Reporter


def run(reporter: Reporter, material: TrainingData) -> None:
    """Go through all stages that are not done yet; any of them may raise StoppedError."""
    reporter.announce("reading the data")
    begin_manifest(reporter.job, material, default_threads(), reporter.peers.n_processes)
    with metered(reporter.job):
        fit(reporter, material)
    if material.config.role == "candidate":
        return
    if material.labels is not None:
        finish_classes(reporter, material)
        return
    predictions = _predict_once(reporter, material)
    _score(reporter, material, predictions)


def _predict_once(reporter: Reporter, material: TrainingData) -> pd.DataFrame:
    """Predict with the best weights; the only place that looks at test trials, once a job."""
    job = reporter.job
    known = job.predictions()
    if known is not None:
        return known
    reporter.announce("predicting the test trials")
    touched = [*job.manifest().get("test_set_touched", []), now()]
    add_to_manifest(job, test_set_touched=touched)
    X = Interruptible(material.responses, reporter)
    found = with_places(material, predict_parts(material, load_predict(job, material, X)))
    keep_predictions(job, found)
    return found


def _score(reporter: Reporter, material: TrainingData, predictions: pd.DataFrame) -> None:
    reporter.announce("scoring")
    config, job = material.config, reporter.job
    rows = score(config.model.name, predictions, material, chance=True)
    X = Interruptible(material.responses, reporter)
    references = reference_rows(material, X, reporter.announce, reporter.check)
    rows += [row for row in references if row["model"] != config.model.name]
    compared = differences(material, predictions)
    checked = audit(material.store.trials, material.split)
    named = naming(material, predictions)
    limits = sentences(rows, checked, config.split.kind, material.dataset.simulated)
    record: dict[str, Any] = {
        "rows": rows + named,
        "differences": compared,
        "could_not_show": [*comparison_sentences(compared), *limits],
        "audit": checked._asdict(),
        "constant_confidence": _free(material, predictions),
    }
    schema.write("scores", job.file("scores.json"), record)


def _free(material: TrainingData, predictions: pd.DataFrame) -> dict[str, Any]:
    """Return what the report's confidence gives a constant, for each part that is judged."""
    targets = material.config.targets
    return {
        scored.where.part: free_confidence(scored.data, targets)
        for scored in scored_parts(predictions, targets)
        if scored.where.n_averaged == "single"
    }
