import numpy as np
import pytest
import torch

from models.base.arrays import ArrayTrials
from models.base.errors import ModelError
from models.base.voxel_scores import encoding_score
from models.base.voxel_subset import VoxelSubset
from models.catalog.config import CONFIGS, parse_model
from models.catalog.registry import blank_network, build_network
from models.training.loop import FitData, Hooks, fit_network, predict_network
from models.training.warm_start import token_voxels, warm_start
from models.transformer.vit3d_config import ViT3DConfig
from tests.models.conftest import correlation


@pytest.fixture
def linear(small):
    return small.model_copy(update={"start": "linear"})


def data_of(planted):
    groups = planted.concepts
    return FitData(planted.X, planted.Y, planted.train, planted.validation, groups)


def built(planted, config):
    score = encoding_score(planted.X, planted.train, planted.Y[planted.train])
    return build_network(config, planted.mask, 3, score)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"score_power": 0.5, "head": "mlp"},
        {"score_power": 1.0, "n_selected_tokens": 2},
        pytest.param(
            {"start_from": "concept_decoder"},
            marks=pytest.mark.skipif("concept_decoder" not in CONFIGS, reason="not there yet"),
        ),
    ],
)
@pytest.mark.parametrize("scaling", ["z", "none"])
def test_at_step_0_the_network_is_the_linear_decoder(planted, linear, settings, scaling):
    network = built(planted, linear.model_copy(update=settings))
    if scaling == "z":
        network.target_scale.fit(planted.Y[planted.train])
    decoder = warm_start(network, data_of(planted))
    X = VoxelSubset(planted.X, token_voxels(network))
    plain = decoder.predict(X, planted.test)
    ours = predict_network(network, planted.X, planted.test)
    np.testing.assert_allclose(ours, plain, atol=1e-4 * np.abs(plain).max())
    assert correlation(ours, planted.Y[planted.test]) > 0.2


def test_the_start_sees_the_fitting_trials_only(planted, linear):
    """Other responses and ratings outside the fitting part change nothing."""
    rng = np.random.default_rng(0)
    others = np.setdiff1d(np.arange(len(planted.Y)), planted.train)
    array, Y = planted.X.array.copy(), planted.Y.copy()
    array[others], Y[others] = rng.standard_normal((len(others), array.shape[1])), 99
    plain, altered = built(planted, linear), built(planted, linear)
    warm_start(plain, data_of(planted))
    changed = FitData(ArrayTrials(array), Y, planted.train, planted.validation, planted.concepts)
    warm_start(altered, changed)
    for a, b in zip(plain.parameters(), altered.parameters(), strict=True):
        assert torch.equal(a, b)


def test_training_goes_on_from_the_start_and_does_not_fall_below_it(planted, linear, quick):
    rows = []
    fit = quick.model_copy(update={"epochs": 3, "learning_rate": 1e-4})
    network = built(planted, linear)
    result = fit_network(network, data_of(planted), fit, Hooks(report=rows.append))
    epochs = [row for row in rows if row["kind"] == "epoch"]
    assert [row["epoch"] for row in epochs] == [0, 1, 2, 3]
    assert (epochs[0]["step"], epochs[0]["train_loss"], epochs[0]["best"]) == (0, None, True)
    assert result.best_value <= epochs[0]["validation_loss"]
    assert network.head.map.weight.abs().sum() > 0


def test_a_start_is_left_only_for_what_is_surely_better(planted, linear, quick):
    """The same training: by any gain it leaves its start, by ten standard errors it does not."""
    found = {}
    for margin in (0, 10):
        fit = quick.model_copy(update={"epochs": 2, "learning_rate": 1e-4, "start_margin": margin})
        result = fit_network(built(planted, linear), data_of(planted), fit)
        found[margin] = result.best_epoch
        assert ("gain" in result.history[-1]) == (margin > 0)
    assert found[0] > 0 == found[10]


def test_what_only_spoils_the_start_is_not_kept(planted, linear, quick):
    fit = quick.model_copy(update={"learning_rate": 0.5, "early_stopping": 2, "epochs": 9})
    network = built(planted, linear)
    result = fit_network(network, data_of(planted), fit)
    assert (result.best_epoch, result.epochs) == (0, 2)
    start = built(planted, linear)
    start.target_scale.fit(planted.Y[planted.train])
    warm_start(start, data_of(planted))
    for a, b in zip(network.state_dict().values(), start.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_a_resumed_training_ends_as_the_uninterrupted_one(planted, linear, quick):
    fit = quick.model_copy(update={"epochs": 2, "repeat_mixing": 0.5, "noise_sd": 0.1})

    def go(stop_after=None, state=None):
        states, asked = [], []

        def should_stop():
            asked.append(1)
            return stop_after is not None and len(asked) > stop_after

        network = blank_network(linear, planted.mask, 3) if state else built(planted, linear)
        hooks = Hooks(should_stop=should_stop, save=states.append)
        return network, fit_network(network, data_of(planted), fit, hooks, state), states

    whole, result, _ = go()
    asked_by_the_start = 0
    for stop_after in range(3, 60):  # the start asks too; stop in the middle of the first epoch
        _, broken, states = go(stop_after)
        if states and states[-1].facts["batch"] == 5:
            asked_by_the_start = stop_after
            break
    assert asked_by_the_start
    assert not broken.finished
    resumed, again, _ = go(state=states[-1])
    assert again.history == result.history
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_stop_while_the_start_is_fitted_leaves_no_state(planted, linear, quick):
    states = []
    hooks = Hooks(should_stop=lambda: True, save=states.append)
    result = fit_network(built(planted, linear), data_of(planted), quick, hooks)
    assert not result.finished
    assert not states


def test_some_voxels_are_those_of_the_whole(planted):
    voxels = np.array([1, 5, 6, 40, 77])
    some = VoxelSubset(planted.X, voxels)
    rows = np.array([4, 2])
    plain = planted.X.array[rows][:, voxels]
    assert some.shape == (len(planted.Y), 5)
    np.testing.assert_array_equal(some.batch(rows), plain)
    walked = np.full_like(plain, np.nan)
    for part, block in some.blocks(rows, 7):
        walked[:, part] = block
    np.testing.assert_array_equal(walked, plain)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"patch_embedding": "shared"}, "start 'linear' needs patch_embedding 'local'"),
        ({"pooling": "cls"}, "start 'linear' needs pooling 'sum', but it is 'cls'"),
        ({"final_norm": True}, "start 'linear' needs final_norm False"),
    ],
)
def test_settings_that_cannot_be_linear_are_refused(linear, settings, match):
    with pytest.raises(ModelError, match=match):
        parse_model(linear.model_dump() | settings)


def test_what_is_missing_is_said(planted, linear):
    data = FitData(planted.X, planted.Y, planted.train, planted.validation)
    with pytest.raises(ModelError, match=r"pass FitData\(groups=\.\.\.\)"):
        warm_start(built(planted, linear), data)
    narrow = ViT3DConfig(**linear.model_dump() | {"embed_dim": 8, "n_heads": 1})
    with pytest.raises(ModelError, match="embed_dim of 9 or more, one for each target, but it is"):
        warm_start(build_network(narrow, planted.mask, 9), data_of(planted))
