"""All that can be checked of a subject's volumes before anything is written or allocated."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from thingsviz.core.errors import DataError
from thingsviz.data.store.manifest import FORMAT, Source, note_source
from thingsviz.data.things.layout import Dataset, RunFiles
from thingsviz.data.things.sources import small_sources
from thingsviz.data.things.trials import KEYS, build_trials
from thingsviz.data.volumes.masks import BrainMask, read_mask
from thingsviz.data.volumes.nifti import Header, read_header

MASK_TOLERANCE_MM = 0.01


@dataclass(frozen=True)
class RunPlan:
    """One run: its betas, their header, and the rows of the store it fills."""

    files: RunFiles
    betas: Path
    header: Header
    first: int

    @property
    def last(self) -> int:
        """The row after the run's last."""
        return self.first + self.header.n_volumes


@dataclass(frozen=True)
class StorePlan:
    """A subject whose files fit together."""

    dataset: Dataset
    subject: str
    trials: pd.DataFrame
    warnings: list[str]
    mask: BrainMask
    sources: list[Source]
    runs: list[RunPlan]
    simulated: bool

    @property
    def shape(self) -> tuple[int, int]:
        """(n_trials, n_voxels) of the store."""
        return len(self.trials), self.mask.n_voxels

    @property
    def signature(self) -> str:
        """What an unfinished store must have been built for to be taken up again."""
        rows = [[str(run.betas), run.first, run.header.n_volumes] for run in self.runs]
        small = [[source.path, source.sha256] for source in self.sources]
        return hashlib.sha256(json.dumps([FORMAT, self.shape, rows, small]).encode()).hexdigest()


def plan_volumes(dataset: Dataset, subject: str) -> StorePlan:
    """Read tables, mask and all headers of the volumetric release; refuse what does not fit."""
    trials = build_trials(dataset, subject)
    files = dataset.runs(subject)
    mask, _ = read_mask(dataset.brain_mask(subject))
    sizes = trials.table.groupby(KEYS[:2]).size()
    runs: list[RunPlan] = []
    for one in files:
        first = runs[-1].last if runs else 0
        runs.append(_plan_run(one, first, int(sizes.loc[(one.session, one.run)])))
    _check_grids(dataset, subject, mask, runs)
    sources = [
        note_source(dataset, path) for path in small_sources(dataset, subject, with_betas=True)
    ]
    simulated = dataset.simulated or any("SIMULATED" in r.header.description for r in runs)
    return StorePlan(
        dataset, subject, trials.table, trials.warnings, mask, sources, runs, simulated
    )


def _plan_run(files: RunFiles, first: int, n_rows: int) -> RunPlan:
    if files.betas is None:
        msg = f"{files} has {str(files.conditions)!r} but no …_betas.nii.gz beside it: add it"
        raise DataError(f"{msg}, or run prepare with --table-only")
    header = read_header(files.betas, n_axes=4)
    if header.n_volumes != n_rows:
        counts = f"{header.n_volumes} volumes but {str(files.conditions)!r} has {n_rows} rows"
        msg = f"{str(files.betas)!r} has {counts}: each volume needs its row; download both again"
        raise DataError(msg)
    return RunPlan(files, files.betas, header, first)


def _check_grids(dataset: Dataset, subject: str, mask: BrainMask, runs: list[RunPlan]) -> None:
    """Refuse a run or a mask on another grid than the first run."""
    first = runs[0]
    for run in runs[1:]:
        if not run.header.grid.same_as(first.header.grid):
            msg = f"{str(run.betas)!r} lies on another grid than {first.betas.name}"
            both = f"{_say(run)}, expected {_say(first)}"
            raise DataError(f"{msg} ({both}): download it again")
    if not mask.grid.same_as(first.header.grid, MASK_TOLERANCE_MM):
        path = str(dataset.brain_mask(subject))
        what = "shape" if mask.grid.shape != first.header.grid.shape else "affine"
        both = f"mask {mask.grid.shape}, betas {first.header.grid.shape}"
        msg = f"{path!r} has another {what} than the betas ({both}): use the mask of this subject"
        raise DataError(msg)


def _say(run: RunPlan) -> str:
    corner = ", ".join(f"{v:g}" for v in run.header.grid.matrix[:3, 3])
    return f"shape {run.header.grid.shape} from ({corner}) mm"
