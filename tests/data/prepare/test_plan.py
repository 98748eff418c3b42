import dataclasses

import numpy as np
import pytest

from tests.data import published
from thingsviz.core.errors import ConfigError, DataError
from thingsviz.data.prepare.build import plan_work
from thingsviz.data.prepare.plan import plan_volumes
from thingsviz.data.things.sources import small_sources
from thingsviz.data.volumes import masks, nifti


def test_runs_fill_the_store_one_after_the_other(little):
    plan = plan_volumes(little, "sub-01")
    assert plan.shape == (published.N_TRIALS, published.N_BRAIN_VOXELS)
    assert [run.first for run in plan.runs] == list(range(0, published.N_TRIALS, 8))
    assert plan.runs[-1].last == published.N_TRIALS


def test_runs_of_different_length(little):
    """Partial runs: each starts where the one before ended."""
    for part, n in (("betas.nii.gz", 5), ("conditions.tsv", 5)):
        path = published.run_path(little.root, 1, 2, part)
        if part.startswith("betas"):
            published.write_nifti(path, published.values_of(1, 2)[..., :n])
        else:
            published.write_conditions(path, published.images_of(1, 2)[:n])
    plan = plan_volumes(little, "sub-01")
    assert [run.first for run in plan.runs] == [0, 8, 13, 21, 29, 37]


def test_planning_reads_no_volume(little, monkeypatch):
    monkeypatch.setattr(nifti.VolumeReader, "volumes", lambda self: pytest.fail("read a volume"))
    mask, digest = _mask(little), None
    monkeypatch.setattr("thingsviz.data.prepare.plan.read_mask", lambda path: (mask, digest))
    assert plan_volumes(little, "sub-01").runs


def _mask(little):
    from thingsviz.core.space import Grid

    return masks.BrainMask(published.brain(), Grid.of(published.GRID, published.AFFINE))


def test_the_signature_tells_what_is_built(little):
    plan = plan_volumes(little, "sub-01")
    assert plan.signature == plan_volumes(little, "sub-01").signature
    fewer = dataclasses.replace(plan, runs=plan.runs[:-1])
    assert fewer.signature != plan.signature
    published.write_ratings(little.ratings_file, published.CONCEPTS[:-1])
    assert plan_volumes(little, "sub-01").signature != plan.signature


def test_small_sources_are_all_but_the_betas(little):
    names = {path.name for path in small_sources(little, "sub-01", with_betas=True)}
    assert len(names) == 6 + 4
    assert "sub-01_space-T1w_brainmask.nii.gz" in names
    assert not any(name.endswith("betas.nii.gz") for name in names)
    table_only = {path.name for path in small_sources(little, "sub-01", with_betas=False)}
    assert names - table_only == {"sub-01_space-T1w_brainmask.nii.gz"}


@pytest.mark.parametrize("shift", [0.005, -0.005])
def test_rounding_in_the_affine_of_the_mask_is_no_other_grid(little, shift):
    affine = published.AFFINE.copy()
    affine[:3, 3] += shift
    volume = published.brain().astype(np.uint8)
    published.write_nifti(little.brain_mask("sub-01"), volume, affine)
    assert plan_volumes(little, "sub-01").mask.n_voxels == published.N_BRAIN_VOXELS


def test_an_unknown_release(little):
    with pytest.raises(ConfigError, match="'csv' is not one of auto, volumes, table"):
        plan_work(little, "sub-01", "csv")


def test_the_table_release_where_there_is_none(little):
    with pytest.raises(DataError, match=r"the table release lacks .*ResponseData\.h5"):
        plan_work(little, "sub-01", "table")


def test_no_runs_at_all(little):
    with pytest.raises(DataError, match="holds no runs of sub-02"):
        plan_work(little, "sub-02")
