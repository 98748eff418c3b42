"""Class labels: which concepts or categories a decoder chooses from, in an order that stays."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.errors import ConfigError, DataError
from thingsviz.core.files import crc, write_atomically
from thingsviz.core.json_files import KEY
from thingsviz.core.trial_key import CATCH
from thingsviz.data.things.categories import (
    category_file,
    most_specific,
    order_doubts,
    read_categories,
)
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.ratings import read_ratings
from thingsviz.data.things.tables import read_table, require_columns

TASKS = ("concepts", "categories27", "categories53")
COLUMNS = ("index", "label", "concepts")
PATTERN = "labels_*.tsv"
BETWEEN = ","


class LabelMap(NamedTuple):
    """The classes of a task in order, and the class of each concept that has one.

    Concepts of several categories have the smallest of them (categories.most_specific); concepts
    without one are in no class, and their trials are left out.
    """

    names: tuple[str, ...]
    of_concept: Mapping[str, int]

    def classes_of(self, concepts: NDArray[np.str_]) -> NDArray[np.int64]:
        """Return the class of each trial's concept, (n_trials,); −1 where it has none."""
        return np.array([self.of_concept.get(str(c), -1) for c in concepts], np.int64)

    def save(self, path: Path) -> None:
        """Write index, label and the concepts behind it, a line a class, and a checksum each.

        The CRC-32 of a line is that of all lines down to it, up to their own.
        """
        members: list[list[str]] = [[] for _ in self.names]
        for concept, label in sorted(self.of_concept.items()):
            members[label].append(concept)
        rows = [
            (str(i), name, BETWEEN.join(own))
            for i, (name, own) in enumerate(zip(self.names, members, strict=True))
        ]
        lines = ["\t".join((*COLUMNS, KEY))]
        lines += ["\t".join((*row, crc)) for row, crc in zip(rows, _sums(rows), strict=True)]
        text = "\n".join(lines) + "\n"
        write_atomically(path, lambda file: file.write(text.encode()))

    @classmethod
    def load(cls, path: Path) -> LabelMap:
        """Read what `save` wrote; indices must run from 0, labels be told apart."""
        cells = read_table(path).cells
        require_columns(path, cells, list(COLUMNS))
        rows = list(cells[list(COLUMNS)].itertuples(index=False, name=None))
        more = [name for name in cells.columns if name not in COLUMNS]
        if more not in ([], [KEY]) or (more and cells[KEY].tolist() != _sums(rows)):
            msg = f"{str(path)!r} is not as it was written (its checksums do not fit)"
            raise DataError(f"{msg}: delete it to write it anew")
        names = cells["label"].tolist()
        if cells["index"].tolist() != [str(i) for i in range(len(cells))]:
            msg = f"{str(path)!r}: the indices should run from 0 in order; delete it to write anew"
            raise DataError(msg)
        if len(set(names)) < len(names) or "" in names:
            msg = f"{str(path)!r} has a label twice or an empty one: delete it to write it anew"
            raise DataError(msg)
        of_concept = {
            concept: i
            for i, members in enumerate(cells["concepts"])
            for concept in map(str.strip, members.split(BETWEEN))
            if concept
        }
        return cls(tuple(names), of_concept)


def _sums(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the CRC-32 of each row with all before it."""
    found, text = [], b""
    for row in rows:
        text += ("\t".join(row) + "\n").encode()
        found.append(crc(text))
    return found


def label_file(dataset: Dataset, subject: str, task: str) -> Path:
    """Return where a subject's label map lies: beside the prepared data."""
    if task not in TASKS:
        msg = f"{task!r} is nothing that classes are made of: choose from {', '.join(TASKS)}"
        raise ConfigError(msg)
    return dataset.store_dir(subject) / f"labels_{task}.tsv"


def label_map(dataset: Dataset, subject: str, task: str, trials: pd.DataFrame) -> LabelMap:
    """Return the label map of a subject; the first call writes it, later ones keep its order.

    New labels (of data that were added since) go to the end. Where the folder may not be written
    the map is made anew each time, in the same order.
    """
    path = label_file(dataset, subject, task)
    shown = concepts_shown(trials)
    kept = LabelMap.load(path) if path.is_file() else LabelMap((), {})
    if set(shown) <= set(kept.of_concept) or (kept.names and task != "concepts"):
        return kept
    found = made(_classes(dataset, task, shown), kept.names)
    if path.parent.is_dir() and os.access(path.parent, os.W_OK):
        found.save(path)
    return found


def concepts_shown(trials: pd.DataFrame) -> list[str]:
    """Return the concepts of all trials but catch trials, sorted."""
    live = trials[trials["trial_type"] != CATCH]
    return sorted(str(name) for name in live["concept"].dropna().unique() if name)


def made(classes: Mapping[str, str], before: Sequence[str] = ()) -> LabelMap:
    """Make a map of {concept: label}: known labels first, in their order, new ones by name."""
    names = [*before, *sorted(set(classes.values()) - set(before))]
    index = {name: i for i, name in enumerate(names)}
    return LabelMap(tuple(names), {concept: index[name] for concept, name in classes.items()})


def _classes(dataset: Dataset, task: str, shown: Sequence[str]) -> dict[str, str]:
    """Return the label of each concept shown that has one."""
    if task == "concepts":
        return {concept: concept for concept in shown}
    rated = [str(name) for name in read_ratings(dataset.ratings_file).table.index]
    chosen = most_specific(read_categories(category_file(dataset, task), rated))
    found = {concept: chosen[concept] for concept in shown if concept in chosen}
    if not found:
        msg = f"no concept shown in {dataset.name!r} has one of the {task[-2:]} categories"
        raise DataError(f"{msg}: put the published file of categories there")
    return found


def label_doubts(dataset: Dataset, task: str) -> list[str]:
    """Say why concepts could have been given each other's categories; [] where nothing says so."""
    if task == "concepts":
        return []
    path = category_file(dataset, task)
    rated = [str(name) for name in read_ratings(dataset.ratings_file).table.index]
    return order_doubts(path, rated)


def carry_over(old: Path, new: Path) -> None:
    """Copy the label maps of an older store into the one that takes its place."""
    for path in sorted(old.glob(PATTERN)):
        (new / path.name).write_bytes(path.read_bytes())
