import pytest

from tests.pages.test_train import page, started  # noqa: F401
from thingsviz.data.trials.folds import FoldsAudit
from thingsviz.data.trials.splits import Audit, ClassBalance
from thingsviz.ui.training.form_fields import form_key
from thingsviz.ui.training.split_audit import (
    AuditedSplit,
    counts_text,
    folds_text,
    r_text,
    share_text,
)

KIND = form_key("question", "kind")
CLEAN = Audit(0, 0, 100, 0, 100, known_trials=0, test_trials=1200, repeated_images=100)


def markdown(app):
    return " ".join(m.value for m in app.markdown)


def test_counts_in_words():
    (line,) = counts_text(AuditedSplit(CLEAN, None), "ratings")
    assert "**0 of 100** test images, **100** of them shown more than once" in line
    assert "**0 %** of 1,200 test trials" in line
    report = Audit(0, 0, 157, 27, 142, known_trials=27, test_trials=157)
    both = counts_text(AuditedSplit(report, ClassBalance(720, 575, 1, 2, 0.003)), "concepts")
    assert "**17 %** of 157 test trials" in both[0]
    assert "**575 of 720** have training trials, 1 to 2 each" in both[1]


def test_folds_in_words():
    assert folds_text(AuditedSplit(CLEAN, None)) == []
    one = CLEAN._replace(test_trials=32, shared_images=3)
    folds = FoldsAudit((one, one._replace(test_trials=30, shared_images=0)), 62, 0)
    (line,) = folds_text(AuditedSplit(folds.together, None, folds, ("run 1", "run 2"), 8))
    assert "**2 folds** (run 1 to run 2), **30–32** test trials each" in line
    assert "**1 of 2** folds" in line
    assert AuditedSplit(folds.together, None, folds, ("a", "b"), 8).tested_concepts == 8


def test_power_in_words():
    assert r_text(20, 0.2) == (
        "**20** test concepts show an r of one property from **0.54** on. An r of 0.20 needs "
        "**154** concepts: here are too few."
    )
    assert r_text(200, 0.2).endswith("here are enough.")
    text = share_text(157, 10, 720, 0.03)
    assert "Chance is **1.39 %**" in text
    assert "6 hits are more than chance" in text
    assert text.endswith("trials: here are too few.")
    assert share_text(157, 10, 720, 0.01).endswith("1.0 % is no more than chance.")


def test_the_audit_stands_beside_the_split_and_follows_it(page):  # noqa: F811
    app = page()
    assert "Leaked images **0 of 8** test images" in markdown(app)
    app.selectbox(key=KIND).set_value("trial").run()
    assert not app.exception
    assert "Leaked images **0 of" not in markdown(app)
    assert any("A good score would mean nothing" in e.value for e in app.error)


def test_a_click_on_the_mend_sets_the_split(page):  # noqa: F811
    app = page()
    app.selectbox(key=KIND).set_value("trial").run()
    mend = next(b for b in app.button if b.key.startswith("w_mend_"))
    assert mend.label == "Split by unseen concepts instead"
    mend.click().run()
    assert app.selectbox(key=KIND).value == "unseen_concepts"
    assert not any("A good score" in e.value for e in app.error)


@pytest.mark.parametrize(("effect", "words"), [(0.9, "enough"), (0.1, "too few")])
def test_the_effect_is_the_visitor_s(page, effect, words):  # noqa: F811
    app = page()
    app.number_input(key=form_key("question", "effect_r")).set_value(effect).run()
    assert f"An r of {effect:.2f} needs" in markdown(app)
    assert f"here are {words}." in markdown(app)


def test_classes_of_unseen_concepts_are_refused_in_red_and_mended(page):  # noqa: F811
    app = page()
    app.selectbox(key=form_key("question", "learns")).set_value("concepts").run()
    assert not app.exception, app.exception
    app.selectbox(key=KIND).set_value("unseen_concepts").run()
    text = markdown(app)
    assert "Classes: **" in text
    assert "Chance is **" in text
    red = next(e.value for e in app.error if "A bad score would mean nothing" in e.value)
    assert "only 0% of the test trials" in red
    next(b for b in app.button if b.key == "w_mend_test_images").click().run()
    assert not any("A bad score" in e.value for e in app.error)


def test_the_audit_of_folds_and_their_cost_stand_on_the_page(page):  # noqa: F811
    app = page()
    app.selectbox(key=KIND).set_value("session").run()
    app.selectbox(key=form_key("question", "folds")).set_value("leave one out").run()
    assert not app.exception
    text = markdown(app)
    assert "**4 folds** (session 1 to session 4), **40** test trials each" in text
    assert "**4 of 4** folds test images that their training shows" in text
    assert "for 4 folds" in text
