"""Which folder a job or a dataset is that a command was given by its name or its path."""

from pathlib import Path

from thingsviz.data.things.layout import datasets_root
from thingsviz.jobs.job_folder import jobs_root


def job_path(given: Path) -> Path:
    """Return a job's or study's folder: a path, or a name in the folder of jobs."""
    return _below(given, jobs_root())


def dataset_path(given: Path) -> Path:
    """Return a dataset's folder: a path, or a name in the folder of datasets."""
    return _below(given, datasets_root())


def _below(given: Path, root: Path) -> Path:
    is_name = len(given.parts) == 1 and not given.exists() and (root / given).exists()
    return root / given if is_name else given
