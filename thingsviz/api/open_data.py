"""Which datasets there are, and how one is opened, prepared or planted."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from thingsviz.api.subject import Subject
from thingsviz.core.progress import Report, silent
from thingsviz.data.store.state import store_state
from thingsviz.data.things.layout import Dataset, find_datasets, open_dataset


def datasets() -> pd.DataFrame:
    """List the datasets below THINGSVIZ_DATA.

    Returns
    -------
    pandas.DataFrame
        A row a subject: dataset, subject, state ("ready": prepared), trials, voxels, simulated.
        Trials and voxels are missing where a subject is not prepared.

    Examples
    --------
    >>> import thingsviz as tv
    >>> tv.datasets()[["dataset", "subject", "state", "trials"]]
      dataset subject  state  trials
    0    tiny  sub-01  ready     176
    """
    rows = [
        _row(dataset, subject) for dataset in find_datasets() for subject in dataset.subjects()
    ]
    columns = ["dataset", "subject", "state", "trials", "voxels", "simulated"]
    return pd.DataFrame(rows, columns=columns).astype({"trials": "Int64", "voxels": "Int64"})


def _row(dataset: Dataset, subject: str) -> list[object]:
    state = store_state(dataset, subject)
    counts = state.counts or {}
    sizes = [counts.get("trials"), counts.get("voxels")]
    return [dataset.name, subject, state.state, *sizes, dataset.simulated]


def load_subject(
    dataset: str | Path,
    subject: str = "sub-01",
    *,
    prepare: bool = False,
    on_progress: Report = silent,
) -> Subject:
    """Open a subject's single-trial responses, trials and ratings.

    Parameters
    ----------
    dataset : str or Path
        The name of a dataset below THINGSVIZ_DATA, or the path of one anywhere.
    subject : str
        Its label.
    prepare : bool
        Turn the published files into a store first, where that was not done: once, it may take
        minutes, and writes derivatives/ beside the data. It goes on where it was interrupted.
    on_progress : callable
        Is called with a Progress(done, total, message) while it prepares.

    Returns
    -------
    Subject

    Raises
    ------
    DataError
        There is no such dataset or subject, it is not prepared, or its store is damaged.

    Examples
    --------
    >>> import thingsviz as tv
    >>> sub = tv.load_subject("tiny", "sub-01")
    >>> sub
    Subject('tiny/sub-01': 176 trials × 5,798 voxels, 14 properties, simulated)
    """
    found = open_dataset(dataset)
    if prepare and store_state(found, subject).state != "ready":
        from thingsviz.data.prepare.build import build_store

        build_store(found, subject, on_progress=on_progress)
    return Subject(found, subject)


def simulate(
    folder: str | Path,
    *,
    preset: str = "tiny",
    seed: int = 1,
    snr: float | None = None,
    on_progress: Report = silent,
) -> Subject:
    """Plant a SIMULATED subject whose truth is known, prepare it and open it.

    Parameters
    ----------
    folder : str or Path
        Where the dataset is made; it may not exist yet.
    preset : {"tiny", "demo", "full", "null", "runs"}
        How large it is and how much signal it has: tiny is made in a second (176 trials), full is
        a published subject's size (9,840 trials, 6 GB), null has no signal at all,
        runs is one session of 12 runs with 8 classes and no test images.
    seed : int
        Equal seeds give equal bytes.
    snr : float, optional
        Factor on the preset's noise ceilings; 0 plants nothing.

    Returns
    -------
    Subject
        Its truth lies in derivatives/planted/ of the dataset.

    Raises
    ------
    DataError
        The folder holds other data already.
    ConfigError
        There is no such preset, or a number is out of bounds.

    Examples
    --------
    >>> import thingsviz as tv
    >>> tv.simulate(folder / "new", preset="tiny", seed=2).simulated
    True
    """
    from thingsviz.data.planted import SimulationOrder, plant

    plant(Path(folder), SimulationOrder(preset, seed, snr), on_progress)
    return load_subject(Path(folder), prepare=True, on_progress=on_progress)
