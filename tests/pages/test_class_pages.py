"""Pages of a classifier: the form that makes one, what it guessed, and how sure that is."""

import pytest

from tests.pages.conftest import button
from tests.ui.made_jobs import trained_classifier
from thingsviz.jobs.job_folder import list_jobs
from thingsviz.ui.shell.ui_state import Key
from thingsviz.ui.training.form_fields import form_key


def words(app):
    return [*(m.value for m in app.markdown), *(c.value for c in app.caption)]


def test_a_click_on_a_classifier_makes_the_report_s_job(visit, monkeypatch):
    monkeypatch.setattr("thingsviz.queue.submit.start", lambda job, config=None: None)
    app = visit("train.py")
    app.selectbox(key=str(Key.W_PRESET)).set_value("MLP, 10 epochs").run()
    assert not app.exception, app.exception
    assert all(e.value.startswith("A good score would mean nothing") for e in app.error)
    button(app, "Start training").click().run()
    (job,) = list_jobs()
    config = job.config()
    assert (config.learns, config.model.name) == ("concepts", "mlp")
    assert config.split.kind == "trial"
    assert config.split.fractions == (0.7, 0.1, 0.2)
    fit = config.fit
    assert (fit.loss, fit.optimiser, fit.batch_size, fit.epochs) == (
        "cross_entropy",
        "adam",
        4,
        10,
    )
    assert (fit.learning_rate, fit.weight_decay) == (1e-3, 0)


def test_concepts_without_trained_concepts_are_one_sentence(visit):
    app = visit("train.py")
    app.selectbox(key=form_key("question", "learns")).set_value("concepts").run()
    assert not app.exception, app.exception
    assert any("never trained" in e.value for e in app.error), [e.value for e in app.error]
    assert button(app, "Start training").disabled
    models = app.selectbox(key=form_key("model")).options
    assert not any(option.startswith("ridge:") for option in models)
    assert any(option.startswith("identification:") for option in models)


def loss_control(app):
    return next(b for b in app.get("button_group") if b.label == "Loss")


def test_only_losses_that_fit_are_offered(visit):
    app = visit("train.py")
    app.selectbox(key=str(Key.W_PRESET)).select("MLP, 5 epochs").run()
    assert not any(b.label == "Loss" for b in app.get("button_group"))
    app.selectbox(key=form_key("question", "learns")).set_value("ratings").run()
    assert not app.exception, app.exception
    assert loss_control(app).options == ["mse", "huber"]
    assert not any("cross_entropy" in e.value for e in app.error)


@pytest.fixture
def classified(tiny_env, monkeypatch, capfd):
    return trained_classifier("lda", monkeypatch)


def test_a_classifier_is_shown_with_all_that_belongs_to_it(visit, classified):
    app = visit("predictions.py", job="lda")
    text = " ".join(words(app))
    row = next(r for r in classified.scores().to_dict("records") if r["metric"] == "top10")
    assert f"({int(row['hits'])} of 32)" in " ".join([m.value for m in app.metric] + words(app))
    for part in ("95 % interval", "permutation p", "prior-only", "through ratings", "SIMULATED"):
        assert part in text, part
    assert "came on place" in text
    assert any("32 trials of 8 concepts" in t for t in words(app))
    for rival in ("one-hot ridge", "naming through predicted ratings"):
        assert f"than {rival} (test, single)" in text.replace("\\", ""), text
    table = app.dataframe[-1].value
    assert list(table)[:2] == ["concept", "rank"]
    assert table["trial"].str.fullmatch(r"\d\d-\d\d-\d+").all()
    app.number_input[0].set_value(3).run()
    assert not app.exception, app.exception
    assert any("Top-3" in m.label for m in app.metric)


def test_a_trial_s_page_names_the_guesses(visit, classified):
    row = classified.predictions().query("part == 'test' and n_averaged == 1").iloc[0]
    at = {"session": "01", "run": f"{row['run']:02d}", "trial": str(row["trial"])}
    app = visit("trials.py", job="lda", **at)
    assert any(f"came on place {row['rank']}. First" in text for text in words(app)), words(app)


def test_the_train_page_shows_the_hits(visit, classified):
    app = visit("train.py", job="lda")
    assert any("Top-10" in m.label for m in app.metric)


def test_the_overfitting_page_begins_a_study(visit, monkeypatch):
    started = []
    monkeypatch.setattr("thingsviz.ui.actions.begin_task", lambda *args: started.append(args))
    app = visit("overfitting.py")
    assert any("No training of this study has ended yet" in i.value for i in app.info)
    button(app, "Start the study").click().run()
    assert not app.exception, app.exception
    ((kind, args),) = started
    assert kind == "overfitting"
    assert "--dataset" in args
