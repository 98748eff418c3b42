"""Finished jobs made by hand: tables in memory and in folders, no data and no training behind."""

import numpy as np
import pandas as pd

from tests.figures.plain import TARGETS, class_scores, metrics, scores
from thingsviz.core import json_files
from thingsviz.jobs.job_folder import JobFolder, create_job
from thingsviz.jobs.recipe import parse_config
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.reports.comparable import FinishedJob


def ratings_table(gain=0.6, seed=0, n_concepts=20, n_repeats=3):
    """Test predictions of a decoder that sees `gain` of the truth, and its means of repeats."""
    truth = np.random.default_rng(9).uniform(1, 7, (n_concepts, len(TARGETS)))
    rng = np.random.default_rng(seed)
    rows = []
    for concept in range(n_concepts):
        noise = rng.normal(0, 0.5, (n_repeats, len(TARGETS)))
        predicted = 4 + gain * (truth[concept] - 4) + noise
        for repeat in range(n_repeats + 1):
            mean = repeat == n_repeats
            guess = predicted.mean(0) if mean else predicted[repeat]
            at = 0 if mean else repeat
            row = {"row": concept * n_repeats + at, "session": at + 1, "run": 1}
            row |= {"trial": concept + 1, "part": "test", "n_averaged": n_repeats if mean else 1}
            row |= {"concept": f"thing{concept}", "image_filename": f"thing{concept}_01b.jpg"}
            for j, target in enumerate(TARGETS):
                row |= {f"true_{target}": truth[concept, j], f"pred_{target}": guess[j]}
                row[f"sd_{target}"] = 1.2
            rows.append(row)
    return pd.DataFrame(rows)


def class_table(share=0.3, seed=0, n_concepts=20, n_repeats=3):
    """Test predictions of a class job that ranks the true class first in a `share` of trials."""
    rng = np.random.default_rng(seed)
    table = ratings_table(n_concepts=n_concepts, n_repeats=n_repeats)
    table = table[table["n_averaged"] == 1].reset_index(drop=True)
    table = table[[c for c in table if not str(c).startswith(("true_", "pred_", "sd_"))]]
    table["true_class"] = table["concept"]
    hit = rng.random(len(table)) < share
    table["rank"] = np.where(hit, 1, rng.integers(2, n_concepts, len(table)))
    return table


def naming_table(share=0.3, seed=0, **more):
    """Test predictions of a rating job whose ratings name the concept in a `share` of trials."""
    table = ratings_table(seed=seed, **more)
    rng = np.random.default_rng(seed)
    hit = rng.random(len(table)) < share
    return table.assign(rank=pd.array(np.where(hit, 1, 15), dtype="Int64"))


def naming_scores(model, n_choices=20):
    """Scores of a decoder that names one of some concepts."""
    rows = class_scores(model)
    chance = rows["model"].eq("chance")
    k = rows["metric"].str.removeprefix("top").astype(int)
    return pd.concat([scores(model), rows.assign(value=rows["value"].mask(chance, k / n_choices))])


def recipe(name, **more):
    """A recipe of a transformer of four properties."""
    model = {"name": "vit3d", "tokens": "brain"}
    return {"name": name, "dataset": "demo", "targets": list(TARGETS), "model": model} | more


def finished(name="one", table=None, learns="ratings", **more) -> FinishedJob:
    """A finished job in memory."""
    config = parse_config(recipe(name, **more))
    if learns != "ratings":
        config = config.model_copy(update={"learns": learns})
    frame = ratings_table() if table is None else table
    return FinishedJob(name, config, scores(config.model.name), frame, "f" * 64)


def folder(name="one", gain=0.6, seed=0, **more) -> JobFolder:
    """A finished job in the jobs' folder."""
    job = create_job(parse_config(recipe(name, **more)))
    ratings_table(gain, seed).to_parquet(job.file("predictions.parquet"))
    rows = scores(job.config().model.name).to_dict("records")
    limits = ["One person's brain was decoded."]
    json_files.write_sealed(job.file("scores.json"), {"rows": rows, "could_not_show": limits})
    manifest = {"dataset_fingerprint": "f" * 64, "simulated": True, "seed": 0, "threads": 1}
    manifest |= {"versions": {"python": "3.11.7"}, "git_commit": "abc123", "fit_seconds": 12.5}
    manifest |= {"n_parameters": 3456, "peak_bytes": 7 * 10**8, "starts": ["2026-01-01T00:00:00"]}
    json_files.write_sealed(job.file("manifest.json"), manifest)
    for row in metrics(3):
        json_files.append_line(job.file("metrics.jsonl"), row)
    job.file("log.txt").write_text("three epochs\n")
    job.write_status(RunStatus("done", 3, 3, 12, 12, None, "done in 13 s"))
    return job
