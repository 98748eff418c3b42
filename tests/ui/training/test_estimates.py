import pytest

from models.cost.estimate import Cost
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset
from thingsviz.data.trials.splits import Audit
from thingsviz.jobs.recipe import parse_config
from thingsviz.ui.training.estimates import (
    Estimate,
    Parts,
    cost_text,
    count_text,
    estimate_of,
    parts_text,
    time_text,
    worries,
)


def need(seconds=60.0, n_bytes=1.2e9):
    return Estimate(Cost(1_200_000, 64, 1e9, 5e8, seconds / 8, seconds), 0.0, n_bytes)


@pytest.mark.parametrize(
    ("count", "text"), [(950, "950"), (12_345, "12 k"), (990_000, "1.0 M"), (20_123_456, "20.1 M")]
)
def test_counts_as_people_say_them(count, text):
    assert count_text(count) == text


def test_cost_in_one_line():
    assert cost_text(need()) == (
        "**1.2 M** parameters on **64** tokens, about **1.2 GB** of memory, "
        "about **60 s** (8 s an epoch) on this machine when nothing else runs."
    )


def test_an_epoch_s_time_is_said_where_there_are_several():
    once = need()._replace(cost=Cost(1_200_000, 0, 1e9, 5e8, 60.0, 60.0))
    assert time_text(once) == "about 60 s"
    assert time_text(need(seconds=80 * 60), bold="**") == "about **80 min** (10 min an epoch)"


def test_what_the_test_shares_with_the_training_is_said():
    assert parts_text(Parts(7000, 400, 1200, Audit(0, 100, 100, 720, 720))) == (
        "**7,000** training, **400** validation and **1,200** test trials. Of 720 test concepts "
        "the training saw **720**, of 100 test images **100**."
    )


def test_long_or_large_trainings_are_thought_over():
    assert worries(need(), available=8e9) == []
    assert ["memory" in s for s in worries(need(n_bytes=2e10), available=8e9)] == [True]
    assert ["takes about 3.0 h" in s for s in worries(need(seconds=10_800), 8e9)] == [True]


@pytest.mark.parametrize("model", ["vit3d", "ridge", "mean"])
def test_every_model_can_be_estimated(tiny, model):
    store = BetaStore.open(Dataset(tiny / "tiny"), "sub-01")
    config = {"name": model} | ({"patch_size": (6, 7, 5)} if model == "vit3d" else {})
    recipe = parse_config({"dataset": "tiny", "model": config})
    found = estimate_of(recipe, store, Parts(100, 10, 32, Audit(0, 0, 8, 0, 8)))
    assert found.seconds > 0
    assert 0.6e9 <= found.n_bytes < 3e9


def test_a_cross_validation_costs_a_training_a_fold():
    cost = Cost(10, 0, 1.0, 1, 2.0, 2.0)
    one, twelve = Estimate(cost, 1.0, 1e9), Estimate(cost, 1.0, 1e9, 12)
    assert twelve.seconds == 12 * one.seconds
    assert "12 folds" in time_text(twelve)
