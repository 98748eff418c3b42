"""Who is planted: what a preset and a user's own files give together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.data.planted import ratings
from thingsviz.data.planted.concepts import (
    PROPERTIES,
    Concepts,
    archetypes,
    choose_names,
    describe,
)
from thingsviz.data.planted.design import make_design, read_design
from thingsviz.data.planted.given import GivenRatings, plant_given
from thingsviz.data.planted.pictures import IconPictures, PhotoPictures, Pictures
from thingsviz.data.planted.presets import SimulationPreset
from thingsviz.data.planted.streams import stream

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Sources:
    """A user's own files, each optional: photographs, a design of conditions files, ratings."""

    images: Path | None = None
    design: Path | None = None
    ratings: Path | None = None


class PlantedSubject(NamedTuple):
    """What is planted, before there is a brain.

    ratings (n_concepts, 14) are the true ones, `table` what raters published of them; `design`
    has design.COLUMNS and concept_index, −1 for catch trials.
    """

    concepts: Concepts
    ratings: FloatArray
    table: pd.DataFrame
    design: pd.DataFrame
    pictures: Pictures
    simulated_ratings: list[str]

    @property
    def kinds(self) -> list[str]:
        """The kind of each concept, in the order of the concepts and of `table`."""
        return [str(kind) for kind in archetypes().index[self.concepts.kind]]

    def image_files(self) -> dict[str, list[str]]:
        """Return each concept's pictures as `concept/file.jpg`; catch ones are not published."""
        live = self.design[self.design["concept_index"] >= 0]
        files: dict[str, list[str]] = {}
        for concept, images in live.groupby("concept")["image_filename"]:
            bases = sorted({PurePosixPath(name).name for name in images})
            files[str(concept)] = [f"{concept}/{base}" for base in bases]
        return files


def make_subject(preset: SimulationPreset, seed: int, sources: Sources) -> PlantedSubject:
    """Bring names, ratings, design and pictures together; refuse sources that do not fit."""
    photos = PhotoPictures(sources.images) if sources.images else None
    given = GivenRatings.read(sources.ratings) if sources.ratings else None
    names, design = _design(preset, seed, sources, _candidates(photos, given))
    concepts = describe(names, stream(seed, "kinds"))
    true = ratings.true_ratings(concepts, stream(seed, "ratings"))
    if given:
        concepts, true, table = plant_given(concepts, true, given)
    else:
        table = ratings.rate(names, true, stream(seed, "raters"))
    index = {name: n for n, name in enumerate(names)} | {"": -1}
    design["concept_index"] = design["concept"].map(index)
    pictures = photos or IconPictures(dict(zip(names, concepts.glyphs, strict=True)), seed)
    simulated = given.lacking if given else list(PROPERTIES)
    return PlantedSubject(concepts, true, table, design, pictures, simulated)


def _design(
    preset: SimulationPreset, seed: int, sources: Sources, candidates: list[str] | None
) -> tuple[list[str], pd.DataFrame]:
    """Return concept names, sorted, and the design."""
    if sources.design:
        design = read_design(sources.design)
        return sorted(set(design["concept"]) - {""}), design
    names = choose_names(stream(seed, "names"), preset.n_concepts, candidates)
    return names, make_design(preset, names, stream(seed, "design"))


def _candidates(photos: PhotoPictures | None, given: GivenRatings | None) -> list[str] | None:
    """Return the names that all sources know; None without sources."""
    pools = [set(photos.concepts)] if photos else []
    pools += [set(given.table.index)] if given else []
    return sorted(set.intersection(*pools)) if pools else None
