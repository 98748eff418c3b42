"""The overfitting study: from the command line, resumed without doing anything twice."""

import numpy as np
import pytest

from thingsviz.commands import overfitting
from thingsviz.core import json_files
from thingsviz.core.errors import ConfigError
from thingsviz.core.locks import try_lock
from thingsviz.data.trials.labels import LabelMap
from thingsviz.figures.training.overfitting import draw_study, study_info
from thingsviz.studies.overfitting import (
    OverfittingCell,
    cells_of,
    drawn,
    fit_of,
    halved,
    model_of,
    parse_study,
    read_study,
    rows_of,
    seconds_left,
    study_folder,
    study_material,
)
from thingsviz.ui.scores.overfitting import beside_table, columns_of, cost_text, table_of

SMALL = {
    "dataset": "tiny",
    "models": ["logistic"],
    "shares": [0.5, 1],
    "l2": [0, 0.1],
    "epochs": 3,
    "batch_size": 32,
}


@pytest.fixture
def study(tiny_env):
    folder = study_folder("f" * 40, "concepts", None)
    folder.mkdir(parents=True)
    json_files.write_sealed(folder / "config.json", parse_study(SMALL).model_dump(mode="json"))
    return folder


def run(*args, capfd=None):
    code = overfitting.main([str(a) for a in args])
    return (code, capfd.readouterr().err) if capfd else code


def test_a_study_is_done_and_shown(study):
    assert run(study) == 0
    rows = rows_of(study)
    assert [(r["share"], r["l2"]) for r in rows] == [(0.5, 0), (1, 0), (1, 0.1)]
    for row in rows:
        assert len(row["train_loss"]) == len(row["validation_top10"]) == 3
        assert row["train_loss"][-1] < row["train_loss"][0]
    assert rows[0]["n_train"] < rows[1]["n_train"]
    table = table_of(rows)
    assert list(table["classifier"]) == ["Logistic"] * 3
    assert (table["training"] > 0).all()
    # at 1280 px there is room for this many letters of headings
    assert sum(map(len, table)) < 75
    assert set(columns_of(rows)) - {"loss at 5", "loss at 10"} <= set(table)
    assert beside_table(rows).startswith("Top-10 by chance ")
    assert f"Logistic {rows[0]['n_parameters']:,}" in beside_table(rows)
    late = [rows[0] | {"validation_loss": [90.0, 80.0, 95.0]}]
    assert draw_study(study_info(late), "dark").layout.yaxis.range[1] > 80  # the star is seen
    figure = draw_study(study_info(rows), "dark")
    assert len([t for t in figure.data if t.showlegend is not False]) == 3
    assert study_info([]) is None


def test_a_study_goes_on_where_it_was_left(study, monkeypatch):
    done = []
    monkeypatch.setattr(
        overfitting, "train_cell", lambda m, c, cell: done.append(cell) or cell._asdict()
    )
    first = OverfittingCell("logistic", 0.5, 0.0)
    json_files.append_line(study / "rows.jsonl", first._asdict())
    assert run(study) == 0
    assert done == [OverfittingCell("logistic", 1.0, 0.0), OverfittingCell("logistic", 1.0, 0.1)]
    assert run(study) == 0
    assert len(done) == 2


def test_the_time_left_is_estimated_from_what_was_measured():
    config = parse_study(SMALL | {"models": ["logistic", "mlp"]})
    assert seconds_left(config, []) is None
    assert "6 trainings of 3 epochs" in cost_text(config, [])
    first = {**OverfittingCell("logistic", 0.5, 0.0)._asdict(), "seconds": 10.0}
    # two and two and a half times all trials are left, each of them twice as long
    assert seconds_left(config, [first]) == pytest.approx(20 * (2 + 2.5))
    assert "1 of 6 trainings took 10 s, 10.0 s each" in cost_text(config, [first])
    assert cost_text(config, [first]).endswith("there is 2 min left.")
    other = {**OverfittingCell("mlp", 1.0, 0.0)._asdict(), "seconds": 40.0}
    assert seconds_left(config, [first, other]) == pytest.approx(20 * 2 + 40 * 1.5)
    rows = [{**cell._asdict(), "seconds": 1.0} for cell in cells_of(config)]
    assert seconds_left(config, rows) == 0


def test_the_command_begins_a_study(tiny_env, monkeypatch):
    monkeypatch.setattr(overfitting, "train_cell", lambda m, c, cell: cell._asdict())
    folder = tiny_env / "new"
    assert run(folder, "--dataset", "tiny", "--split", "trial", "--sessions", "1") == 0
    config = read_study(folder)
    assert (config.split.kind, config.n_sessions, config.epochs) == ("trial", 1, 15)
    assert len(rows_of(folder)) == len(list(cells_of(config))) == 12


def test_settings_are_the_report_s_but_for_what_the_study_says():
    config = parse_study({"dataset": "tiny"})
    fit = fit_of(config, OverfittingCell("cnn3d", 1.0, 0.01))
    assert (fit.optimiser, fit.learning_rate, fit.loss) == ("adam", 1e-3, "cross_entropy")
    assert (fit.weight_decay, fit.noise_sd, fit.epochs) == (0.01, 0.1, 15)
    assert model_of(config, "cnn3d").channels == (32, 64, 128)


def test_trainings_read_what_the_report_s_networks_read(tiny_env):
    config = parse_study(SMALL)
    material = study_material(config, tiny_env)
    data = halved(material, config)
    row = int(drawn(material.split.train, 1.0, config)[3])
    volume = material.store.brain.unmask(material.responses.batch(np.array([row]))[0])
    plain = volume[::2, ::2, ::2][data.mask]
    np.testing.assert_allclose(data.X.batch(np.array([3]))[0], plain, rtol=1e-6)
    np.testing.assert_array_equal(data.answers[3], material.answers[row])


def test_a_smaller_draw_is_part_of_a_larger_one():
    config = parse_study({"dataset": "tiny", "most_trials": 80})
    rows = np.arange(100, 200)
    small, large = drawn(rows, 0.25, config), drawn(rows, 1.0, config)
    assert (len(small), len(large)) == (20, 80)
    assert set(small) <= set(large) <= set(rows)


def test_one_session_has_no_other_trials(tiny_env):
    material = study_material(parse_study({**SMALL, "n_sessions": 1}), tiny_env)
    rows = np.concatenate([material.split.train, material.split.validation, material.split.test])
    assert set(material.store.trials["session"].iloc[rows]) == {1}
    assert isinstance(material.labels, LabelMap)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shares": []}, "must lie above 0"),
        ({"shares": [0, 1]}, "must lie above 0"),
        ({"models": ["ridge"]}, "models"),
        ({"l2": [-1]}, "an l2 of 0 or more"),
        ({"learns": "ratings"}, "learns"),
        ({"epoch": 3}, "did you mean 'epochs'"),
    ],
)
def test_a_wrong_recipe_is_one_sentence(change, words):
    with pytest.raises(ConfigError, match=words) as caught:
        parse_study({**SMALL, **change})
    assert "\n" not in str(caught.value)


def test_faults_of_the_command_are_one_sentence(tiny_env, capfd):
    empty = tiny_env / "empty"
    assert run(empty, capfd=capfd) == (
        2,
        f"overfitting: {str(empty)!r} holds no study: name a --dataset to begin one\n",
    )
    code, said = run(empty, "--dataset", "nowhere", capfd=capfd)
    assert code == 2
    assert "there is no dataset 'nowhere'" in said
    assert not empty.exists()


def test_a_study_runs_once_at_a_time(study, capfd):
    handle = try_lock(study / "lock")
    assert handle is not None
    code, said = run(study, capfd=capfd)
    assert code == 2
    assert "is already running" in said


def test_axes_hold_what_is_drawn():
    row = {"model": "mlp", "share": 1, "l2": 0, "n_train": 9, "n_validation": 3, "n_classes": 20}
    curves = {"train_loss": [3, 2], "validation_loss": [3, 4], "validation_top10": [0.5, 0.6]}
    figure = draw_study(study_info([{**row, **curves}]), "light")
    assert figure.layout.yaxis.range[1] >= 4
    assert figure.layout.yaxis2.range == pytest.approx((0, 0.69))
