"""A job's numbers for other programs: CSV tables, and event files that TensorBoard opens."""

from __future__ import annotations

from pathlib import Path

from tensorboardX import SummaryWriter

from thingsviz.core.errors import JobError
from thingsviz.core.files import write_atomically
from thingsviz.jobs.job_folder import JobFolder

# our names of metrics, and where TensorBoard groups them
TAGS = {
    "train_loss": "loss/training",
    "validation_loss": "loss/validation",
    "validation_r": "validation/r",
    "validation_top10": "validation/top10",
    "lr": "learning_rate",
}


def write_csv(job: JobFolder, folder: Path) -> list[str]:
    """Write scores, predictions and differences as CSV; returns the names of what was written."""
    tables = {
        "scores.csv": job.scores(),
        "predictions.csv": job.predictions(),
        "differences.csv": job.differences(),
    }
    known = {name: t for name, t in tables.items() if t is not None and len(t)}
    if not known:
        msg = f"{job.name!r} has no scores and no predictions yet: it is {job.status().state}"
        raise JobError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in known.items():
        text = table.to_csv(index=False)
        write_atomically(folder / name, lambda file, text=text: file.write(text.encode()))  # type: ignore[misc]
    return list(known)


def write_events(job: JobFolder, folder: Path) -> int:
    """Write a job's metrics as a TensorBoard event file; returns how many values.

    Single batches are tagged apart from epochs, the wall time is that of the training.
    """
    rows, _ = job.metrics()
    if not rows:
        msg = f"{job.name!r} has no metrics yet: it is {job.status().state}"
        raise JobError(msg)
    n = 0
    with SummaryWriter(str(folder / job.name)) as writer:
        for row in rows:
            for name, tag in TAGS.items():
                value = row.get(name)
                if value is not None:
                    batch = "loss/single_batches" if name == "train_loss" else tag
                    tag = batch if row.get("kind") == "step" else tag
                    writer.add_scalar(tag, float(value), int(row["step"]), row.get("time"))
                    n += 1
    return n
