"""What can be learned: each name of a recipe has its words and its task."""

from typing import get_args

import pytest

from models.catalog.registry import MODELS
from models.training.config import FitConfig
from thingsviz.jobs.learned import LEARNED, VALIDATION, Learns
from thingsviz.jobs.recipe import parse_config
from thingsviz.pipeline.tasks.registry import TASKS


def test_every_name_has_words_and_a_task():
    assert set(get_args(Learns)) == set(LEARNED) == set(TASKS)


@pytest.mark.parametrize("learns", LEARNED)
def test_a_task_can_be_trained_and_its_epochs_compared(learns):
    able = [name for name, spec in MODELS.items() if spec.can_learn(LEARNED[learns].kind)]
    assert {"vit3d", "cnn3d"} < set(able)
    recipe = {"dataset": "tiny", "learns": learns, "split": {"kind": "test_images"}}
    config = parse_config(recipe | {"model": {"name": able[0]}})
    assert config.learned is LEARNED[learns]
    assert config.fit.loss == (config.learned.loss or FitConfig().loss)
    assert set(config.learned.objectives) <= set(VALIDATION)


def test_a_recipe_keeps_the_loss_that_it_names():
    recipe = {"dataset": "tiny", "learns": "concepts", "split": {"kind": "test_images"}}
    own = recipe | {"model": {"name": "lda"}, "fit": {"loss": "cross_entropy", "epochs": 2}}
    assert parse_config(own).fit.epochs == 2
