"""Pictures of subjects, scores and maps for notebooks, the same as on the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from thingsviz.analysis.regions.regions import regions_of
from thingsviz.api.job import Job
from thingsviz.api.maps import CEILING
from thingsviz.api.subject import Subject
from thingsviz.core.errors import JobError
from thingsviz.data.trials.indexing import Index, row_of
from thingsviz.figures.base.style import Theme
from thingsviz.figures.brain.slices import draw_slices, slices_info
from thingsviz.figures.maps.map_slices import draw_map_slices, map_slices_info
from thingsviz.figures.scores.property_scores import draw_property_scores, property_scores_info
from thingsviz.figures.scores.scores import ScoreQuestion


class Figure(Protocol):
    """What is used of plotly.graph_objects.Figure, which has no types of its own."""

    data: tuple[object, ...]

    def show(self) -> None:
        """Show it, in a notebook below the cell."""

    def write_html(self, file: str | Path) -> None:
        """Write it as a page of its own."""

    def write_image(self, file: str | Path) -> None:
        """Write it as PNG, SVG or PDF; needs the package kaleido."""

    def update_layout(self, **settings: object) -> Figure:
        """Change title, size, axes."""
        ...


def plot_slices(
    sub: Subject,
    trial: Index = 0,
    *,
    voxel: tuple[int, int, int] | None = None,
    theme: Theme = "light",
) -> Figure:
    """Draw three planes through one trial's response.

    Parameters
    ----------
    sub : Subject
    trial : int, (run, trial) or (session, run, trial)
    voxel : (i, j, k), optional
        Where the planes cross; None: the middle of the brain.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        % signal change; the left of a picture is the left of the brain.

    Raises
    ------
    IndexError
        There is no such trial.

    Examples
    --------
    >>> len(tv.plot_slices(sub, trial=0).data)
    3
    """
    store, row = sub.store, row_of(sub.store, trial)
    regions = regions_of(store.voxels, store.grid, store.mask, store.space)
    info = slices_info(store.volume(row), store.mask, store.grid, voxel, regions)
    title = f"{sub.dataset_name} · {sub.name} · {store.key(row)}"
    figure: Figure = draw_slices(info, theme, title)
    return figure


def plot_scores(
    job: Job,
    *,
    part: str = "test",
    averaging: str = "single",
    metric: str = "r",
    theme: Theme = "light",
) -> Figure:
    """Draw the score of each property with its 95 % interval beside its references.

    Parameters
    ----------
    job : Job
        A finished job that learned ratings.
    part : {"test", "exemplars"}
    averaging : str
        "single", or as `job.tidy_scores["n_averaged"]` says it, such as "mean of 4".
    metric : {"r", "mse", "mae", "mse_unit", "mae_unit", "confidence"}
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    JobError
        The job is not done, or has no such scores.

    Examples
    --------
    >>> job = tv.train("ridge", sub, sub.split(seed=0), targets=["heavy", "lives"])
    >>> tv.plot_scores(job).layout.title.text
    'Pearson r of each property'
    """
    question = ScoreQuestion(part, averaging, metric=metric)
    info = property_scores_info(job.tidy_scores, job.recipe.model.name, question)
    if not info.scores:
        msg = f"{job.name!r} has no scores {metric!r} of {part}, {averaging}: see job.tidy_scores"
        raise JobError(msg)
    figure: Figure = draw_property_scores(info, theme)
    return figure


def plot_map(
    job: Job,
    method: str,
    *,
    part: str = "test",
    target: str = "all",
    top_percent: float = 20.0,
    theme: Theme = "light",
) -> Figure:
    """Draw where a finished job's decoder looks, in three planes through the strongest voxel.

    Parameters
    ----------
    job : Job
    method, part, target : str
        As of `job.explain`.
    top_percent : float
        Only the strongest voxels that hold so many % of the map are coloured.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        In multiples of the mean over the brain, over the planted or measured noise ceiling in
        grey where there is one.

    Raises
    ------
    ConfigError, JobError
        As of `job.explain`.
    """
    found = job.explain(method, part, target)
    store = found.store
    known = store.voxels.get(CEILING)
    under = store.mask.astype("f4") if known is None else store.brain.unmask(known.to_numpy("f4"))
    regions = regions_of(store.voxels, store.grid, store.mask, store.space)
    info = map_slices_info(found.volume(), under, store.mask, store.grid, top_percent, regions)
    figure: Figure = draw_map_slices(info, theme)
    return figure
