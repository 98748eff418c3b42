"""The sentences on what a job could not show."""

import numpy as np
import pytest

from thingsviz.analysis.scores.concept_sums import part
from thingsviz.analysis.scores.limits import free_confidence, sentences
from thingsviz.data.trials.splits import Audit

CLEAN = Audit(0, 0, 100, 0, 100)


def chance(target, high, n_concepts=100, n_averaged="single"):
    return {
        "model": "chance",
        "part": "test",
        "n_averaged": n_averaged,
        "target": target,
        "metric": "r",
        "high": high,
        "n_concepts": n_concepts,
    }


def test_the_smallest_correlation_is_named():
    rows = [chance("mean", 0.041), chance("lives", 0.1), chance("heavy", 0.2)]
    found = sentences(rows, CLEAN, "unseen_concepts", simulated=False)
    assert found[0] == (
        "With 100 concepts (test, single) a mean r below 0.04, or an r below 0.15 of one "
        "property, cannot be told from chance."
    )


def test_few_concepts_are_owned_up_to():
    rows = [chance("mean", 0.2, 20), chance("lives", 0.3, 20)]
    found = sentences(rows, CLEAN, "unseen_concepts", simulated=False)
    assert found[0].endswith("cannot be told from chance; intervals are too narrow with so few.")


@pytest.mark.parametrize("high", [None])
def test_constant_predictions_show_nothing(high):
    found = sentences([chance("mean", high, 8)], CLEAN, "trial", simulated=False)
    assert "no correlation can be told from chance" in found[0]


def test_simulated_data_come_first():
    assert "SIMULATED" in sentences([], CLEAN, "trial", simulated=True)[0]
    assert "SIMULATED" not in " ".join(sentences([], CLEAN, "trial", simulated=False))


def test_leaks_are_told():
    leaky = Audit(0, 95, 100, 98, 100)
    (found, _) = sentences([], leaky, "trial", simulated=False)
    assert found.startswith("95 of 100 test images were also seen in training (split by trial)")
    known = Audit(0, 0, 100, 100, 100)
    (found, _) = sentences([], known, "test_images", simulated=False)
    assert found.startswith("100 of 100 test concepts were also seen in training")


def test_one_brain_is_one_brain():
    assert "One person's brain" in sentences([], CLEAN, "trial", simulated=False)[-1]


def test_free_confidence_by_property(rng):
    mean = rng.normal(4, 0.864, (4000, 2))
    sd = np.column_stack([np.ones(4000), np.full(4000, np.nan)])
    found = free_confidence(part(mean, mean, sd, np.arange(4000)), ["lives", "nameability"])
    assert set(found) == {"lives"}
    assert found["lives"]["rho"] == pytest.approx(0.864, abs=0.03)
    assert found["lives"]["constant_confidence"] == pytest.approx(0.5465, abs=0.01)
