"""The original study's table 8.2 of its three classifiers, this time measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from thingsviz.jobs.job_folder import JobFolder
from thingsviz.pipeline.resource_usage import spent
from thingsviz.replication.wording import SHAPES, SPATIAL
from thingsviz.reports import html_page as page

MEGA = 1_000_000


def classifiers_table(jobs: Mapping[str, JobFolder], shape: Sequence[int] | None) -> str:
    """Tabulate structure, parameters, speed, data shape and overfitting of class jobs by model."""
    names = [name for name in SPATIAL if name in jobs]
    rows = [
        ["spatial structure", *(SPATIAL[n] for n in names)],
        ["parameters", *(_parameters(jobs[n]) for n in names)],
        ["speed", *(_speed(jobs[n]) for n in names)],
        ["peak memory", *(_memory(jobs[n]) for n in names)],
        ["data shape", *(_shape(n, shape) for n in names)],
        ["overfitting", *(overfitting(jobs[n].metrics()[0]) for n in names)],
    ]
    return page.table(["", *names], rows)


def _parameters(job: JobFolder) -> str:
    n = spent(job).n_parameters
    return "not recorded" if n is None else f"{n:,}"


def _speed(job: JobFolder) -> str:
    seconds, epochs = spent(job).seconds, _epochs(job.metrics()[0])
    if seconds is None or not epochs:
        return "not recorded"
    steps = int(epochs[-1]["step"])
    return (
        f"{seconds / len(epochs):,.1f} s an epoch with its validation, "
        f"{1000 * seconds / max(steps, 1):,.0f} ms a batch"
    )


def _memory(job: JobFolder) -> str:
    n = spent(job).peak_bytes
    return "not recorded" if n is None else f"{n / MEGA:,.0f} MB"


def _shape(name: str, shape: Sequence[int] | None) -> str:
    if shape is None:
        return SHAPES[name]
    halves = [-(-side // 2) for side in shape]
    if SHAPES[name] == "flattened":
        n = halves[0] * halves[1] * halves[2]
        return f"{n:,} numbers in a row (every second voxel)"
    return f"1 × {' × '.join(map(str, halves))} (every second voxel)"


def _epochs(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [
        row
        for row in rows
        if row.get("kind") == "epoch"
        and row.get("train_loss") is not None
        and row.get("validation_loss") is not None
    ]


def overfitting(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say from the losses of the epochs whether a training overfitted, underfitted or neither."""
    epochs = _epochs(rows)
    if len(epochs) < 2:
        return "one epoch alone does not tell"
    train = [float(row["train_loss"]) for row in epochs]
    check = [float(row["validation_loss"]) for row in epochs]
    best = min(range(len(check)), key=check.__getitem__)
    losses = (
        f"training loss {train[0]:.2f} → {train[-1]:.2f}, validation {check[0]:.2f} → "
        f"{check[-1]:.2f}"
    )
    if train[-1] >= train[0]:
        return f"underfits: {losses}, nothing was learned yet"
    if best < len(check) - 1:
        return f"overfits after epoch {int(epochs[best]['epoch'])}: {losses}"
    return f"not yet: {losses}, still falling"
