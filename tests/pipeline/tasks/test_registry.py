"""A task that is a class of its own goes the whole way of a training; nothing else changes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.linear.config import MeanConfig, RidgeConfig
from thingsviz.analysis.scores.metrics import pearson
from thingsviz.pipeline.tasks import registry
from thingsviz.pipeline.tasks.base import Predicted, Scored, Task
from thingsviz.pipeline.tasks.table import judged_parts, trial_columns
from thingsviz.pipeline.training_data import read_split, scaler_file

NAMES = ("length of the name", "vowels")


@dataclass(frozen=True)
class Letters(Task):
    """Two numbers of each concept that no table of ratings holds."""

    references = {"mean": MeanConfig(), "ridge": RidgeConfig()}  # noqa: RUF012

    @classmethod
    def open(cls, job, dataset, store):
        split = read_split(job, store, store.trials)
        return cls(job.config(), dataset, store, split, scaler_file(job))

    @classmethod
    def outputs_of(cls, job, dataset, store):
        return NAMES

    @property
    def outputs(self):
        return NAMES

    @cached_property
    def answers(self):
        vowels = [sum(letter in "aeiou" for letter in name) for name in self.concepts]
        return np.column_stack([np.char.str_len(self.concepts), vowels]).astype("f4")

    def epoch_row(self, model, X):
        rows = self.split.train
        error = self.answers[rows] - model.predict(X, rows)
        return {"train_loss": float((error**2).mean())}

    def tabulate(self, values, config):
        table = trial_columns(self, values)
        for j, name in enumerate(NAMES):
            table[f"true_{name}"] = self.answers[values.rows, j]
            table[f"pred_{name}"] = values.values[:, j]
        return Predicted(table)

    def score(self, name, predicted, *, own):
        rows = []
        for part, averaging, wanted in judged_parts(predicted.table):
            frame = predicted.table[wanted]
            row = {"model": name, "part": part, "n_averaged": averaging, "metric": "r", "p": None}
            row |= {"low": None, "high": None, "n_trials": len(frame), "n_concepts": 1}
            for target in NAMES:
                r = float(pearson(frame[f"true_{target}"], frame[f"pred_{target}"]))
                rows.append(row | {"target": target, "value": None if np.isnan(r) else r})
        return Scored(rows, [])

    def bounds(self, ridge):
        return Scored([], [])

    def compare(self, predicted, other, name):
        return [{"versus": name, "part": "test", "difference": 0.0}]

    def limits(self, rows, compared, checked):
        return ["Letters are not seen."]

    def score_facts(self, predicted):
        return {"alphabet": 26}

    def manifest_facts(self, job):
        return {"learns": "letters"}

    def cache_facts(self):
        return {"learns": "letters"}


def test_a_task_of_its_own_is_trained_scored_and_compared(make_job, run, monkeypatch):
    monkeypatch.setitem(registry.TASKS, "ratings", Letters)
    job = make_job(name="letters", model={"name": "ridge"}, split={"kind": "image"})
    assert run(job) == (0, "")
    table = job.scores().query("part == 'test' and n_averaged == 'single'")
    assert table[["model", "target"]].to_records(index=False).tolist() == [
        (model, target) for model in ("ridge", "mean") for target in NAMES
    ]
    assert job.differences()["versus"].tolist() == ["mean"]
    assert job.could_not_show() == ["Letters are not seen."]
    assert job.manifest()["learns"] == "letters"
    epochs = [row for row in job.metrics()[0] if row["kind"] == "epoch"]
    assert epochs[0]["train_loss"] > 0
    first = job.file("scores.json").read_bytes()
    job.file("scores.json").unlink()
    assert run(job) == (0, "")  # from what was predicted and kept
    assert job.scores()["value"].equals(table_of(first)["value"])


def table_of(content):
    import json

    import pandas as pd

    return pd.DataFrame(json.loads(content)["rows"])
