"""StimulusMetadata.csv of the table release: which trial each column of responses is."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from thingsviz.core.errors import DataError
from thingsviz.core.trial_key import TEST, TRAIN
from thingsviz.data.things.image_names import base_name
from thingsviz.data.things.tables import read_table, require_columns

COLUMNS = ["trial_type", "session", "run", "trial_id", "stimulus"]


def read_stimuli(path: Path) -> pd.DataFrame:
    """Read trial_type, session, run, trial_id (the column of the responses) and stimulus."""
    cells = read_table(path, separator=",").cells
    require_columns(path, cells, COLUMNS)
    table = pd.DataFrame({"stimulus": cells["stimulus"].str.strip()})
    for name in ("session", "run", "trial_id"):
        table[name] = _whole_numbers(path, cells[name])
    table["trial_type"] = cells["trial_type"].str.strip().str.lower()
    odd = table[~table["trial_type"].isin([TRAIN, TEST])]
    if len(odd):
        msg = f"{str(path)!r} has the trial_type {odd['trial_type'].iloc[0]!r}"
        raise DataError(f"{msg}, expected train or test: put the published file there")
    if sorted(table["trial_id"]) != list(range(len(table))):
        msg = f"{str(path)!r}: trial_id should run from 0 to {len(table) - 1}, each once"
        raise DataError(f"{msg}; put the published file there")
    return table


def _whole_numbers(path: Path, cells: pd.Series) -> pd.Series:
    """Return the number in '1', '1.0' or 'things01'."""
    digits = cells.str.strip().map(lambda cell: re.fullmatch(r"\D*(\d{1,9})(?:\.0)?", cell))
    if digits.isna().any():
        wrong = cells[digits.isna()].iloc[0]
        msg = f"{str(path)!r}: {wrong!r} in column {cells.name!r} is no whole number"
        raise DataError(f"{msg}; put the published file there")
    return digits.map(lambda found: int(found[1])).astype(np.int64)


def types_of_images(path: Path) -> dict[str, str]:
    """Return {base name of an image: train | test}."""
    stimuli = read_stimuli(path)
    names = stimuli["stimulus"].map(base_name)
    return dict(zip(names, stimuli["trial_type"], strict=True))
