import pytest
from streamlit.testing.v1 import AppTest

from tests.figures.plain import class_scores
from tests.figures.plain import scores as ratings
from tests.ui.strips import bare_scores, is_complete
from thingsviz.figures.scores.scores import (
    CLASS_REFERENCES,
    METRICS,
    REFERENCES,
    ScoreQuestion,
    headline,
)
from thingsviz.ui.job_choice.score_strip import METRIC_TERMS, REFERENCE_TERMS
from thingsviz.ui.shell.glossary import GLOSSARY


def strip(model, metric, theme, limits):
    from tests.figures.plain import scores
    from thingsviz.figures.scores.scores import ScoreQuestion, score_info
    from thingsviz.ui.job_choice.score_strip import score_strip

    info = score_info(scores(), model, ScoreQuestion(metric=metric))
    score_strip(info, theme, "test", could_not_show=limits)


def shown(model="vit3d", metric="r", theme="light", limits=()):
    kwargs = {"model": model, "metric": metric, "theme": theme, "limits": list(limits)}
    app = AppTest.from_function(strip, kwargs=kwargs).run()
    assert not app.exception, app.exception
    return app


def test_every_word_of_the_strip_is_in_the_glossary():
    assert set(METRIC_TERMS) == set(METRICS)
    assert set(REFERENCE_TERMS) == {*REFERENCES, *CLASS_REFERENCES}
    assert {*METRIC_TERMS.values(), *REFERENCE_TERMS.values()} <= set(GLOSSARY)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_strip_has_the_number_and_all_that_belongs_to_it(theme):
    app = shown(theme=theme)
    assert (app.metric[0].label, app.metric[0].value) == (
        "Pearson r, mean over properties",
        "0.35",
    )
    lines = [m.value for m in app.markdown]
    assert lines == [
        "95 % interval 0.25 to 0.55",
        "permutation p = 0.010",
        "240 trials of 20 concepts",
        "chance **0.00**",
        "mean **–**",
        "ridge **0.45**",
        "noise ceiling **0.80**",
        "oracle **0.70**",
    ]
    assert app.get("plotly_chart")[0].proto.alt.startswith("Pearson r 0.35")


def test_hover_texts_explain_terms_and_missing_numbers():
    helps = {m.value: m.help for m in shown().markdown}
    assert "shuffled" in helps["permutation p = 0.010"]
    assert helps["mean **–**"].endswith("has no correlation with anything.")
    assert helps["ridge **0.45**"] == GLOSSARY["ridge"]


def test_errors_are_shown_without_what_they_lack():
    app = shown(metric="mse")
    assert app.metric[0].value == "0.65"
    assert "no permutation p" in [m.value for m in app.markdown]


def test_a_ridge_is_not_compared_with_itself():
    assert not any("ridge" in m.value for m in shown(model="ridge").markdown)


def test_what_could_not_be_shown_is_below_and_kept_plain():
    app = shown(limits=["With *few* concepts <b>nothing</b> is sure."])
    text = app.caption[0].value
    assert text.startswith("**What this could not show**")
    assert "\\*few\\*" in text
    assert "<b>" not in text


def class_strip():
    from tests.figures.plain import class_scores
    from thingsviz.figures.scores.scores import headline, score_info
    from thingsviz.ui.job_choice.score_strip import score_line, score_strip

    scores = class_scores()
    info = score_info(scores, "logistic", headline(scores))
    score_strip(info, "light", "classes", could_not_show=["One brain."])
    score_line(info, ["One brain."])


def test_classes_have_the_same_strip_with_hits_as_counts():
    app = AppTest.from_function(class_strip).run()
    assert not app.exception, app.exception
    metric = app.metric[0]
    assert (metric.label, metric.value) == (
        "Top-10 share of hits, of the classes",
        "1.27\u00a0% (2 of 157)",
    )
    assert is_complete(metric.help)
    assert "prior-only 1.91\u00a0%" in metric.help
    assert (
        "- That the decoder reads anything at all\\: the interval reaches chance." in metric.help
    )
    lines = [m.value for m in app.markdown]
    assert lines[:3] == [
        "95 % interval 0.15\u00a0% to 4.53\u00a0%",
        "no permutation p",
        "157 trials of 142 concepts",
    ]
    assert "through ratings **5.00\u00a0%**" in lines
    assert app.caption[-1].value.startswith("Top-10 share of hits 1.27\u00a0% (2 of 157), 95 %")
    assert bare_scores(app) == []


def test_the_first_guess_stands_for_few_classes():
    scores = class_scores()
    few = scores[scores["metric"] != "top10"]
    least = min(few["metric"], key=lambda m: int(m.removeprefix("top") if "top" in m else 99))
    assert headline(few) == ScoreQuestion(metric=least, target="mean")
    assert headline(ratings()) == ScoreQuestion()
