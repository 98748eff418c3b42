"""Agreement of maps between two planted subjects: the same regions, another seed."""

import numpy as np
import pytest
import torch

from thingsviz.analysis.maps.planted_truth import agreement, auc, read_truth
from thingsviz.analysis.maps.subjects import SubjectMap, on_common_voxels
from thingsviz.analysis.regions.smoothing import smooth_in_brain
from thingsviz.commands import prepare, simulate
from thingsviz.core.errors import DataError
from thingsviz.core.space import Grid
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import open_dataset
from thingsviz.data.things.ratings import mean_column
from thingsviz.explain.patterns import explained
from thingsviz.jobs.recipe import TARGETS_12

AFFINE = np.diag([2.0, 2, 2, 1])


def pattern_of(store: BetaStore, rng=None) -> np.ndarray:
    """The pattern of the true ratings, smoothed by 12 mm; with `rng` of ratings dealt out anew."""
    trials = store.trials
    rows = np.flatnonzero(trials["concept"].notna() & (trials["concept"] != ""))
    x, session = store.read(rows).astype("f4"), trials["session"].to_numpy()[rows]
    for one in np.unique(session):
        own = session == one
        x[own] = (x[own] - x[own].mean(0)) / np.maximum(x[own].std(0), 1e-3)
    ratings = trials.iloc[rows][[mean_column(t) for t in TARGETS_12]].to_numpy("f4")
    if rng is not None:
        ratings = rng.permutation(ratings)

    def read(some):
        yield from torch.from_numpy(x[some]).split(32)

    values = explained(read, ratings, np.arange(len(rows)))[0]
    volume = smooth_in_brain(store.brain.unmask(values), store.mask, store.grid, 12.0)
    return volume[store.mask]


@pytest.fixture(scope="module")
def stores(tiny, tmp_path_factory):
    """Two subjects of one grid: the one that all tests share, and one of another seed."""
    root = tmp_path_factory.mktemp("second") / "other"
    assert simulate.main([str(root), "--preset", "tiny", "--seed", "8"]) == 0
    assert prepare.main([str(root)]) == 0
    return [BetaStore.open(open_dataset(r), "sub-01") for r in (tiny / "tiny", root)]


def of(store: BetaStore, values: np.ndarray) -> SubjectMap:
    return SubjectMap(values, store.mask, store.grid, store.space)


def test_two_subjects_agree_on_what_was_planted_in_both(stores, rng):
    first, second = stores
    assert first.fingerprint != second.fingerprint
    maps = {"one": of(first, pattern_of(first)), "two": of(second, pattern_of(second))}
    maps["nobody"] = of(second, pattern_of(second, rng))
    values = on_common_voxels(maps, aligned=True)
    r, _, _ = agreement(np.stack(list(values.values())))
    assert r[0, 1] > 0.35
    assert abs(r[0, 2]) < r[0, 1] - 0.2
    # and where they agree is where signal was planted
    truth = read_truth(
        open_dataset(first.folder.parents[2]).root / "derivatives/planted/sub-01/truth.npz",
        first.shape[1],
    )
    both = sum(v.argsort().argsort() for v in (values["one"], values["two"]))
    assert auc(both, truth.signal, weighted=False) > 0.75


def some_map(shape=(8, 8, 8), space="MNI152NLin6Asym", affine=AFFINE, keep=slice(None)):
    mask = np.zeros(shape, bool)
    mask[keep] = True
    return SubjectMap(np.arange(mask.sum(), dtype=float), mask, Grid.of(shape, affine), space)


def test_only_what_all_have_is_compared():
    one, two = some_map(keep=slice(0, 6)), some_map(keep=slice(2, 8))
    found = on_common_voxels({"a": one, "b": two})
    assert [len(v) for v in found.values()] == [4 * 64, 4 * 64]
    assert (found["a"] == np.arange(2 * 64, 6 * 64)).all()
    assert (found["b"] == np.arange(0, 4 * 64)).all()


def test_other_places_are_refused():
    own = some_map()
    with pytest.raises(DataError, match=r"b has another grid \(8 × 8 × 9\) than a \(8 × 8 × 8\)"):
        on_common_voxels({"a": own, "b": some_map((8, 8, 9))})
    with pytest.raises(DataError, match="compare their regions, or resample both"):
        on_common_voxels({"a": own, "b": some_map(affine=1.5 * AFFINE)})
    with pytest.raises(DataError, match="b is in the space T1w, but a in MNI152NLin6Asym"):
        on_common_voxels({"a": own, "b": some_map(space="T1w")})
    twins = {"a": some_map(space="T1w"), "b": some_map(space="T1w")}
    with pytest.raises(DataError, match=r"a is in a space of its own \(T1w\).*bring all into MNI"):
        on_common_voxels(twins)
    assert len(on_common_voxels(twins, aligned=True)["b"]) == 512
    with pytest.raises(DataError, match="have 0 voxels in common"):
        on_common_voxels({"a": some_map(keep=slice(0, 2)), "b": some_map(keep=slice(4, 8))})
    with pytest.raises(DataError, match="the map of b has 3 voxels, but its brain mask 512"):
        on_common_voxels({"a": own, "b": own._replace(values=np.ones(3))})
    with pytest.raises(DataError, match="two subjects or more are compared, but 1 came"):
        on_common_voxels({"a": own})
