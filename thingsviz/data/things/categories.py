"""The tables that put concepts into 27 or 53 categories: their places, layouts, and one rule."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from thingsviz.core.errors import DataError
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.tables import read_table, require_columns

FOLDERS = ("image/03_category-level", "image/02_object-level", "image", "")
FILES = {
    "categories27": ("category27_manual.tsv", "category_mat_manual.tsv"),
    "categories53": (
        *("category53_wide-format.tsv", "category53_wideFormat.tsv"),
        *("category53_long-format.tsv", "category53_longFormat.tsv"),
        "Categories_final_20200131.tsv",
    ),
}
NOT_CATEGORIES = {"uniqueID", "Word", "Definition (from WordNet, Google, or Wikipedia)", ""}
MEMBER, NO_MEMBER = {"1", "1.0"}, {"", "0", "0.0"}
Members = dict[str, list[str]]
# How copies of the tables are sorted: '_' after digits, or before them and after '-'.
ORDERS: tuple[Callable[[str], str], ...] = (str, lambda name: name.replace("_", "."))


def category_file(dataset: Dataset, which: str) -> Path:
    """Return the first file of `which` categories (categories27, categories53) that is there."""
    places = [dataset.root / folder / name for folder in FOLDERS for name in FILES[which]]
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        msg = (
            f"{dataset.name!r} has no {which[-2:]} categories: put the published file at "
            f"{str(places[0])!r}, or let the decoder learn concepts or ratings"
        )
        raise DataError(msg)
    return found


def read_categories(path: Path, concepts: Sequence[str]) -> Members:
    """Return the categories of each concept that has any; `concepts` are all that are rated.

    Four published layouts: long (`category`, `uniqueID`); wide with `uniqueID`; wide with the
    noun alone (`Word`, whose n-th 'bat' is the n-th of bat1, bat2 …); and a bare matrix, whose
    rows stand in the order of the rated concepts.
    """
    cells = read_table(path).cells
    if "category" in cells.columns:
        require_columns(path, cells, ["uniqueID"])
        pairs = zip(cells["uniqueID"].str.strip(), cells["category"].str.strip(), strict=True)
    else:
        pairs = zip(*_members(path, cells, concepts), strict=True)
    found: Members = {}
    for concept, category in pairs:
        if concept and category and category not in found.setdefault(concept, []):
            found[concept].append(category)
    if not set(found) & set(concepts):
        msg = f"{str(path)!r} names none of the rated concepts: put the published file there"
        raise DataError(msg)
    return found


def order_doubts(path: Path, concepts: Sequence[str]) -> list[str]:
    """Say what speaks against reading a matrix without names in the order of the ratings.

    `concepts` in the order of the ratings. Nothing is said of a table that names its concepts.
    """
    if {"category", "uniqueID", "Word"} & set(read_table(path).cells.columns):
        return []
    begin = f"the rows of {path.name} have no names and are read in the order of the ratings"
    one, other = (sorted(concepts, key=key) for key in ORDERS)
    if list(concepts) not in (one, other):
        return [f"{begin}, which are not sorted by name: for another order all would be wrong"]
    moved = sorted(a for a, b in zip(one, other, strict=True) if a != b)
    if not moved:
        return []
    told = f"{begin}, in which copies differ about {', '.join(moved)}"
    return [f"{told}: these may have each other's categories"]


def most_specific(members: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Give each concept the smallest of its categories: an aardvark is a mammal, not an animal.

    The size of a category is the number of its concepts in the file; of two equal ones the first
    by name counts.
    """
    size = Counter(category for own in members.values() for category in own)
    return {c: min(own, key=lambda name: (size[name], name)) for c, own in members.items() if own}


def _members(
    path: Path, cells: pd.DataFrame, concepts: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return the (concept, category) pairs of a wide table as two lists."""
    names = _row_names(path, cells, concepts)
    rows, columns = [], []
    for category in (str(c) for c in cells.columns if c not in NOT_CATEGORIES):
        answers = cells[category].str.strip()
        odd = ~answers.isin(MEMBER | NO_MEMBER) & (names != "")
        if odd.any():
            cell = f"{answers[odd].iloc[0]!r} in column {category!r}"
            msg = f"{str(path)!r}: {cell} should be 1 (member) or 0: put the published file there"
            raise DataError(msg)
        own = names[answers.isin(MEMBER)].tolist()
        rows += own
        columns += [category] * len(own)
    return rows, columns


def _row_names(path: Path, cells: pd.DataFrame, concepts: Sequence[str]) -> pd.Series:
    """Return the concept of each row, '' where it has none (a row of sums)."""
    if "uniqueID" in cells.columns:
        return cells["uniqueID"].str.strip()
    if "Word" in cells.columns:
        return pd.Series(_of_words(cells["Word"].str.strip().tolist(), concepts))
    if len(cells) != len(concepts):
        msg = (
            f"{str(path)!r} has no column uniqueID, and {len(cells)} rows where the ratings have "
            f"{len(concepts)} concepts: put the published file there"
        )
        raise DataError(msg)
    return pd.Series(list(concepts))


def _of_words(words: Sequence[str], concepts: Sequence[str]) -> list[str]:
    """Return the uniqueID of each noun; '' for one that stands for no rated concept."""
    exact = {_plain(concept): concept for concept in concepts}
    numbered: dict[str, list[str]] = {}
    for concept in sorted(concepts):
        stem = re.sub(r"\d+$", "", concept)
        if stem != concept:
            numbered.setdefault(_plain(stem), []).append(concept)
    seen: Counter[str] = Counter()
    found = []
    for word in map(_plain, words):
        several = numbered.get(word, [])
        use_number = word not in exact and seen[word] < len(several)
        found.append(several[seen[word]] if use_number else exact.get(word, ""))
        seen[word] += 1
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip()).lower()
