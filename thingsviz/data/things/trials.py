"""The trials table: which image each volume answers to, its concept, that concept's ratings."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.core.trial_key import CATCH, parse_subject
from thingsviz.data.things.image_names import base_name, concept_of
from thingsviz.data.things.layout import Dataset, RunFiles
from thingsviz.data.things.ratings import (
    Ratings,
    read_ratings,
)
from thingsviz.data.things.tables import read_table, read_text, require_columns
from thingsviz.data.things.trial_types import trial_types

KEYS = ["session", "run", "trial"]
TEXTS = ["trial_type", "image_filename", "concept", "uniqueID", "filepath", "fmri_path"]


class TrialTable(NamedTuple):
    """One row a volume in order of (session, run, trial), catch trials included; data warnings."""

    table: pd.DataFrame
    warnings: list[str]


def build_trials(dataset: Dataset, subject: str) -> TrialTable:
    """Join all conditions of a subject with image paths and ratings.

    Catch trials (no `concept`) and unrated concepts stay, without `uniqueID` and ratings.
    """
    conditions, warnings = read_runs(dataset, subject)
    return complete(dataset, subject, conditions, warnings)


def read_runs(dataset: Dataset, subject: str) -> TrialTable:
    """Read the conditions of all runs: session, run, trial, image_filename, fmri_path."""
    runs = dataset.runs(subject)
    if not runs:
        msg = no_runs(dataset, subject)
        raise DataError(msg)
    parts = [read_conditions(files) for files in runs]
    names = [fmri_path(dataset, subject, files) for files in runs]
    tables = [part.table.assign(fmri_path=name) for part, name in zip(parts, names, strict=True)]
    warnings = [note for part in parts for note in part.warnings]
    return TrialTable(pd.concat(tables, ignore_index=True), warnings)


def no_runs(dataset: Dataset, subject: str) -> str:
    """Say that a subject has no runs, and which subjects there are."""
    there = ", ".join(dataset.subjects()) or "no subject at all"
    place = "betas_vol/[scalematched/]sub-XX/ses-thingsNN/sub-XX_ses-thingsNN_run-RR_betas.nii.gz"
    return (
        f"{str(dataset.root)!r} holds no runs of {parse_subject(subject)} (there: {there}); "
        f"they are expected as {place}"
    )


def fmri_path(dataset: Dataset, subject: str, files: RunFiles) -> str:
    """Return where a run's betas are, or are published, from the dataset's root."""
    if files.betas:
        return dataset.relative(files.betas)
    subject, session = parse_subject(subject), f"ses-things{files.session:02d}"
    name = f"{subject}_{session}_run-{files.run:02d}_betas.nii.gz"
    return f"betas_vol/scalematched/{subject}/{session}/{name}"


def read_conditions(files: RunFiles) -> TrialTable:
    """Read one conditions file; trial k is its row k − 1."""
    path = files.conditions
    if path is None:
        msg = (
            f"{files} has betas ({str(files.betas)!r}) but no …_conditions.tsv beside them: add it"
        )
        raise DataError(msg)
    cells, warnings = read_table(path)
    require_columns(path, cells, ["image_filename"])
    images = cells["image_filename"].str.strip()
    _check_rows(path, cells, images)
    keys = {"session": files.session, "run": files.run, "trial": np.arange(1, len(images) + 1)}
    table = pd.DataFrame({**keys, "image_filename": images.astype(str)})
    return TrialTable(table, warnings)


def _check_rows(path: Path, cells: pd.DataFrame, images: pd.Series) -> None:
    """Refuse rows without an image, a row listed twice, an image shown twice in one run."""
    if not len(images):
        msg = f"{str(path)!r} lists no trials: one row a volume is expected"
        raise DataError(msg)
    if (images == "").any():
        row = int(np.flatnonzero(images == "")[0])
        msg = f"{str(path)!r} names no image for trial {row + 1}: one image a row is expected"
        raise DataError(msg)
    index = cells[""] if "" in cells.columns else pd.Series(range(len(images)))
    for column, what in ((index, "row"), (images, "image")):
        if column.duplicated().any():
            twice = column[column.duplicated()].iloc[0]
            msg = f"{str(path)!r} lists {what} {twice!r} twice: a run shows each image once"
            raise DataError(msg)


def complete(
    dataset: Dataset, subject: str, conditions: pd.DataFrame, warnings: list[str]
) -> TrialTable:
    """Add trial type, concept, picture path and ratings to (session, run, trial, image) rows."""
    ratings = read_ratings(dataset.ratings_file)
    table = conditions.assign(trial_number=conditions["trial"])
    table["concept"] = table["image_filename"].map(concept_of).astype("str")
    if "trial_type" not in table:
        table["trial_type"] = trial_types(dataset, subject, table)
    table["uniqueID"] = table["concept"].where(table["concept"].isin(ratings.table.index))
    table["filepath"], path_notes = _picture_paths(dataset, table)
    rated = ratings.table.reindex(table["uniqueID"]).reset_index(drop=True)
    first = [*KEYS, "trial_type", "trial_number", *TEXTS[1:]]
    whole = pd.concat([table[first], rated], axis=1)
    notes = [*warnings, *ratings.warnings, *path_notes, *_unrated(dataset, whole, ratings)]
    return TrialTable(whole, notes)


def _picture_paths(dataset: Dataset, table: pd.DataFrame) -> tuple[pd.Series, list[str]]:
    """Return each live trial's line of image-paths.csv, by base name; else the usual path."""
    usual = "images/" + table["concept"] + "/" + table["image_filename"].map(base_name)
    live = table["concept"].notna()
    path = dataset.image_paths_file
    if not path.is_file():
        return usual, []
    text, warnings = read_text(path)
    lines = [line.strip().strip('"') for line in text.split("\n") if line.strip()]
    listed = {base_name(line): line for line in lines}
    found = table["image_filename"].map(base_name).map(listed)
    lost = int((found.isna() & live).sum())
    if lost:
        warnings.append(f"{lost} trials show a picture that {path.name} does not list")
    return found.fillna(usual).where(live).astype("str"), warnings


def _unrated(dataset: Dataset, table: pd.DataFrame, ratings: Ratings) -> list[str]:
    """Say which concepts have no ratings; refuse ratings that fit none of the trials."""
    lacking = table[(table["trial_type"] != CATCH) & table["uniqueID"].isna()]
    if not len(lacking):
        return []
    names = sorted(lacking["concept"].unique())
    shown = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
    if not table["uniqueID"].notna().any():
        path = str(dataset.ratings_file)
        msg = f"{path!r} rates none of the concepts shown ({shown}): put the published file there"
        raise DataError(msg)
    return [f"{len(lacking)} trials show concepts without ratings, left out of training: {shown}"]


def read_trials(store_dir: Path) -> pd.DataFrame:
    """Read the prepared trials table; row i is volume i of the store."""
    path = store_dir / "trials.parquet"
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        msg = f"{str(path)!r} cannot be read ({_short(error)}): run prepare again"
        raise DataError(msg) from error


def _short(error: Exception) -> str:
    return str(error).split("\n")[0][:120]


def live_rows(trials: pd.DataFrame) -> NDArray[np.int64]:
    """Return rows that show a rated concept: what can be trained on and scored."""
    usable = (trials["trial_type"] != CATCH) & trials["uniqueID"].notna()
    return np.flatnonzero(usable).astype(np.int64)
