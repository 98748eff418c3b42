"""Properties of the info tuples: whatever the tables hold, torn or empty, pictures are true."""

from __future__ import annotations

import math
import re
from itertools import combinations, permutations, product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from tests.figures.brain.unpacked import unpack
from tests.figures.plain import predictions, scores
from thingsviz.analysis.regions.regions import Regions
from thingsviz.core.space import Grid
from thingsviz.core.typography import finite
from thingsviz.data.things.ratings import PROPERTIES, mean_column, rating_range, sd_column
from thingsviz.figures.base.counts import TYPES, counts_info
from thingsviz.figures.base.style import (
    diverging,
    diverging_table,
    layout,
    legend_below,
    palette,
    rgb,
    symmetric_limit,
)
from thingsviz.figures.brain.slices import brain_box, slices_info, start_voxel
from thingsviz.figures.brain.slices_packet import pack, pack_geometry
from thingsviz.figures.scores.property_scores import draw_property_scores, property_scores_info
from thingsviz.figures.scores.ratings import GROUPS, NAMES, draw_ratings, ratings_info, readable
from thingsviz.figures.scores.scatter import draw_scatter, scatter_info
from thingsviz.figures.scores.scores import (
    METRICS,
    REFERENCES,
    ScoreQuestion,
    score_info,
    span,
)
from thingsviz.figures.training.curves import MAX_POINTS, LossCurve, curves_info, draw_curves

SHAPE = (4, 5, 6)
THEMES = ("light", "dark")
SEEDS = some.integers(0, 2**32 - 1)
SCORES, PREDICTIONS = scores(), predictions(5, 3)
seeded = settings(derandomize=True, deadline=None, max_examples=20)
briefly = settings(seeded, max_examples=5)


def brain(seed, share=0.6):
    rng = np.random.default_rng(seed)
    mask = rng.random(SHAPE) < share
    mask[2, 2, 3] = True
    return rng, mask


# every way in which a file's axes may lie: permuted and flipped
AFFINES = [
    np.block([[np.eye(3)[list(order)] * sign * 2.0, np.array([[-3.0], [5], [7]])], [0, 0, 0, 1]])
    for order in permutations(range(3))
    for sign in product((1, -1), repeat=3)
]


@seeded
@given(SEEDS, some.sampled_from(AFFINES))
def test_all_three_planes_meet_in_the_crosshairs_value(seed, affine):
    rng, mask = brain(seed)
    volume = rng.normal(size=SHAPE).astype(np.float32)
    at = tuple(int(v) for v in rng.choice(np.argwhere(mask)))
    info = slices_info(volume, mask, Grid.of(SHAPE, affine), at)
    assert info.value == pytest.approx(float(volume[at]), abs=5.1e-5)
    assert info.mm == tuple(affine[:3, :3] @ at + affine[:3, 3])
    for plane in info.planes:
        assert plane.image.shape == (len(plane.up_mm), len(plane.right_mm))
        assert plane.right_mm == tuple(sorted(plane.right_mm)), "right is right"
        assert plane.up_mm == tuple(sorted(plane.up_mm)), "up is up"
        column = plane.right_mm.index(plane.cross_mm[0])
        row = plane.up_mm.index(plane.cross_mm[1])
        assert plane.image[row, column] == pytest.approx(info.value, abs=1e-6)


@seeded
@given(SEEDS)
def test_a_plane_is_empty_exactly_outside_the_brain(seed):
    rng, mask = brain(seed)
    volume = rng.normal(size=SHAPE).astype(np.float32)
    i, j, k = at = start_voxel(mask)
    planes = slices_info(volume, mask, Grid.of(SHAPE, np.eye(4)), at).planes
    cuts = (np.s_[i], np.s_[:, j], np.s_[:, :, k])
    for plane, cut in zip(planes, cuts, strict=True):
        assert np.array_equal(np.isfinite(plane.image), mask[cut].T), plane.name
        there = mask[cut].T
        assert plane.image[there] == pytest.approx(volume[cut].T[there], abs=5.1e-5)


@seeded
@given(SEEDS, some.floats(1e-6, 1e4))
def test_the_limit_has_three_digits_and_grows_with_the_response(seed, factor):
    rng, mask = brain(seed)
    volume = rng.normal(size=SHAPE)
    limit = slices_info(volume * factor, mask, Grid.of(SHAPE, np.eye(4))).limit
    assert limit == float(f"{limit:.3g}")
    expected = factor * np.percentile(np.abs(volume[mask]), 98)
    assert limit == pytest.approx(expected, rel=6e-3)


@seeded
@given(SEEDS, some.floats(0.02, 1), some.integers(0, 3))
def test_start_and_box_of_any_brain(seed, share, margin):
    rng, mask = brain(seed, share)
    assert mask[start_voxel(mask)]
    assert mask[start_voxel(mask, rng.random(mask.sum()))]
    box = brain_box(mask, margin)
    inside = np.argwhere(mask)
    for axis, (low, high) in enumerate(box):
        assert low == max(inside[:, axis].min() - margin, 0)
        assert high == min(inside[:, axis].max() + margin, SHAPE[axis] - 1)


@seeded
@given(SEEDS, some.floats(-4, 4), some.text(max_size=30))
def test_a_packet_keeps_values_to_half_precision_and_any_title(seed, exponent, title):
    rng, mask = brain(seed)
    n = int(mask.sum())
    regions = Regions(rng.integers(0, 4, n).astype(np.uint16), ("V1", "Ä", 'a"b'), "test")
    geometry = pack_geometry(mask, Grid.of(SHAPE, np.eye(4)), regions, (0, 0, 0), "k")
    values = (rng.normal(size=n) * 10**exponent).astype(np.float32)
    header, half, labels = unpack(pack(geometry, values, title))
    error = np.abs(half.astype(np.float64) - values)
    assert (error <= 2.0**-11 * np.abs(values) + 2.0**-25).all()
    assert header["title"] == title
    assert header["regions"] == ["V1", "Ä", 'a"b']
    assert header["limit"] == float(f"{symmetric_limit(values):.3g}") > 0
    assert np.array_equal(labels[mask], regions.labels + 1)
    assert not labels[~mask].any()


NUMBERS = some.none() | some.floats(-1e3, 1e3) | some.sampled_from([math.nan, math.inf])
LEAST = ("validation_loss", min)
LOSSES = some.none() | some.integers(-90, 90).map(lambda v: v / 10)
ROWS = some.lists(
    some.fixed_dictionaries(
        {"epoch": some.integers(1, 99)},
        optional={
            "kind": some.sampled_from(["step", "epoch", "step", "epoch", "note", None]),
            "step": some.none() | some.integers(0, 10**6),
            "train_loss": NUMBERS,
            "lr": NUMBERS,
            "validation_loss": LOSSES,
            "validation_r": LOSSES,
        },
    ),
    max_size=12,
)


@seeded
@given(ROWS)
def test_torn_rows_of_a_training_give_finite_curves(rows):
    info = curves_info(rows)
    epochs = [row for row in rows if row.get("kind") == "epoch"]
    steps = [row for row in rows if row.get("kind") == "step"]
    assert info.epochs == tuple(row["epoch"] for row in epochs)
    for curve in (info.batches, info.train, info.validation, info.correlation, info.rate):
        assert len(curve.x) == len(curve.y)
        assert all(map(math.isfinite, (*curve.x, *curve.y)))
    known = [row["train_loss"] for row in steps if row.get("train_loss") is not None]
    assert info.batches.y == tuple(v for v in known if math.isfinite(v))
    validation = [row.get("validation_loss") for row in epochs]
    assert info.validation.y == tuple(v for v in validation if v is not None)


@seeded
@given(ROWS, some.sampled_from([LEAST, ("validation_r", max)]))
@example([{"kind": "epoch", "epoch": 1, "validation_loss": v} for v in (3, 1, 2)], LEAST)
def test_the_kept_epoch_is_the_first_of_the_best(rows, rule):
    column, choose = rule
    found = [row.get(column) for row in rows if row.get("kind") == "epoch"]
    known = [v for v in found if v is not None]
    best = curves_info(rows, best_by=column).best
    assert best == (found.index(choose(known)) if known else None)


@briefly
@given(ROWS)
def test_torn_rows_can_be_drawn_and_an_empty_curve_has_no_trace(rows):
    info = curves_info(rows)
    drawn = {trace.name for trace in draw_curves(info, "dark").data}
    assert ("training" in drawn) == (info.train != LossCurve())
    assert ("validation r" in drawn) == (info.correlation != LossCurve())


@seeded
@given(some.integers(0, 5 * MAX_POINTS))
def test_a_long_training_has_few_points_and_its_mean_rate(n):
    rows = [{"kind": "step", "step": s, "train_loss": 1.0, "lr": 0.5} for s in range(n)]
    info = curves_info(rows)
    assert min(n, MAX_POINTS // 2) <= len(info.batches.x) <= MAX_POINTS
    assert set(info.batches.y) == ({1.0} if n else set())
    assert set(info.rate.y) == ({0.5} if n else set())


def test_every_property_has_one_axis_and_a_scale_that_is_its_axis():
    grouped = [name for names, _ in GROUPS for name in names]
    assert sorted(grouped) == sorted(PROPERTIES), "each once"
    for names, _ in GROUPS:
        assert len({rating_range(name)[:2] for name in names}) == 1


RATED = some.dictionaries(
    some.sampled_from(PROPERTIES),
    some.floats(0, 7) | some.sampled_from([math.nan, -math.inf, None, "6", ""]),
)


@seeded
@given(RATED, RATED, RATED)
def test_there_is_a_bar_for_each_number_and_for_nothing_else(means, sds, guesses):
    row = {"concept": "big_dog"} | {mean_column(name): v for name, v in means.items()}
    row |= {sd_column(name): v for name, v in sds.items()}
    info = ratings_info(row, guesses, "job")
    bars = {bar.name: bar for group in info.groups for bar in group.bars}

    def finite(value):
        return isinstance(value, float) and math.isfinite(value)

    rated = [name for name in PROPERTIES if finite(means.get(name))]
    assert set(bars) == {NAMES.get(name, name) for name in rated}
    for name in rated:
        bar = bars[NAMES.get(name, name)]
        assert bar.mean == round(means[name], 3)
        for shown, given_ in ((bar.sd, sds.get(name)), (bar.predicted, guesses.get(name))):
            assert shown == (round(given_, 3) if finite(given_) else None)
    assert bool(info.model) == any(finite(guesses.get(name)) for name in rated)
    if info.groups:
        assert sum(t.name == "people's mean ± SD" for t in draw_ratings(info, "light").data) == (
            len(info.groups)
        )


@seeded
@given(some.text(max_size=20))
def test_a_readable_concept_has_its_letters_and_no_underscore(concept):
    words = readable(concept)
    assert "_" not in words
    assert words.split(" ") == concept.replace(" ", "_").split("_")


@briefly
@given(SEEDS, some.sampled_from(["vit3d", "ridge"]))
def test_scores_do_not_depend_on_the_order_of_the_rows(seed, model):
    shuffled = SCORES.sample(frac=1, random_state=seed)
    assert score_info(shuffled, model, ScoreQuestion()) == score_info(
        SCORES, model, ScoreQuestion()
    )
    ordered = property_scores_info(shuffled, model, ScoreQuestion())
    assert ordered.targets == ("heavy", "lives", "grasp", "size")
    assert all(r.model != model for s in ordered.scores for r in s.references)


@briefly
@given(some.sets(some.sampled_from(["heavy", "lives", "grasp", "size"])))
def test_a_property_without_a_value_has_no_row(missing):
    table = SCORES.copy()
    table.loc[table["target"].isin(missing) & table["model"].eq("vit3d"), "value"] = np.nan
    info = property_scores_info(table, "vit3d", ScoreQuestion())
    assert set(info.targets) == {"heavy", "lives", "grasp", "size"} - missing
    assert list(draw_property_scores(info, "light").data[-1].y) == list(info.targets)


@briefly
@given(some.sets(some.sampled_from(sorted(REFERENCES))))
def test_a_reference_without_a_value_is_left_out_and_the_others_keep_their_order(missing):
    table = SCORES.copy()
    table.loc[table["model"].isin(missing), "value"] = np.inf
    info = score_info(table, "vit3d", ScoreQuestion())
    kept = [name for name in REFERENCES if name not in missing | {"mean"}]
    assert [r.model for r in info.references] == kept
    assert all(info.reference(name) is None for name in missing)


@seeded
@given(some.floats(), some.sampled_from([float, np.float64]))
@example(-0.0, float)
def test_a_number_is_itself_or_none(value, kind):
    assert finite(kind(value)) == (value if math.isfinite(value) else None)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("value", [-2.0, 0.0, 1e-6, 3e5])
def test_the_axis_of_a_lonely_score_has_a_width_and_holds_it(metric, value):
    table = SCORES.head(1).assign(metric=metric, value=value, low=None, high=None, target="mean")
    low, high = span(score_info(table, "vit3d", ScoreQuestion(metric=metric)))
    assert low < value < high
    if metric == "r":
        assert low < 0
        assert high > 0.5


PAIRS = some.lists(some.tuples(some.integers(10, 70), some.integers(10, 70)), max_size=15)


@seeded
@given(PAIRS)
def test_the_line_goes_through_the_means_and_the_axes_hold_all_dots(pairs):
    table = PREDICTIONS.head(len(pairs)).copy()
    table["true_heavy"] = [t / 8 for t, _ in pairs]  # eighths: their mean is exact
    table["pred_heavy"] = [p / 8 for _, p in pairs]
    info = scatter_info(table, "heavy")
    low, high = info.limits
    assert low < high
    assert all(low < v < high for v in (*info.true, *info.predicted))
    assert len(info.trials) == len(info.true) == len(pairs)
    drawable = len(pairs) >= 3 and len(set(info.true)) > 1
    assert (info.slope is not None) == drawable
    if info.slope is not None:
        middle = info.intercept + info.slope * np.mean(info.true)
        assert middle == pytest.approx(np.mean(info.predicted))
        assert (info.r is None) == (len(set(info.predicted)) == 1)
        if info.r is not None:
            assert abs(info.r) <= 1 + 1e-12
            assert info.r * info.slope >= -1e-12, "the line leans as r says"


def test_equal_ratings_have_no_line_but_a_picture():
    info = scatter_info(PREDICTIONS.assign(true_heavy=4.0), "heavy")
    assert (info.slope, info.intercept, info.r) == (None, None, None)
    assert len(draw_scatter(info, "light", "1-7").data) == 2


@seeded
@given(
    some.dictionaries(
        some.integers(1, 120).map(str),
        some.dictionaries(some.sampled_from(TYPES), some.integers(0, 900)),
        max_size=14,
    )
)
def test_no_trial_is_lost_or_counted_twice(by_session):
    info = counts_info(by_session)
    assert [int(s) for s in info.sessions] == sorted(map(int, by_session))
    for kind in TYPES:
        total = sum(found.get(kind, 0) for found in by_session.values())
        assert sum(info.numbers.get(kind, ())) == total
        assert (kind in info.numbers) == (total > 0)
    for place, session in enumerate(info.sessions):
        for kind, numbers in info.numbers.items():
            assert numbers[place] == by_session[str(int(session))].get(kind, 0)


@pytest.mark.parametrize("theme", THEMES)
def test_colours_are_valid_and_told_apart(theme):
    p = palette(theme)
    named = [v for v in p if isinstance(v, str)]
    stops = [colour for _, colour in diverging(theme)]
    for colour in (*named, *p.series, *stops):
        assert re.fullmatch("#[0-9A-F]{6}", colour), colour
    assert len(set(stops)) == len(stops)
    for one, other in combinations(p.series, 2):
        assert np.abs(np.subtract(rgb(one), rgb(other))).sum() > 50, (one, other)
    assert p.truth != p.prediction
    assert len({p.text, p.muted, p.grid, p.background, p.surface}) == 5


def test_no_colour_of_the_page_is_the_same_in_both_themes():
    light, dark = (palette(theme) for theme in THEMES)
    assert all(a != b for a, b in zip(light, dark, strict=True))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("n", [11, 33, 255])
def test_a_table_of_any_odd_length_has_the_scales_ends_and_middle(theme, n):
    table, stops = diverging_table(theme, n), diverging(theme)
    assert table.shape == (n, 3)
    for row, stop in ((0, 0), (n // 2, len(stops) // 2), (-1, -1)):
        assert tuple(table[row]) == rgb(stops[stop][1])


@seeded
@given(some.lists(some.floats(-1e6, 1e6) | some.just(math.nan), max_size=40))
def test_a_limit_is_positive_symmetric_and_no_larger_than_the_largest(values):
    array = np.array(values, float)
    limit = symmetric_limit(array)
    size = np.abs(array[np.isfinite(array)])
    assert limit > 0
    assert limit == symmetric_limit(-array)
    if limit != 1.0:
        assert limit <= size.max() * (1 + 1e-12)
        assert np.mean(size <= limit) >= min(0.98 - 1 / size.size, 1)


def test_a_layout_that_is_changed_changes_no_other():
    before = layout("dark")
    changed = layout("dark", xaxis={"title": {"text": "r"}}, legend=legend_below(), height=9)
    changed["yaxis"]["gridcolor"] = changed["font"]["color"] = "red"
    assert layout("dark") == before
    assert changed["xaxis"]["gridcolor"] == before["xaxis"]["gridcolor"]
    assert (changed["height"], changed["legend"]["y"]) == (9, 0)
