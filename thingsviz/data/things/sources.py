"""The files of a release from which a subject is prepared."""

from __future__ import annotations

from pathlib import Path

from thingsviz.data.things.layout import Dataset


def small_sources(dataset: Dataset, subject: str, *, with_betas: bool) -> list[Path]:
    """Return every source file but the betas."""
    runs = dataset.runs(subject)
    paths = [files.conditions for files in runs if files.conditions]
    events = (dataset.events_file(subject, files.session, files.run) for files in runs)
    paths += [path for path in events if path]
    paths += [dataset.ratings_file, dataset.image_paths_file, dataset.description_file]
    if with_betas:
        paths.append(dataset.brain_mask(subject))
        paths += dataset.table_release(subject)[1:]
    return [path for path in paths if path.is_file()]
