"""What holds for any table, design, mask and betas, not only for the published ones."""

import csv
import io
import tempfile
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thingsviz.core.errors import DataError
from thingsviz.core.space import Grid
from thingsviz.data.things.image_names import base_name, concept_of, is_catch
from thingsviz.data.things.ratings import (
    FAMILIES,
    PROPERTIES,
    TARGETS_10,
    available,
    mean_column,
    rating_range,
    read_ratings,
    sd_column,
)
from thingsviz.data.things.tables import read_table, to_numbers
from thingsviz.data.things.trials import live_rows
from thingsviz.data.things.voxel_metadata import place_in, voxel_table
from thingsviz.data.trials.splits import KINDS, PARTS, Split, audit, check_fitted_on, make_split
from thingsviz.data.trials.standardise import SessionScaler, StandardisedBetas
from thingsviz.data.volumes.masks import BrainMask, read_mask, write_mask

few = settings(deadline=None, max_examples=15, derandomize=True)
SEEDS = st.integers(0, 10_000)
HERE = Path("file.csv")
GROUPED = {"image": "image_filename", "concept": "concept", "session": "session"}


@contextmanager
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def rated(rng, concepts) -> pd.DataFrame:
    """Means on their scales and SDs of all properties, one row a concept."""
    columns = {}
    for prop in PROPERTIES:
        low, high, _ = rating_range(prop)
        columns[mean_column(prop)] = rng.uniform(low, high, len(concepts))
        columns[sd_column(prop)] = rng.uniform(0, 1, len(concepts))
    return pd.DataFrame(columns, index=pd.Index(concepts, name="uniqueID"))


def design(seed) -> pd.DataFrame:
    """Trials in any order and with any index: train, test, catch, and unrated concepts."""
    rng = np.random.default_rng(seed)
    rows = []
    for session in range(1, rng.integers(4, 7)):
        shown = range(rng.integers(8, 14))
        rows += [(session, "train", f"c{c}", f"c{c}_{session:02d}s.jpg") for c in shown]
        rows += [(session, "test", f"c{c}", f"c{c}_13s.jpg") for c in range(2)]
        rows.append((session, "catch", None, "catch001.jpg"))
    table = pd.DataFrame(rows, columns=["session", "trial_type", "concept", "image_filename"])
    table["run"] = 1 + table.groupby("session").cumcount() // 3
    table["uniqueID"] = table["concept"].where(table["concept"] != "c4")
    numbers = rated(rng, [f"c{c}" for c in range(14)]).reindex(table["uniqueID"])
    whole = pd.concat([table, numbers.reset_index(drop=True)], axis=1)
    return whole.iloc[rng.permutation(len(whole))].set_index(rng.permutation(len(whole)) + 5)


def rows_of(split) -> list[np.ndarray]:
    return [*(getattr(split, part) for part in PARTS), *split.extra.values()]


@few
@given(st.text(st.characters(exclude_categories=["Z", "C"]), max_size=30))
def test_a_base_name_has_no_folder_whatever_the_slashes(text):
    name = base_name(text)
    assert base_name(name) == name
    assert "/" not in name
    assert "\\" not in name
    assert base_name(f" a\\b/x{name}\n") == f"x{name}"
    assert (concept_of(text) is None) is is_catch(text)


def test_each_property_has_columns_of_its_own():
    names = [column(prop) for prop in PROPERTIES for column in (mean_column, sd_column)]
    assert len(set(names)) == len(names) == 2 * len(PROPERTIES)


@few
@given(st.permutations(PROPERTIES), st.integers(0, len(PROPERTIES)))
def test_available_undoes_mean_column_in_one_order(props, n):
    columns = pd.Index([sd_column(p) for p in props] + [mean_column(p) for p in props[:n]])
    assert available(columns) == [prop for prop in PROPERTIES if prop in props[:n]]


@few
@given(SEEDS)
def test_any_ratings_are_read_as_they_were_written(seed):
    rng = np.random.default_rng(seed)
    table = rated(rng, [f"c{n}" for n in rng.permutation(rng.integers(2, 12))])
    table = table.mask(rng.random(table.shape) < 0.2)[rng.permutation(table.columns)]
    with folder() as base:
        table.to_csv(base / "r.tsv", sep="\t", na_rep=str(rng.choice(["", "n/a", "NaN"])))
        found, warnings = read_ratings(base / "r.tsv")
    pd.testing.assert_frame_equal(found, table, rtol=1e-12, check_index_type=False)
    assert warnings == []


@few
@given(SEEDS, st.sampled_from(PROPERTIES), st.integers(1, 3), st.sampled_from([-1, 1]))
def test_ratings_off_any_scale_are_counted(seed, prop, n, side):
    table = rated(np.random.default_rng(seed), [f"c{k}" for k in range(4)])
    low, high, _ = rating_range(prop)
    table.iloc[:n, table.columns.get_loc(mean_column(prop))] = high + 1 if side > 0 else low - 1
    with folder() as base:
        table.to_csv(base / "r.tsv", sep="\t")
        (warning,) = read_ratings(base / "r.tsv").warnings
    assert warning.startswith(f"{n} ratings of {prop} lie outside {low:g} to {high:g} ('c0': ")


@few
@given(st.sampled_from(FAMILIES), st.permutations([1.5, 3.5, 6.5]))
def test_ratings_that_changed_places_are_seen_in_any_order(family, values):
    *names, column, highest = family
    table = rated(np.random.default_rng(0), names).assign(**{column: values})
    with folder() as base:
        table.to_csv(base / "r.tsv", sep="\t")
        warnings = read_ratings(base / "r.tsv").warnings
    right = names[values.index(6.5)] == highest
    assert [", ".join(names) in warning for warning in warnings] == ([] if right else [True])


@pytest.mark.parametrize("prop", TARGETS_10)
def test_each_of_the_ten_means_is_needed(tmp_path, prop):
    table = rated(np.random.default_rng(0), ["a"]).drop(columns=mean_column(prop))
    table.to_csv(tmp_path / "r.tsv", sep="\t")
    with pytest.raises(DataError, match=f"lacks the column '{mean_column(prop)}'"):
        read_ratings(tmp_path / "r.tsv")


CELLS = st.text(st.sampled_from('aé"\t,;\n '), max_size=5)
CODES = st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])


@few
@given(st.lists(st.tuples(CELLS, CELLS), max_size=5), st.sampled_from("\t,;"), CODES)
def test_quoted_cells_of_any_encoding_survive(rows, separator, code):
    lines = [["id", "x", "y"], *([f"r{n}", *row] for n, row in enumerate(rows))]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(lines)
    with folder() as base:
        (base / "t").write_bytes(text.getvalue().encode(code))
        cells, warnings = read_table(base / "t", separator)
    assert [list(cells.columns), *cells.to_numpy().tolist()] == lines
    assert warnings == []


@few
@given(st.integers(1, 8), st.data(), st.sampled_from([2, 4]))
def test_a_row_of_another_length_is_named(n_rows, data, length):
    wrong = data.draw(st.integers(1, n_rows))
    lines = ["\t".join("abc"[:3])] + ["1\t2\t3"] * n_rows
    lines[wrong] = "\t".join("1" * length)
    with folder() as base:
        (base / "t").write_text("\n".join(lines))
        with pytest.raises(DataError, match=f"row {wrong + 1} has {length} cells .* has 3"):
            read_table(base / "t")


@few
@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False) | st.none(), min_size=1))
def test_numbers_survive_as_text(numbers):
    cells = pd.Series([" n/A " if x is None else f" {x!r}" for x in numbers], dtype=object)
    wanted = [np.nan if x is None else x for x in numbers]
    np.testing.assert_allclose(to_numbers(HERE, cells), wanted, rtol=1e-14)


@few
@given(SEEDS, st.sampled_from(sorted(KINDS)), st.integers(0, 99))
def test_any_split_is_disjoint_complete_and_seeded(seed, kind, draw):
    trials = design(seed)
    split = make_split(trials, kind, (0.7, 0.15, 0.15), draw)
    rows = np.concatenate(rows_of(split))
    plain = [k for k, c in enumerate(trials["uniqueID"]) if isinstance(c, str)]
    assert sorted(rows.tolist()) == plain == live_rows(trials).tolist()
    np.random.seed(draw + 1)  # noqa: NPY002 - the global generator must not matter
    changed = trials.reset_index(drop=True).assign(**{mean_column("heavy"): 0.0})
    again = make_split(changed, kind, (0.7, 0.15, 0.15), draw)
    for one, other in zip(rows_of(split), rows_of(again), strict=True):
        np.testing.assert_array_equal(one, other)
    others = [make_split(trials, kind, (0.7, 0.15, 0.15), draw + k) for k in range(1, 6)]
    assert any(not np.array_equal(split.train, other.train) for other in others)


@few
@given(SEEDS, st.sampled_from(sorted(KINDS)), st.sampled_from([0, 0.2]))
def test_any_split_survives_the_disk(seed, kind, validation):
    split = make_split(design(seed), kind, (0.6, validation, 0.4 - validation), seed)
    with folder() as base:
        split.save(base / "s.json")
        found = Split.load(base / "s.json")
    assert (found.kind, found.seed, [*found.extra]) == (kind, seed, [*split.extra])
    for one, other in zip(rows_of(found), rows_of(split), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype == np.int64


@few
@given(SEEDS, st.sampled_from(sorted(KINDS)))
def test_the_audit_counts_as_sets_do(seed, kind):
    trials = design(seed)
    split = make_split(trials, kind, (0.6, 0.2, 0.2), seed)
    seen, test = (
        {name: set(trials[name].iloc[rows]) for name in ("concept", "image_filename", "session")}
        for rows in (np.concatenate([split.train, split.validation]), split.test)
    )
    found = audit(trials, split)
    assert found.shared_trials == 0
    assert found.shared_concepts == len(seen["concept"] & test["concept"])
    assert found.leaks is bool(seen["image_filename"] & test["image_filename"])
    if kind in GROUPED:
        assert not seen[GROUPED[kind]] & test[GROUPED[kind]]
    if kind == "unseen_concepts":
        assert found.shared_concepts == 0


@few
@given(SEEDS, st.sampled_from(sorted(KINDS)))
def test_one_foreign_row_is_noticed(seed, kind):
    split = make_split(design(seed), kind, (0.6, 0.2, 0.2), seed)
    check_fitted_on(split, split.train[::2], "a scaling")
    for row in (split.validation[0], split.test[-1]):
        with pytest.raises(DataError, match=rf"on 1 trials outside .*\(first: row {row}\)"):
            check_fitted_on(split, np.append(split.train, row), "a scaling")


def betas_of(seed, n=60, width=7):
    """A store in memory: float16 betas with an offset and spread of each session's own."""
    rng = np.random.default_rng(seed)
    sessions = rng.integers(1, 5, n) * 3
    level, spread = rng.normal(0, 5, (13, width)), rng.uniform(0.5, 3, (13, width))
    betas = (rng.normal(size=(n, width)) * spread[sessions] + level[sessions]).astype(np.float16)
    trials = pd.DataFrame({"session": sessions})

    def read(rows, voxels=None):
        return betas[rows] if voxels is None else betas[rows, voxels]

    return SimpleNamespace(
        betas=betas,
        trials=trials,
        shape=betas.shape,
        vector=lambda k: betas[k].astype(np.float32),
        read=read,
    )


@few
@given(SEEDS, st.integers(2, 50))
def test_scaling_is_that_of_plain_numpy(seed, n_train):
    store, rng = betas_of(seed), np.random.default_rng(seed)
    train = rng.choice(60, n_train, replace=False)
    scaler = SessionScaler.fit(store, np.append(train, train[:1]))
    sessions, y = store.trials["session"].to_numpy(), store.betas.astype(float)
    wanted, pooled = np.zeros_like(y), []
    for session in np.unique(sessions):
        own = train[sessions[train] == session]
        pooled += [session] if len(own) < 2 else []
        used, here = y[own if len(own) > 1 else train], sessions == session
        spread = used.std(0)
        z = (y[here] - used.mean(0)) / np.where(spread > 0, spread, np.inf)
        wanted[here] = z
    np.testing.assert_allclose(
        StandardisedBetas(store, scaler).batch(np.arange(60)), wanted, rtol=2e-3, atol=2e-3
    )
    assert list(scaler.pooled) == pooled
    np.testing.assert_array_equal(scaler.fitted_rows, np.unique(train))


@few
@given(SEEDS)
def test_rows_outside_training_never_move_the_scaling(seed):
    store, rng = betas_of(seed), np.random.default_rng(seed)
    train = np.sort(rng.choice(60, 40, replace=False))
    before = SessionScaler.fit(store, train)
    store.betas[np.setdiff1d(np.arange(60), train)] = 1e4
    after = SessionScaler.fit(store, train[::-1])
    np.testing.assert_array_equal(before.mean, after.mean)
    np.testing.assert_array_equal(before.inverse_sd, after.inverse_sd)


def head(seed) -> BrainMask:
    rng = np.random.default_rng(seed)
    inside = rng.random(rng.integers(2, 7, 3)) < 0.4
    inside[0, 0, 1] = True
    affine = np.eye(4)
    affine[:3] = np.c_[np.linalg.qr(rng.normal(size=(3, 3)))[0] * 2, rng.uniform(-90, 90, 3)]
    return BrainMask(inside, Grid.of(inside.shape, affine))


@few
@given(SEEDS)
def test_any_mask_survives_the_disk_and_masking(seed):
    mask, rng = head(seed), np.random.default_rng(seed)
    with folder() as base:
        write_mask(base / "m.nii.gz", mask)
        found, _ = read_mask(base / "m.nii.gz")
    np.testing.assert_array_equal(found.inside, mask.inside)
    assert found.grid.same_as(mask.grid)
    vector = rng.normal(size=mask.n_voxels).astype(np.float32)
    volume = mask.unmask(vector, fill=9)
    np.testing.assert_array_equal(volume.ravel(order="F")[found.fortran_positions], vector)
    np.testing.assert_array_equal(volume[tuple(mask.ijk.T)], vector)
    assert (volume == 9).sum() == mask.grid.n_voxels - mask.n_voxels


@few
@given(SEEDS)
def test_voxels_find_their_place_in_any_order(seed):
    mask, rng = head(seed), np.random.default_rng(seed)
    kept = rng.permutation(mask.n_voxels)[: rng.integers(1, mask.n_voxels + 1)]
    place = place_in(mask, mask.ijk[kept], HERE)
    np.testing.assert_array_equal(kept[place[place >= 0]], np.flatnonzero(place >= 0))
    assert (place >= 0).sum() == len(kept)
    rows = pd.DataFrame(mask.ijk[kept], columns=["voxel_x", "voxel_y", "voxel_z"])
    rows = rows.assign(voxel_id=kept, nc_testset=kept * 2.0, V1=kept % 2 == 0)
    voxels, notes = voxel_table(mask, rows, HERE)
    order, listed = np.arange(mask.n_voxels), place >= 0
    np.testing.assert_array_equal(voxels["V1"], (order % 2 == 0) & listed)
    np.testing.assert_array_equal(voxels["nc_testset"], np.where(listed, order * 2.0, np.nan))
    assert bool(notes) is (len(kept) < mask.n_voxels)


@few
@given(SEEDS, st.integers(0, 2), st.booleans())
def test_one_step_off_the_grid_is_refused(seed, axis, below):
    mask = head(seed)
    ijk = mask.ijk.copy()
    ijk[-1, axis] = -1 if below else mask.grid.shape[axis]
    with pytest.raises(DataError, match="lists voxels outside the grid"):
        place_in(mask, ijk, HERE)
