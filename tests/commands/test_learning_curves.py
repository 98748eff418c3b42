import numpy as np
import pandas as pd
import pytest

from thingsviz.commands import learning_curves
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset
from thingsviz.figures.scores.learning import AXES, draw_learning, learning_info
from thingsviz.jobs import result_cache


@pytest.fixture(scope="module")
def rows(tiny, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINGSVIZ_JOBS", str(tmp_path_factory.mktemp("jobs")))
        assert learning_curves.main([str(tiny / "tiny")]) == 0
        store = BetaStore.open(Dataset(tiny / "tiny"), "sub-01")
        yield pd.DataFrame(
            result_cache.read_kept(result_cache.newest("curves", store.fingerprint))["rows"]
        )


def mean_of(rows, curve, model):
    own = rows.query("curve == @curve and model == @model and target == 'mean'")
    return own.set_index("x")["value"]


def test_every_point_has_its_interval_p_and_counts(rows):
    measured = rows[~rows["model"].str.contains("predicted|ceiling")]
    needed = ["low", "high", "p", "chance", "n_trials", "n_concepts", "draws"]
    assert measured[measured["target"] == "mean"][needed].notna().all(axis=None)
    assert measured["n_concepts"].eq(8).all()
    assert set(rows["target"]) - {"mean"} == set(rows["target"]) & {*rows["target"]} - {"mean"}
    assert rows["target"].nunique() == 15


def test_repeats_help_as_one_repeat_predicts(rows):
    for model in ("ridge", "oracle"):
        found = mean_of(rows, "repeats", model)
        expected = mean_of(rows, "repeats", f"{model}, predicted")
        assert found.index.tolist() == [1, 2, 3, 4]
        assert found[4] > found[1]
        assert np.abs(found - expected).max() < 0.06


def test_trials_and_voxels_end_at_all_there_are(rows, tiny):
    trials = mean_of(rows, "trials", "ridge")
    assert trials.index.tolist() == [trials.index.max() // 2, trials.index.max()]
    voxels = mean_of(rows, "voxels", "ridge")
    assert voxels.index.max() == 5798
    assert mean_of(rows, "trials", "oracle").iloc[0] > trials.max()
    assert mean_of(rows, "all", "ceiling").iloc[0] > 0.9


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("mean", "no linear decoder"), ("vit3d", "no linear decoder"), ("rigde", "rigde")],
)
def test_what_is_no_linear_decoder_is_one_sentence(tiny, name, sentence, capsys):
    assert learning_curves.main([str(tiny / "tiny"), "--model", name]) == 2
    error = capsys.readouterr().err.strip()
    assert sentence in error
    assert "\n" not in error


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("curve", AXES)
def test_the_picture_has_lines_bands_and_limits(rows, theme, curve):
    info = learning_info(rows, curve, "mean")
    figure = draw_learning(info, theme, simulated=True)
    assert info.lines[0].model == "ridge"
    assert info.lines[0].low[0] < info.lines[0].y[0]
    names = [trace.name for trace in figure.data if trace.name]
    assert ("ridge, predicted" in names) == (curve == "repeats")
    assert "SIMULATED" in figure.layout.title.text
    assert list(figure.layout.xaxis.tickvals) == list(info.lines[0].x)
    texts = [note.text for note in figure.layout.annotations]
    assert texts == ["95 % of chance", "noise ceiling of the ratings"]


def test_a_lone_point_has_its_interval_as_a_bar(rows):
    figure = draw_learning(learning_info(rows, "trials", "mean"), "light", simulated=True)
    oracle = next(trace for trace in figure.data if trace.name == "oracle")
    assert (len(oracle.x), oracle.mode) == (1, "markers")
    assert oracle.error_y.array[0] > 0 < oracle.error_y.arrayminus[0]
    ridge = next(trace for trace in figure.data if trace.name == "ridge")
    assert ridge.error_y.array is None
    assert sum(trace.fill == "toself" for trace in figure.data) == 1


def test_no_rows_are_no_lines():
    columns = ["curve", "model", "x", "target", "value", "low", "high", "p", "draws"]
    empty = learning_info(pd.DataFrame(columns=columns), "trials", "mean")
    assert empty == ("trials", "mean", (), None, None)
    assert empty.n_points == 0
