import pytest

from thingsviz.analysis.scores.split_verdict import verdicts
from thingsviz.data.trials.splits import KINDS, Audit

CLEAN = Audit(0, 0, 100, 0, 100, known_trials=0, test_trials=1200, repeated_images=100)
LEAKY = Audit(0, 95, 100, 98, 100, known_trials=150, test_trials=157)
REPORT = Audit(0, 0, 157, 27, 142, known_trials=27, test_trials=157)


@pytest.mark.parametrize("learns", ["ratings", "categories27"])
def test_unseen_concepts_are_fine_for_ratings_and_categories(learns):
    assert verdicts(CLEAN, learns) == []


def test_classes_of_unseen_concepts_mean_nothing():
    (found,) = verdicts(CLEAN, "concepts")
    assert "only 0% of the test trials (0 of 1,200)" in found.sentence
    assert found.mends[0] == "test_images"


def test_the_report_s_classes_could_be_right_on_17_percent():
    (found,) = verdicts(REPORT, "concepts")
    assert "only 17% of the test trials (27 of 157)" in found.sentence


@pytest.mark.parametrize("learns", ["ratings", "concepts"])
def test_leaked_images_mean_nothing(learns):
    found = verdicts(LEAKY, learns)
    assert found[0].sentence.startswith("A good score would mean nothing: 95 of 100 test images")
    assert "trial" not in found[0].mends


def test_few_concepts_are_said():
    few = CLEAN._replace(test_concepts=5)
    assert "shows 5 concepts" in verdicts(few, "ratings")[0].sentence
    assert verdicts(few._replace(shared_images=3), "ratings")[0].sentence.startswith("A good")


def test_every_mend_is_a_split():
    for found in (CLEAN, LEAKY, REPORT, CLEAN._replace(test_concepts=2)):
        for learns in ("ratings", "concepts", "categories53"):
            assert all(set(v.mends) <= set(KINDS) for v in verdicts(found, learns))
