"""Job folders in every state, written without training anything: a second instead of a minute."""

import time

import numpy as np
import pandas as pd

from tests.figures.plain import metrics
from thingsviz.analysis.scores import resampling
from thingsviz.commands import train
from thingsviz.core import json_files
from thingsviz.data.things.layout import datasets_root
from thingsviz.jobs.job_folder import JobFolder, create_job, jobs_root
from thingsviz.jobs.recipe import parse_config
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.pipeline import references
from thingsviz.pipeline.tasks.registry import open_task

TARGETS = ["heavy", "lives", "grasp", "moves", "nameability", "size"]


# by data and recipe: what a finished job has, (its folder or the shared one, path): bytes
RESULTS = {}


def made_job(name, state="stopped", message="", **recipe) -> JobFolder:
    """A job of dataset `tiny` with three epochs of metrics behind it."""
    fit = {"epochs": 5, "target_scaling": "z"}
    data = {"name": name, "dataset": "tiny", "targets": TARGETS, "fit": fit}
    job = create_job(parse_config(data | {"model": {"name": "vit3d", "tokens": "brain"}} | recipe))
    for row in metrics(3):
        json_files.append_line(job.file("metrics.jsonl"), row)
    job.file("log.txt").write_text("three epochs went well\n")
    status = RunStatus(state, 3, 5, 12, 20, None, message, started_at=time.time() - 100)
    job.write_status(status)
    return job


def finished_job(name, share=0.4, seed=0, **recipe) -> JobFolder:
    """A job that is done, of a decoder that knows the truth up to a `share` and much noise.

    Its results are computed once a test run (a second) and written again for the next like it.
    """
    job = made_job(name, "done", **recipe)
    key = repr((datasets_root(), share, seed, recipe))
    places = {"job": job.path, "shared": jobs_root() / ".references"}
    if key not in RESULTS:
        compute_results(job, share, seed)
        RESULTS[key] = {
            (where, path.relative_to(places[where])): path.read_bytes()
            for where, pattern in (("job", "[ps]*.*"), ("shared", "**/*.*"))
            for path in places[where].glob(pattern)
        }
    for (where, path), data in RESULTS[key].items():
        (places[where] / path).parent.mkdir(parents=True, exist_ok=True)
        (places[where] / path).write_bytes(data)
    job.write_status(RunStatus("done", 5, 5, 20, 20, started_at=time.time() - 100))
    return job


def compute_results(job, share, seed) -> None:
    """Write the split, predictions and scores of a decoder that knows a `share` of the truth."""
    material = open_task(job)
    rng = np.random.default_rng(seed)

    def predict(rows):
        true = material.ratings[rows]
        noise = rng.normal(size=true.shape) * true.std(0)
        middle = np.nanmean(material.ratings[material.split.train], axis=0)
        return (middle + share * (true - middle) + 0.4 * noise).astype("f4")

    config = job.config().model
    found = material.predict(predict, config)
    found.table.to_parquet(job.file("predictions.parquet"))
    rows = material.score(config.name, found, own=True).rows
    rows += references.reference_scores(material, material.responses, lambda _: None).rows
    rows += material.more_rows(found)
    limits = ["Whether the decoder works for another person: this is one brain."]
    json_files.write_sealed(job.file("scores.json"), {"rows": rows, "could_not_show": limits})


def scores_of(job) -> pd.DataFrame:
    """The tidy scores of a finished job."""
    table = job.scores()
    assert table is not None
    return table


def trained_classifier(name, monkeypatch) -> JobFolder:
    """A finished LDA of the tiny subject's concepts, really trained: it takes two seconds."""
    monkeypatch.setenv("THINGSVIZ_THREADS", "1")
    monkeypatch.setattr(resampling, "N_DRAWS", 60)
    recipe = {"name": name, "dataset": "tiny", "learns": "concepts", "model": {"name": "lda"}}
    job = create_job(parse_config({**recipe, "split": {"kind": "test_images"}}))
    assert train.main([str(job.path)]) == 0
    return job
