"""Which release of a subject a store is built from, and the work that makes."""

from __future__ import annotations

from thingsviz.core.errors import ConfigError, DataError
from thingsviz.data.store.manifest import VOLUMES
from thingsviz.data.things.layout import Dataset
from thingsviz.data.prepare.plan import plan_volumes
from thingsviz.data.prepare.table_release import plan_table
from thingsviz.data.things.trials import no_runs
from thingsviz.data.things.voxel_metadata import read_voxels
from thingsviz.data.prepare.pieces import Work, volume_pieces

RELEASES = ("auto", "volumes", "table")


def plan_work(dataset: Dataset, subject: str, release: str = "auto") -> Work:
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


def _volumes(dataset: Dataset, subject: str) -> Work:
    plan = plan_volumes(dataset, subject)
    voxels, notes = read_voxels(dataset.voxel_metadata(subject), plan.mask)
    return Work(
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
