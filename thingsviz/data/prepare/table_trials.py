"""The trials of the table release, which has no catch trials and numbers none within a run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from thingsviz.core.errors import DataError
from thingsviz.data.things.image_names import base_name, concept_of
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.stimuli import read_stimuli
from thingsviz.data.things.trials import KEYS, TrialTable, complete, read_conditions


def build_release_trials(dataset: Dataset, subject: str) -> TrialTable:
    """Make the trials table of the table release; `column` says which column of responses it is.

    The release has no catch trials and does not number trials within a run. Where the
    conditions of a run are there too, they say which volume a trial was; without them trials
    count through the run in the order of the table.
    """
    release = dataset.table_release(subject)
    stimuli = read_stimuli(release.stimuli)
    images = {(f.session, f.run): read_conditions(f) for f in dataset.runs(subject)}
    parts, guessed = [], 0
    for (session, run), rows in stimuli.sort_values("trial_id").groupby(["session", "run"]):
        known = images.get((int(str(session)), int(str(run))))
        part = _place(rows, known.table if known else None)
        guessed += part is None
        parts.append(_count_through(rows) if part is None else part)
    table = pd.concat(parts, ignore_index=True).sort_values(KEYS, ignore_index=True)
    if table.duplicated(KEYS).any():
        msg = f"{str(release.stimuli)!r} lists one image twice in a run"
        raise DataError(f"{msg}: put the published file there")
    path = dataset.relative(release.responses)
    warnings = [
        f"{guessed} runs have no conditions: their trials are counted without the catch trials"
    ] * (guessed > 0)
    whole = complete(dataset, subject, table.assign(fmri_path=path), warnings)
    return TrialTable(whole.table.assign(column=table["trial_id"]), whole.warnings)


def _count_through(rows: pd.DataFrame) -> pd.DataFrame:
    names = rows["stimulus"].map(
        lambda name: name if "/" in name else f"{concept_of(name)}/{name}"
    )
    return rows.assign(trial=np.arange(1, len(rows) + 1), image_filename=names)


def _place(rows: pd.DataFrame, conditions: pd.DataFrame | None) -> pd.DataFrame | None:
    """Take trial numbers and image names from a run's conditions; None if they do not match."""
    if conditions is None:
        return None
    names = conditions["image_filename"].map(base_name)
    place = pd.Series(conditions.index, index=names).reindex(rows["stimulus"].map(base_name))
    if place.isna().any():
        return None
    found = conditions.iloc[place.to_numpy(dtype=np.int64)].reset_index(drop=True)
    rows = rows.reset_index(drop=True)
    return rows.assign(trial=found["trial"], image_filename=found["image_filename"])
