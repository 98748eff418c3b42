"""Whether a store and its sources still hold what they held, byte by byte; reads them all."""

from __future__ import annotations

from thingsviz.core.errors import DataError
from thingsviz.core.json_files import write_sealed
from thingsviz.core.progress import Progress, Report, silent
from thingsviz.data.store import manifest
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.store.manifest import Source, read_manifest, sources_of
from thingsviz.data.store.state import sources
from thingsviz.data.things.layout import Dataset
from thingsviz.data.volumes.gzip_stream import digest_file


def verify_store(dataset: Dataset, subject: str, on_progress: Report = silent) -> None:
    """Compare the sha256 of all sources and the CRC-32 of all betas; any fault is an error."""
    store = BetaStore.open(dataset, subject)
    known = sources_of(store.manifest)
    for number, source in enumerate(known):
        on_progress(Progress(number, len(known) + 1, f"reading {source.path}"))
        fault = _fault(dataset, source)
        if fault:
            msg = f"{source.path} of {dataset.name!r} {fault} since {subject} was prepared"
            raise DataError(f"{msg}: run prepare again")
    on_progress(Progress(len(known), len(known) + 1, "reading the store"))
    bad = store.damaged_rows()
    if bad:
        path, (first, last) = str(store.folder / "betas.npy"), bad[0]
        where = f"rows {first} to {last - 1}" if last - first > 1 else f"row {first}"
        msg = f"{path!r} is damaged in {where}"
        raise DataError(f"{msg}: delete {str(store.folder)!r} and run prepare again")


def _fault(dataset: Dataset, source: Source) -> str:
    path = dataset.root / source.path
    if not path.is_file():
        return "is gone"
    same = path.stat().st_size == source.size and digest_file(path).sha256 == source.sha256
    return "" if same else "has changed"


def refresh_dates(dataset: Dataset, subject: str) -> bool:
    """Take note of new dates of unchanged sources (a copied dataset); False if any changed.

    Only files whose date differs are read.
    """
    folder = dataset.store_dir(subject)
    try:
        found = read_manifest(folder)
    except (DataError, FileNotFoundError):
        return False
    now = {dataset.relative(p): p.stat() for p in sources(dataset, subject, found["kind"])}
    known = {source.path: source for source in sources_of(found)}
    if now.keys() != known.keys():
        return False
    later = [s for s in known.values() if now[s.path].st_mtime_ns != s.mtime_ns]
    if any(now[s.path].st_size != s.size for s in known.values()):
        return False
    if any(_fault(dataset, source) for source in later):
        return False
    rows = [s._replace(mtime_ns=now[s.path].st_mtime_ns)._asdict() for s in known.values()]
    write_sealed(folder / manifest.NAME, {**found, "sources": rows})
    return True
