"""A job with folds: a decoder a fold, every trial predicted once, the scores of all folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from thingsviz.analysis.scores.folds import (
    FoldSizes,
    curves_over_folds,
    differences_over_folds,
    over_folds,
)
from thingsviz.core.errors import JobError
from thingsviz.data.trials.folds import FoldsAudit, audit_folds, fold_names, make_folds
from thingsviz.data.trials.splits import Split
from thingsviz.jobs.folds import make_fold_folder
from thingsviz.jobs.job_folder import SCORES, JobFolder
from thingsviz.jobs.manifest import add_to_manifest
from thingsviz.pipeline.fit import default_threads
from thingsviz.pipeline.fold_reporter import Clock, FoldPlace, FoldReporter
from thingsviz.pipeline.manifest_facts import begin_manifest
from thingsviz.pipeline.run import run
from thingsviz.pipeline.tasks.base import Predicted, Row, Task
from thingsviz.pipeline.tasks.registry import open_task, open_trials
from thingsviz.queue.reporter import Reporter

FEW_FOLDS = 5
INEXACT = (
    "The interval is over folds (corrected resampled t, Nadeau and Bengio 2003): folds share most "
    "of their training trials, so no interval over them is exact, and this one is rather too wide."
)


def run_folds(reporter: Reporter) -> None:
    """Train and judge each fold that is not done yet, then bring them together.

    A fold is an ordinary job in a folder of its own, so that a job that was stopped or killed
    goes on within the fold it was in. Any of this may raise StoppedError.
    """
    job, config = reporter.job, reporter.job.config()
    store, trials = open_trials(job)
    splits = make_folds(trials, config.split.choice)
    names = fold_names(trials, config.split.choice)
    folders = [make_fold_folder(job, config, n) for n in range(1, len(splits) + 1)]
    clock = Clock(sum(fold.is_done() for fold in folders))
    tasks: list[Task] = []
    for number, (folder, name) in enumerate(zip(folders, names, strict=True), 1):
        task = open_task(folder, store)
        if not tasks:
            begin_manifest(job, task, default_threads(), reporter.peers.n_processes)
        tasks.append(task)
        if not folder.is_done():
            place = FoldPlace(number, len(splits), name)
            _run_fold(FoldReporter(reporter, folder, place, clock), task)
    reporter.announce("bringing the folds together")
    checked = audit_folds(trials, splits)
    predicted = _gathered(tasks, folders, splits)
    whole = _whole(tasks[0], splits)
    whole.keep(job, predicted)
    add_to_manifest(job, **_facts(folders, names), split=_split_facts(whole, folders))
    SCORES.write(job.file("scores.json"), _record(whole, predicted, (folders, names), checked))


def _run_fold(reporter: FoldReporter, task: Task) -> None:
    reporter.check()
    run(reporter, task)
    reporter.finish_fold()


def _whole(first: Task, splits: Sequence[Split]) -> Task:
    """Return the task of all folds together: what it tests some fold tested."""
    tested = np.sort(np.concatenate([split.test for split in splits]))
    nothing = np.empty(0, np.int64)
    split = Split(tested, nothing, tested, splits[0].kind, splits[0].seed, {})
    return replace(first, split=split)


def _gathered(
    tasks: Sequence[Task], folders: Sequence[JobFolder], splits: Sequence[Split]
) -> Predicted:
    """Return the test predictions of all folds; each trial is predicted exactly once."""
    tables, ranks = [], []
    for number, (task, folder) in enumerate(zip(tasks, folders, strict=True), 1):
        kept = task.kept(folder)
        if kept is None:
            msg = f"{folder.path} has lost its predictions: delete its scores.json and resume"
            raise JobError(msg)
        test = kept.table["part"].eq("test").to_numpy()
        tables.append(kept.table[test].assign(fold=number))
        if kept.ranks is not None:
            ranks.append(kept.ranks[test])
    table = pd.concat(tables, ignore_index=True)
    rows = np.sort(table.loc[table["n_averaged"] == 1, "row"].to_numpy())
    expected = np.sort(np.concatenate([split.test for split in splits]))
    if not np.array_equal(rows, expected):
        msg = (
            f"the folds in {folders[0].path.parent} predicted {len(rows)} trials in place of "
            f"{len(expected)}: delete that folder and start the job again"
        )
        raise JobError(msg)
    return Predicted(table, np.concatenate(ranks) if ranks else None)


def _record(
    whole: Task,
    predicted: Predicted,
    folds: tuple[Sequence[JobFolder], Sequence[str]],
    checked: FoldsAudit,
) -> dict[str, Any]:
    """Return what scores.json says: means over folds, and each fold's own scores."""
    folders, names = folds
    records = [folder.score_record() or {} for folder in folders]
    splits = [folder.manifest()["split"] for folder in folders]
    n_train, n_test = ([int(split[name]) for split in splits] for name in ("n_train", "n_test"))
    sizes = FoldSizes(np.array(n_train, float), np.array(n_test, float))
    found = over_folds([record["rows"] for record in records], sizes, _concepts(predicted.table))
    compared = differences_over_folds([record["differences"] for record in records], sizes)
    curves = curves_over_folds([record.get("curves", []) for record in records], sizes)
    return {
        "rows": found.rows,
        **({"curves": curves} if curves else {}),
        "differences": compared,
        "could_not_show": [
            *_limits(len(names)),
            *whole.limits(found.rows, compared, checked.together),
        ],
        "audit": checked.together._asdict(),
        **whole.score_facts(predicted),
        "folds": {
            "kind": whole.config.split.kind,
            "names": list(names),
            "n_train": n_train,
            "n_test": n_test,
            "audits": [one._asdict() for one in checked.folds],
            "by_fold": found.by_fold,
        },
    }


def _limits(n_folds: int) -> list[str]:
    few = f"{n_folds} folds are few: their interval is wide, and a fold more or less moves it."
    return [INEXACT, *([few] if n_folds < FEW_FOLDS else [])]


def _concepts(table: pd.DataFrame) -> dict[tuple[str, bool], int]:
    """Count the concepts that all folds test, single and averaged."""
    averaged = (table["n_averaged"] > 1).to_numpy()
    return {
        (part, several): len(
            table.loc[table["part"].eq(part) & (averaged == several), "concept"].unique()
        )
        for part in table["part"].unique()
        for several in (False, True)
    }


def _split_facts(whole: Task, folders: Sequence[JobFolder]) -> Row:
    """Return what the manifest says of the folds in place of one split."""
    n_train = [int(folder.manifest()["split"]["n_train"]) for folder in folders]
    facts = {"kind": whole.split.kind, "seed": whole.split.seed, "hash": whole.split_hash}
    return {
        **facts,
        "folds": len(folders),
        "n_train": round(float(np.mean(n_train))),
        "n_test": len(whole.split.test),
    }


def _facts(folders: Sequence[JobFolder], names: Sequence[str]) -> Row:
    """Return what the manifest says of all folds: costs added up, when each test was touched."""
    facts = [folder.manifest() for folder in folders]
    touched = [when for one in facts for when in one.get("test_set_touched", [])]
    found: Row = {
        "folds": list(names),
        "test_set_touched": touched,
        "fit_seconds": round(sum(float(one.get("fit_seconds", 0.0)) for one in facts), 3),
        "peak_bytes": max(int(one.get("peak_bytes", 0)) for one in facts),
    }
    if "n_parameters" in facts[0]:
        found["n_parameters"] = facts[0]["n_parameters"]
    return found
