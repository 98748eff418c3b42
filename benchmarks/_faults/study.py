"""Kills of a study's process: each candidate ends once, and none is left out."""

from __future__ import annotations

import os
import random
from pathlib import Path

from benchmarks._faults.work import FIT, VIT, Row, fork, jobs_folder, killed_at_random


def study(row: Row, kills: int, root: Path, moments: random.Random) -> None:
    """Kill a study's process; each candidate ends once, none is left out."""
    from thingsviz.commands import tune
    from thingsviz.studies.config import parse_study
    from thingsviz.studies.records import StudyRecords
    from thingsviz.studies.storage import open_storage
    from thingsviz.studies.study_folder import create_study

    jobs_folder(root, "study")
    n = max(4, 3 * kills)
    base = {"dataset": "tiny", "model": VIT, "fit": FIT | {"epochs": 2}}
    space = {"fit.learning_rate": {"kind": "float", "low": 1e-4, "high": 1e-2, "log": True}}
    recipe = {"name": "faults", "base": base, "space": space, "n_candidates": n}
    config = parse_study({**recipe, "sampler": "random", "controls": [], "final": False})
    folder = create_study(config)

    def search() -> None:
        tune.main([str(folder.path)])

    while row.kills < kills and killed_at_random(search, moments.uniform(0.2, 2.5)):
        row.kills += 1
    os.waitpid(fork(search), 0)
    records = StudyRecords(folder, config, "search", open_storage(folder))
    done: dict[int, int] = {}
    for trial in records.trials():
        if trial.values:
            index = int(trial.user_attrs["index"])
            done[index] = done.get(index, 0) + 1
    row.lost += n - len(done)
    row.doubled += sum(count - 1 for count in done.values())
    for index in done:
        job = records.job_of(next(t for t in records.trials() if t.user_attrs["index"] == index))
        steps = [(line["kind"], line["step"]) for line in job.metrics()[0]]
        row.doubled += len(steps) - len(set(steps))
