import pytest
from streamlit.testing.v1 import AppTest

from models.base.errors import ModelError
from models.catalog.registry import CONFIGS
from models.presets.presets import PRESETS
from thingsviz.core.errors import ConfigError
from thingsviz.data.things.ratings import TARGETS_10
from thingsviz.jobs.recipe import dump_config, parse_config
from thingsviz.ui.training.job_form import dividing, recipe_of

GRID = (72, 91, 75)


def whole_form(recipe):
    """The form after a click on a preset or 'Train a variant', without a page around it."""
    from types import SimpleNamespace

    import numpy as np
    import pandas as pd
    import streamlit as st

    from thingsviz.data.things.ratings import TARGETS_12, mean_column
    from thingsviz.jobs.recipe import parse_config
    from thingsviz.ui.training import job_form

    trials = pd.DataFrame({mean_column(t): [1.0] for t in [*TARGETS_12, "size"]})
    trials = pd.concat([trials] * 2).assign(trial_type=["train", "test"], concept=["a", "b"])
    trials = trials.assign(uniqueID=trials["concept"])
    grid = SimpleNamespace(shape=(72, 91, 75))
    mask = np.ones(grid.shape, bool)
    store = SimpleNamespace(trials=trials, grid=grid, mask=mask, fingerprint="form")
    known = SimpleNamespace(name="demo")
    page = SimpleNamespace(store=store, kept=store, dataset=known, subject="sub-01")
    if "filled" not in st.session_state:
        st.session_state["filled"] = True
        job_form.fill_form(parse_config(recipe), grid.shape)
    job_form.job_form(page)


@pytest.fixture
def through_the_form(monkeypatch):
    """Enter a recipe into the form and return the one that the form makes of it."""
    found = []
    keep = lambda page, config: found.append(config)  # noqa: E731
    monkeypatch.setattr("thingsviz.ui.training.job_form.show_estimate", keep)
    monkeypatch.setattr("thingsviz.ui.training.job_form.show_audit", lambda page, question: None)

    def enter(config):
        app = AppTest.from_function(whole_form, kwargs={"recipe": dump_config(config)}).run()
        assert not app.exception, app.exception
        assert not app.error, [e.value for e in app.error]
        return found[-1]

    return enter


def recipe(**more):
    return parse_config({"dataset": "demo"} | more)


RECIPES = {
    "defaults of a network": recipe(model={"name": "vit3d"}),
    "defaults of a ridge": recipe(model={"name": "ridge"}),
    "leaving one run out": recipe(split={"kind": "run", "folds": "each"}),
    "five folds of images": recipe(split={"kind": "image", "folds": 5}),
    "a mean": recipe(model={"name": "mean"}, targets=TARGETS_10, rating_scale="z", seed=3),
    "own targets": recipe(model={"name": "ridge", "seed": 4}, targets=("size", "heavy")),
    "own shares": recipe(
        model={"name": "vit3d"}, split={"kind": "trial", "fractions": (0.7, 0.2, 0.1)}
    ),
    "huber": recipe(
        model={"name": "vit3d", "tokens": "brain", "n_selected_tokens": 9, "dropout": 0},
        fit={"loss": "huber", "huber_delta": 0.3, "early_stopping": 2, "gradient_clip": None},
    ),
    **{name: recipe(model=p.model, fit=p.fit) for name, p in PRESETS.items()},
}


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_to_form_to_recipe(through_the_form, name):
    config = RECIPES[name]
    found = through_the_form(config)
    assert found.name.startswith(f"{config.model.name}-20")
    same = {"model", "targets", "rating_scale", "split", "seed", "dataset", "subject"}
    network = {"fit"} if config.model.name in {"vit3d", "cnn_vit"} else set()
    for part in same | network:
        assert getattr(found, part) == getattr(config, part), part


@pytest.mark.parametrize("patch", [(6, 7, 5), (12, 13, 15), (1, 1, 1), (5, 8, 200), (72, 91, 75)])
def test_a_patch_moves_to_the_nearest_that_divides(patch):
    near = dividing(patch, GRID)
    assert all(n % p == 0 for n, p in zip(GRID, near, strict=True))
    for n, p, found in zip(GRID, patch, near, strict=True):
        ratios = [max(d / p, p / d) for d in range(1, n + 1) if n % d == 0]
        assert max(found / p, p / found) == pytest.approx(min(ratios))


def test_a_patch_that_divides_stays():
    assert dividing((6, 7, 5), GRID) == (6, 7, 5)


def test_behind_a_cnn_a_patch_divides_the_map():
    assert CONFIGS["cnn_vit"].patch_sides("patch_size", (72, 91, 75)) == (18, 22, 18)
    assert CONFIGS["cnn_vit"].patch_sides("first_patch_size", (72, 91, 75)) == (36, 44, 36)
    assert CONFIGS["vit3d"].patch_sides("patch_size", (72, 91, 75)) == (72, 91, 75)
    assert dividing((6, 11, 6), CONFIGS["cnn_vit"].patch_sides("patch_size", (24, 28, 20))) == (
        6,
        7,
        5,
    )


def data(**more):
    return {"name": "a", "dataset": "tiny", "seed": 0, "model": {"name": "mean"}, "fit": {}} | more


def test_faults_are_raised_in_one_sentence():
    with pytest.raises(ModelError, match="did you mean 'ridge'"):
        recipe_of(data(model={"name": "rigde"}))
    with pytest.raises(ModelError, match="embed_dim"):
        recipe_of(data(model={"name": "vit3d", "embed_dim": 30, "n_heads": 8}))
    with pytest.raises(ConfigError, match="cannot be a folder"):
        recipe_of(data(name="../up"))
    with pytest.raises(ModelError, match="fit"):
        recipe_of(data(model={"name": "vit3d"}, fit={"epochs": 0}))


def test_one_seed_is_that_of_split_and_fit():
    config = recipe_of(data(model={"name": "vit3d"}, fit={"epochs": 3}, seed=8))
    assert (config.seed, config.split.seed, config.fit.seed) == (8, 8, 8)


def test_ratings_without_nameability_take_a_preset_s_ten():
    from thingsviz.ui.training.form_fields import form_key

    def form():
        import streamlit as st

        from thingsviz.data.things.ratings import TARGETS_10
        from thingsviz.ui.training.form_fields import form_key
        from thingsviz.ui.training.question_form import question_form

        st.session_state.setdefault(form_key("question", "targets"), "12")
        st.session_state["answer"] = question_form([*TARGETS_10], [])

    app = AppTest.from_function(form).run()
    assert not app.exception
    assert app.session_state["answer"]["targets"] == list(TARGETS_10)
    app.session_state[form_key("question", "targets")] = "own"
    app.session_state[form_key("question", "own_targets")] = ["nameability", "heavy"]
    app.run()
    assert app.session_state["answer"]["targets"] == ["heavy"]
