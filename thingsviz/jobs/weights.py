"""What a model leaves in checkpoints/: the best weights, and how they become a function."""

from __future__ import annotations

from pathlib import Path

from thingsviz.jobs.job_folder import JobFolder


def best_file(job: JobFolder) -> Path:
    """Return where the weights of the finished model are."""
    return job.checkpoints / "best.safetensors"


def states(job: JobFolder) -> list[Path]:
    """Return the training states, the newest first; a finished job has none."""
    return sorted(job.checkpoints.glob("state-*.safetensors"), reverse=True)


def epoch_file(job: JobFolder, epoch: int) -> Path:
    """Return where the weights after an epoch are, of a job that keeps them; 0 is its start."""
    return job.checkpoints / f"epoch-{epoch:05d}.safetensors"


def kept_epochs(job: JobFolder) -> list[int]:
    """Return the epochs whose weights are kept, the first one first."""
    found = job.checkpoints.glob("epoch-[0-9][0-9][0-9][0-9][0-9].safetensors")
    return sorted(int(path.stem.removeprefix("epoch-")) for path in found)
