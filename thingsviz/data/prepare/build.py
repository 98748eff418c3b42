"""How a store comes to be: one builder, piece by piece, resumable, published by rename."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from thingsviz.core.errors import ConfigError, DataError
from thingsviz.core.files import is_writable, read_only, said_plainly
from thingsviz.core.locks import passing_lock
from thingsviz.core.progress import Progress, Report, silent
from thingsviz.data.prepare.journal import NAME as JOURNAL_NAME
from thingsviz.data.prepare.journal import Journal
from thingsviz.data.prepare.pieces import Piece, StoreWork, volume_pieces
from thingsviz.data.prepare.plan import plan_volumes
from thingsviz.data.prepare.progress import ByteProgress
from thingsviz.data.prepare.read_run import FinishedPiece
from thingsviz.data.prepare.table_release import plan_table
from thingsviz.data.prepare.write_tables import write_small_files, write_table_only
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.store.hdf5 import NAME as HDF5_NAME
from thingsviz.data.store.hdf5 import write_hdf5
from thingsviz.data.store.manifest import RESPONSES, VOLUMES, read_manifest
from thingsviz.data.store.matrix_file import NAME as BETAS_NAME
from thingsviz.data.store.matrix_file import StoreFile
from thingsviz.data.store.state import StoreState, examine, lock_file
from thingsviz.data.store.verify import refresh_dates
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.trials import TrialTable, build_trials, no_runs
from thingsviz.data.things.voxel_metadata import read_voxels
from thingsviz.data.trials.labels import carry_over

# Two runs at a time: unpacking one overlaps with hashing and writing the other. More threads
# than cores gain nothing, and each needs one volume of memory.
N_WORKERS = 2
POLL_S = 0.2


@dataclass(frozen=True)
class BuildOptions:
    """What to build: `release` is auto (volumes if there are any), volumes or table."""

    table_only: bool = False
    hdf5: bool = False
    release: str = "auto"
    workers: int = N_WORKERS


class _StopError(Exception):
    """Another piece failed or the user interrupted: leave off between two volumes."""


def build_store(
    dataset: Dataset,
    subject: str,
    options: BuildOptions | None = None,
    on_progress: Report = silent,
) -> StoreState:
    """Bring a subject's store up to date and return its state.

    Bad input is refused before anything is written; a failure later removes what was begun. An
    interrupt keeps the finished runs for the next start. If another process builds, wait for it.
    """
    options = options or BuildOptions()
    if not _is_done(dataset, subject, options):
        store = dataset.store_dir(subject)
        # Look at the tables and headers first: most of what can be wrong is found here, in a
        # second, before any folder is made.
        plan = None if options.table_only else plan_work(dataset, subject, options.release)
        table = build_trials(dataset, subject) if options.table_only else None
        if not is_writable(store.parent):
            raise DataError(read_only(store.parent))
        with said_plainly(store.parent), _alone(dataset, subject, on_progress):
            if not _is_done(dataset, subject, options):
                if table:
                    _build_table(dataset, subject, table)
                elif plan:
                    _build_betas(plan, options, on_progress)
                    _add_hdf5(dataset, subject, options, on_progress)
    return examine(dataset, subject)


def _is_done(dataset: Dataset, subject: str, options: BuildOptions) -> bool:
    """Whether the store is what was asked for, from the release asked for, and up to date."""
    state = examine(dataset, subject)
    if options.table_only and state.state in {"ready", "raw"} and "trials" in state.counts:
        return True
    if state.state != "ready":
        return False
    known = read_manifest(dataset.store_dir(subject))
    wanted = {"volumes": VOLUMES, "table": RESPONSES}.get(options.release, known["kind"])
    return known["kind"] == wanted and (not options.hdf5 or HDF5_NAME in known["files"])


def _build_table(dataset: Dataset, subject: str, table: TrialTable) -> None:
    """Publish the trials table alone; a store with betas is never replaced by it."""
    store = dataset.store_dir(subject)
    if (store / BETAS_NAME).is_file():
        msg = f"{str(store)!r} holds betas, which the trials table alone would replace"
        raise DataError(f"{msg}: run prepare without --table-only")
    with _unfinished(dataset, subject, keep=False) as folder:
        folder.mkdir(parents=True)
        write_table_only(dataset, subject, table, folder)
        publish(folder, store)


def _build_betas(work: StoreWork, options: BuildOptions, on_progress: Report) -> None:
    """Publish the whole store, unless it is there and only HDF5 was asked for."""
    dataset, subject = work.dataset, work.subject
    without = replace(options, hdf5=False)
    if _is_done(dataset, subject, without):
        return
    if refresh_dates(dataset, subject) and _is_done(dataset, subject, without):
        return
    with _unfinished(dataset, subject, keep=True) as folder:
        journal = Journal(folder, work.signature)
        journal.start()
        done = journal.done(dataset)
        path = folder / BETAS_NAME
        with StoreFile(path, work.shape) as store:
            if path.stat().st_size != store.n_bytes:
                done = {}
                store.reserve()
            _fill(work, store, journal, done, options.workers, on_progress)
        on_progress(Progress(1, 1, "writing tables"))
        write_small_files(work, list(done.values()), folder)
        (folder / JOURNAL_NAME).unlink()
        publish(folder, dataset.store_dir(subject))


def _add_hdf5(dataset: Dataset, subject: str, options: BuildOptions, on_progress: Report) -> None:
    if options.hdf5:
        write_hdf5(BetaStore.open(dataset, subject), on_progress)


@contextmanager
def _alone(dataset: Dataset, subject: str, on_progress: Report) -> Iterator[None]:
    """Wait until no other process builds this store, and keep others out."""
    path = lock_file(dataset, subject)
    made = _make_folders(path.parent)
    try:
        while True:
            with passing_lock(path) as won:
                if won:
                    _recover(dataset.store_dir(subject))
                    yield
                    return
            on_progress(Progress(0, 1, f"another process prepares {subject}; waiting for it"))
            time.sleep(POLL_S)
    except Exception:
        for folder in made:
            _remove_if_empty(folder)
        raise


def _make_folders(folder: Path) -> list[Path]:
    """Create a folder and its parents; return those created, innermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


@contextmanager
def _unfinished(dataset: Dataset, subject: str, *, keep: bool) -> Iterator[Path]:
    """Give the folder to build in; remove it on failure, `keep` it when interrupted."""
    store = dataset.store_dir(subject)
    folder = store.with_name(f".{store.name}.building")
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def publish(folder: Path, store: Path) -> None:
    """Put a finished folder in the place of the store."""
    old = _old(store)
    if store.exists():
        carry_over(store, folder)
        store.rename(old)
    folder.rename(store)
    shutil.rmtree(old, ignore_errors=True)


def _recover(store: Path) -> None:
    """Mend what a kill between the two renames of `publish` left behind."""
    old = _old(store)
    if old.exists() and not store.exists():
        old.rename(store)
    shutil.rmtree(old, ignore_errors=True)


def _old(store: Path) -> Path:
    return store.with_name(f".{store.name}.old")


def _fill(
    work: StoreWork,
    store: StoreFile,
    journal: Journal,
    done: dict[str, FinishedPiece],
    workers: int,
    on_progress: Report,
) -> None:
    """Do all pieces that are not `done` yet and add them to it."""
    todo = [piece for piece in work.pieces if piece.key not in done]
    meter = ByteProgress(work.pieces, todo, on_progress)
    stop = threading.Event()
    with ThreadPoolExecutor(workers) as pool:
        running = {pool.submit(_one, piece, store, meter, stop): piece for piece in todo}
        try:
            _collect(running, store, journal, done, meter)
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def _one(
    piece: Piece, store: StoreFile, meter: ByteProgress, stop: threading.Event
) -> FinishedPiece:
    def tick(n_read: int) -> None:
        if stop.is_set():
            raise _StopError
        meter.tick(piece.key, n_read)

    return piece.fill(store, tick)


def _collect(
    running: dict[Future[FinishedPiece], Piece],
    store: StoreFile,
    journal: Journal,
    done: dict[str, FinishedPiece],
    meter: ByteProgress,
) -> None:
    """Take note of finished pieces as they come, their bytes on the disk before their names."""
    waiting: Sequence[Future[FinishedPiece]] = list(running)
    while waiting:
        finished, still = wait(waiting, timeout=POLL_S, return_when=FIRST_COMPLETED)
        waiting = list(still)
        sound = [future.result() for future in finished if not future.exception()]
        if sound:
            store.sync()
        for piece in sound:
            journal.add(piece)
            done[piece.key] = piece
        for future in finished:
            future.result()
        meter.report()


RELEASES = ("auto", "volumes", "table")


def plan_work(dataset: Dataset, subject: str, release: str = "auto") -> StoreWork:
    """Check a subject's files and return what there is to do."""
    if release not in RELEASES:
        msg = f"release {release!r} is not one of {', '.join(RELEASES)}"
        raise ConfigError(msg)
    runs = dataset.runs(subject)
    whole = dataset.table_release(subject).complete
    if release == "table" or (release == "auto" and whole and not any(f.betas for f in runs)):
        return plan_table(dataset, subject)
    if not runs:
        raise DataError(no_runs(dataset, subject))
    return _volumes(dataset, subject)


def _volumes(dataset: Dataset, subject: str) -> StoreWork:
    plan = plan_volumes(dataset, subject)
    voxels, notes = read_voxels(dataset.voxel_metadata(subject), plan.mask)
    return StoreWork(
        dataset=dataset,
        subject=subject,
        kind=VOLUMES,
        trials=plan.trials,
        voxels=voxels,
        mask=plan.mask,
        sources=plan.sources,
        warnings=[*plan.warnings, *notes],
        simulated=plan.simulated,
        signature=plan.signature,
        pieces=volume_pieces(plan),
    )
