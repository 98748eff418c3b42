import numpy as np
import pytest

from tests.figures.plain import TARGETS, predictions, scores
from thingsviz.analysis.scores.metrics import constant_confidence
from thingsviz.analysis.scores.ranking import rank_trials
from thingsviz.figures.scores.scatter import ScatterTrial
from thingsviz.figures.scores.scores import ScoreQuestion
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import parse_config
from thingsviz.ui.scores.confidence_story import constant_of
from thingsviz.ui.scores.predictions_view import PredictionsView, rows_of, table_of
from thingsviz.ui.scores.trial_predictions import ranking_of, response


@pytest.fixture
def view(tmp_path):
    config = parse_config(
        {"dataset": "tiny", "targets": TARGETS, "model": {"name": "vit3d"}}, "a test"
    )
    question = ScoreQuestion()
    rows = rows_of(predictions(), question)
    return PredictionsView(JobFolder(tmp_path), config, scores(), rows, question, "png")


def test_single_trials_and_means_of_repeats_are_kept_apart():
    table = predictions(n_images=6, n_repeats=3)
    assert len(rows_of(table, ScoreQuestion())) == 18
    averaged = rows_of(table, ScoreQuestion(n_averaged="mean of 3"))
    assert averaged["n_averaged"].tolist() == [3] * 6
    assert len(rows_of(table, ScoreQuestion(part="validation"))) == 0


def test_table_begins_with_the_mean_and_has_every_reference(view):
    table = table_of(view)
    assert table["property"].tolist() == ["mean", "heavy", "lives", "grasp", "size"]
    first = table.iloc[0]
    assert (first["vit3d"], first["low"], first["high"]) == pytest.approx((0.35, 0.25, 0.55))
    assert first[["chance", "ridge", "ceiling", "oracle"]].tolist() == pytest.approx(
        [0, 0.45, 0.8, 0.7]
    )
    assert first["mean"] is None
    assert (first["trials"], first["concepts"]) == (240, 20)


def test_a_ridge_has_no_column_of_itself_beside_it(view):
    ridge = view._replace(config=view.config.model_copy(update={"model": RIDGE}))
    table = table_of(ridge)
    assert table.columns.tolist().count("ridge") == 1
    assert table["ridge"].iloc[0] == pytest.approx(0.45)


RIDGE = parse_config({"dataset": "tiny", "model": {"name": "ridge"}}).model


def test_the_constant_s_confidence_is_the_formula_of_each_rated_property(view):
    rows = view.rows
    ratios = [rows[f"true_{t}"].std(ddof=0) / 1.0 for t in TARGETS if t != "size"]
    plain = np.mean([constant_confidence(ratio) for ratio in ratios])
    assert constant_of(view) == pytest.approx(plain)


def test_without_any_sd_there_is_no_constant(view):
    bare = view.rows.drop(columns=[c for c in view.rows if c.startswith("sd_")])
    assert constant_of(view._replace(rows=bare)) is None
    assert constant_of(view._replace(rows=view.rows[:0])) is None


def test_trials_are_ranked_over_the_job_s_properties(view):
    true, predicted = (view.rows.filter(regex=f"^{p}_").to_numpy() for p in ("true", "pred"))
    plain = rank_trials(true, predicted)
    assert np.array_equal(ranking_of(view).order, plain.order)
    narrow = view.config.model_copy(update={"targets": ("size",)})
    assert ranking_of(view._replace(config=narrow)).kind == "−error"


def test_an_averaged_response_is_the_mean_over_the_image_s_trials(tiny):
    from thingsviz.data.store.beta_store import BetaStore
    from thingsviz.data.things.layout import Dataset

    store = BetaStore.open(Dataset(tiny / "tiny"), "sub-01")
    image = store.trials.query("trial_type == 'test'")["image_filename"].iloc[0]
    rows = np.flatnonzero(store.trials["image_filename"] == image)
    key = store.key(int(rows[0]))
    single = ScatterTrial(key.session, key.run, key.trial, "x", image, 1)
    assert np.array_equal(response(store, single), store.volume(int(rows[0])))
    plain = np.mean([store.volume(int(row)) for row in rows], axis=0)
    averaged = response(store, single._replace(n_averaged=len(rows)))
    assert averaged == pytest.approx(plain, abs=1e-5)
