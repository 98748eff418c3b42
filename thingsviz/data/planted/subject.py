"""Who is planted: the names, ratings, design and pictures that a preset and a user's own files give together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.data.planted import ratings
from thingsviz.data.planted.concepts import PROPERTIES, Concepts, choose_names, describe
from thingsviz.data.planted.design import make_design, read_design
from thingsviz.data.planted.pictures import IconPictures, PhotoPictures, Pictures
from thingsviz.data.planted.presets import Preset
from thingsviz.data.planted.streams import stream

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Sources:
    """A user's own files, each optional: photographs, a design of conditions files, ratings."""

    images: Path | None = None
    design: Path | None = None
    ratings: Path | None = None


class Subject(NamedTuple):
    """What is planted. `ratings` (n_concepts, 14) are the true ones, `table` what raters published of them;
    `design` has the columns of design.COLUMNS and concept_index (−1 for catch trials).
    """

    concepts: Concepts
    ratings: FloatArray
    table: pd.DataFrame
    design: pd.DataFrame
    pictures: Pictures
    simulated_ratings: list[str]

    def image_files(self) -> dict[str, list[str]]:
        """Return the pictures of each concept as `concept/file.jpg`, catch pictures left out."""
        live = self.design[self.design["concept_index"] >= 0]
        files: dict[str, list[str]] = {}
        for concept, images in live.groupby("concept")["image_filename"]:
            bases = sorted({PurePosixPath(name).name for name in images})
            files[str(concept)] = [f"{concept}/{base}" for base in bases]
        return files


def make_subject(preset: Preset, seed: int, sources: Sources) -> Subject:
    """Bring names, ratings, design and pictures together; refuse sources that do not fit."""
    photos = PhotoPictures(sources.images) if sources.images else None
    given = ratings.read_given(sources.ratings) if sources.ratings else None
    if sources.design:
        design = read_design(sources.design)
        names = sorted(set(design["concept"]) - {""})
    else:
        names = choose_names(stream(seed, "names"), preset.n_concepts, _candidates(photos, given))
        design = make_design(preset, names, stream(seed, "design"))
    concepts = describe(names, stream(seed, "kinds"))
    true = ratings.true_ratings(concepts, stream(seed, "ratings"))
    if given:
        concepts, true, table = _with_given(concepts, true, given)
    else:
        table = ratings.rate(names, true, stream(seed, "raters"))
    index = {name: n for n, name in enumerate(names)} | {"": -1}
    design["concept_index"] = design["concept"].map(index)
    pictures = photos or IconPictures(dict(zip(names, concepts.glyphs, strict=True)), seed)
    lacking = given.missing if given else PROPERTIES
    return Subject(concepts, true, table, design, pictures, list(lacking))


def _candidates(
    photos: PhotoPictures | None, given: ratings.GivenRatings | None
) -> list[str] | None:
    """Return the names that all sources know; None without sources."""
    pools = [set(photos.concepts)] if photos else []
    pools += [set(given.table.index)] if given else []
    return sorted(set.intersection(*pools)) if pools else None


def _with_given(
    concepts: Concepts, simulated: FloatArray, given: ratings.GivenRatings
) -> tuple[Concepts, FloatArray, pd.DataFrame]:
    """Plant a user's ratings: they are the truth; only properties that they lack stay simulated."""
    lost = [name for name in concepts.names if name not in given.table.index]
    if lost:
        msg = f"the ratings have no row for {len(lost)} concepts of the design, {lost[0]!r} first: add them"
        raise DataError(msg)
    rows = given.table.loc[concepts.names]
    true, sd = simulated.copy(), np.full(simulated.shape, np.nan)
    for at, name in enumerate(PROPERTIES):
        if name not in given.missing:
            true[:, at] = _numbers(rows, ratings.mean_column(name))
            column = ratings.sd_column(name)
            sd[:, at] = rows[column] if column in rows else np.nan
    z = (true - true.mean(0)) / np.maximum(true.std(0), 1e-9)
    told = [at for at, name in enumerate(PROPERTIES) if name not in given.missing]
    masked = np.full(z.shape, np.nan)
    masked[:, told] = z[:, told]
    kind = np.where(concepts.known, concepts.kind, ratings.nearest_kind(masked))
    raters = rows.get("property_N-ratings", pd.Series(ratings.N_RATERS, rows.index))
    table = ratings.to_table(concepts.names, true, sd, raters.to_numpy())
    return concepts._replace(kind=kind), true, table


def _numbers(rows: pd.DataFrame, column: str) -> FloatArray:
    """Return a column of ratings as numbers, all there."""
    values: FloatArray = pd.to_numeric(rows[column], errors="coerce").to_numpy(float)
    if np.isnan(values).any():
        name = rows.index[int(np.isnan(values).argmax())]
        msg = f"the ratings' column {column!r} has no number for {name!r}: fill it in"
        raise DataError(msg)
    return values
