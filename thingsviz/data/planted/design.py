"""Which picture is shown in which trial: a made design, or one read from conditions files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from thingsviz.core.errors import DataError
from thingsviz.data.planted.presets import SimulationPreset
from thingsviz.data.things.image_names import concept_of
from thingsviz.data.things.tables import read_table, require_columns

CONDITIONS = re.compile(r"sub-\w+_ses-(?:things)?(\d+)_run-(\d+)_conditions\.tsv", re.ASCII)
COLUMNS = ["session", "run", "trial", "trial_type", "image_filename", "concept"]


def make_design(
    preset: SimulationPreset, concepts: list[str], rng: np.random.Generator
) -> pd.DataFrame:
    """Draw a design: one row a trial (COLUMNS), sorted by session, run and trial.

    Each session shows a new exemplar of each concept and each test image once, spread over its
    runs. Test images belong to concepts that are trained too; their number is the next free one.
    A block design (preset.n_classes) shows each concept in each run, always a new exemplar.
    """
    if preset.n_classes:
        return _blocks(preset, concepts, rng)
    tested = rng.choice(concepts, preset.n_test_images, replace=False)
    test = [f"{name}/{name}_{preset.n_sessions + 1:02d}s.jpg" for name in tested]
    rows = []
    for session in range(1, preset.n_sessions + 1):
        train = [f"{name}/{name}_{session:02d}s.jpg" for name in concepts]
        parts = zip(_deal(train, preset.n_runs, rng), _deal(test, preset.n_runs, rng), strict=True)
        for run, (mine, shared) in enumerate(parts, 1):
            catch = [_catch_name(preset, run, k) for k in range(preset.n_catch)]
            kinds = ["train"] * len(mine) + ["test"] * len(shared) + ["catch"] * len(catch)
            trials = list(zip(kinds, [*mine, *shared, *catch], strict=True))
            for trial, at in enumerate(rng.permutation(len(trials)), 1):
                kind, name = trials[at]
                rows.append((session, run, trial, kind, name, concept_of(name) or ""))
    return pd.DataFrame(rows, columns=COLUMNS)


def _blocks(
    preset: SimulationPreset, concepts: list[str], rng: np.random.Generator
) -> pd.DataFrame:
    """Draw a design whose runs each show every concept equally often, in a block each."""
    shown, rows = preset.n_train // len(concepts), []
    runs = [(s, r) for s in range(1, preset.n_sessions + 1) for r in range(1, preset.n_runs + 1)]
    for n, (session, run) in enumerate(runs):
        names = [str(name) for name in rng.permutation(concepts) for _ in range(shown)]
        for trial, name in enumerate(names, 1):
            exemplar = n * shown + (trial - 1) % shown + 1
            image = f"{name}/{name}_{exemplar:02d}s.jpg"
            rows.append((session, run, trial, "train", image, name))
    return pd.DataFrame(rows, columns=COLUMNS)


def _deal(cards: list[str], n: int, rng: np.random.Generator) -> list[list[str]]:
    """Deal shuffled cards to `n` equal hands."""
    shuffled = [str(card) for card in rng.permutation(cards)]
    return [shuffled[start::n] for start in range(n)]


def _catch_name(preset: SimulationPreset, run: int, k: int) -> str:
    """Each session shows the same catch pictures, as published."""
    return f"catch{(run - 1) * preset.n_catch + k + 1:03d}.jpg"


def read_design(folder: Path) -> pd.DataFrame:
    """Read a subject's published conditions files (`folder`/ses-*/…_conditions.tsv) into a design.

    A picture that is shown more than once is a test image.
    """
    found = sorted((p, m) for p in folder.glob("ses-*/*") if (m := CONDITIONS.fullmatch(p.name)))
    if not found:
        msg = f"{str(folder)!r} holds no ses-*/…_conditions.tsv: give a subject's folder of them"
        raise DataError(msg)
    tables = []
    for path, match in found:
        names = _image_names(path)
        trial = np.arange(1, len(names) + 1)
        part = pd.DataFrame({"trial": trial, "image_filename": names})
        tables.append(part.assign(session=int(match[1]), run=int(match[2])))
    design = pd.concat(tables).sort_values(["session", "run", "trial"], ignore_index=True)
    design["concept"] = [concept_of(name) or "" for name in design["image_filename"]]
    times = design.groupby("image_filename")["trial"].transform("size")
    kinds = np.where(times > 1, "test", "train")
    design["trial_type"] = np.where(design["concept"] == "", "catch", kinds)
    return design[COLUMNS]


def _image_names(path: Path) -> list[str]:
    """Return the column `image_filename` of a conditions file."""
    cells = read_table(path).cells
    require_columns(path, cells, ["image_filename"])
    names = cells["image_filename"].str.strip()
    if (names == "").any():
        row = int((names == "").argmax()) + 1
        msg = f"{str(path)!r} has an empty image_filename in trial {row}: mend or replace it"
        raise DataError(msg)
    return names.tolist()
