"""What state a subject is in, judged in milliseconds: from names, sizes and dates alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from thingsviz.core.errors import DataError
from thingsviz.core.locks import is_locked
from thingsviz.core.trial_key import CATCH, TEST, TRAIN
from thingsviz.data.store.manifest import NAME as MANIFEST
from thingsviz.data.store.manifest import RESPONSES, TABLE, VOLUMES, first_change, read_manifest
from thingsviz.data.store.matrix_file import open_matrix
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.sources import small_sources


class StoreState(NamedTuple):
    """missing | raw | preparing | ready | stale | broken, why, and what the subject has."""

    state: str
    reason: str
    counts: dict[str, Any]
    warnings: list[str]


def store_state(dataset: Dataset, subject: str) -> StoreState:
    """Say whether the store can be used, and why not."""
    try:
        dataset.description()
        state = examine(dataset, subject)
        busy = is_locked(lock_file(dataset, subject))
    except (DataError, OSError) as error:
        return StoreState("broken", str(error), {}, [])
    if state.state != "ready" and busy:
        return StoreState("preparing", f"{subject} is being prepared", state.counts, [])
    return state


def lock_file(dataset: Dataset, subject: str) -> Path:
    """Return the file whose lock the one builder holds."""
    store = dataset.store_dir(subject)
    return store.with_name(f".{store.name}.lock")


def examine(dataset: Dataset, subject: str) -> StoreState:
    """Judge the store itself, whether somebody builds or not."""
    folder = dataset.store_dir(subject)
    if not (folder / MANIFEST).is_file():
        return _without_store(dataset, subject, folder)
    try:
        manifest = read_manifest(folder)
        fault = first_fault(folder, manifest)
    except (DataError, OSError) as error:
        fault, manifest = str(error), {}
    counts, warnings = manifest.get("counts", {}), manifest.get("warnings", [])
    if fault:
        return StoreState("broken", fault, counts, warnings)
    table_only = manifest["kind"] == TABLE
    change = first_change(dataset, manifest, sources(dataset, subject, manifest["kind"]))
    if change:
        reason = f"{change} since the store was prepared: run prepare again"
        return StoreState("stale", reason, counts, warnings)
    if table_only:
        return StoreState("raw", "only the trials table is prepared", counts, warnings)
    return StoreState("ready", "", counts, warnings)


def _without_store(dataset: Dataset, subject: str, folder: Path) -> StoreState:
    runs = dataset.runs(subject)
    counts = {"runs": len(runs), "sessions": len({files.session for files in runs})}
    if folder.is_dir() and any(folder.iterdir()):
        reason = f"{str(folder)!r} lacks its {MANIFEST}: run prepare again"
        return StoreState("broken", reason, counts, [])
    if any(f.betas for f in runs) or dataset.table_release(subject).complete:
        return StoreState("raw", "the published files are here, not prepared yet", counts, [])
    if runs:
        return StoreState("raw", "conditions are here, betas are not", counts, [])
    return StoreState("missing", f"there are no files of {subject}", counts, [])


def sources(dataset: Dataset, subject: str, kind: str) -> list[Path]:
    """Return all files that a store of this kind is made from."""
    paths = small_sources(dataset, subject, with_betas=kind != TABLE)
    if kind == RESPONSES:
        paths.append(dataset.table_release(subject).responses)
    if kind == VOLUMES:
        paths += [files.betas for files in dataset.runs(subject) if files.betas]
    return paths


def first_fault(folder: Path, manifest: dict[str, Any]) -> str:
    """Compare the store's files with what the manifest says of them: '' or the first fault."""
    for name, size in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            return f"{str(path)!r} is gone: run prepare again"
        if path.stat().st_size != size:
            got = path.stat().st_size
            return f"{str(path)!r} has {got} bytes instead of {size}: run prepare again"
    if manifest["kind"] == TABLE:
        return ""
    if not _is_matrix(folder / "betas.npy", manifest["shape"]):
        return (
            f"{str(folder / 'betas.npy')!r} is not the matrix of its manifest: run prepare again"
        )
    return ""


def _is_matrix(path: Path, shape: list[int]) -> bool:
    try:
        betas = open_matrix(path)
    except ValueError:
        return False
    return list(betas.shape) == shape and betas.dtype == np.float16


def count(trials: pd.DataFrame) -> dict[str, Any]:
    """Count a trials table by type, by session, and its images and concepts."""
    kinds = trials["trial_type"]
    sessions = pd.crosstab(trials["session"], kinds)
    return {
        "trials": len(trials),
        "live": int((kinds != CATCH).sum()),
        **{kind: int((kinds == kind).sum()) for kind in (TRAIN, TEST, CATCH)},
        "sessions": int(trials["session"].nunique()),
        "runs": int(trials.groupby(["session", "run"]).ngroups),
        "concepts": int(trials["concept"].nunique()),
        "images": int(trials.loc[kinds != CATCH, "image_filename"].nunique()),
        "test_images": int(trials.loc[kinds == TEST, "image_filename"].nunique()),
        "rated": int(trials["uniqueID"].notna().sum()),
        "by_session": {
            str(session): {str(kind): int(n) for kind, n in row.items()}
            for session, row in sessions.iterrows()
        },
    }
