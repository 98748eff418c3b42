import numpy as np
import pytest

from thingsviz.data.planted.latents import N_LATENTS
from thingsviz.data.planted.presets import PRESETS, get_preset
from thingsviz.data.planted.regions import make_anatomy
from thingsviz.data.planted.responses import RESPONSES, Brain
from thingsviz.data.planted.tuning import make_tuning

GRID = PRESETS["tiny"].grid


@pytest.fixture(scope="module")
def anatomy():
    return make_anatomy(GRID)


def brain_of(anatomy, preset):
    tuning = make_tuning(anatomy, GRID.voxel_size, np.eye(N_LATENTS), preset, seed=1)
    return Brain(anatomy, GRID.voxel_size, tuning, seed=1)


@pytest.fixture(scope="module")
def brain(anatomy):
    return brain_of(anatomy, PRESETS["full"])


def test_answers_have_variance_one(brain):
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((600, N_LATENTS)) * np.sqrt(1.75)
    y = brain.answer(latents, session=1, run=1)
    assert y.shape == (600, len(brain.tuning.ceiling))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.var(0), 1, atol=0.25)
    assert y.var(0).mean() == pytest.approx(1, abs=0.02)


def test_the_signal_can_be_regressed_out_again(brain):
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((3000, N_LATENTS))
    y = brain.answer(latents, 1, 1)[:, brain.tuning.signal]
    found = np.linalg.lstsq(latents, y, rcond=None)[0]
    weights = brain.tuning.weights
    assert (found * weights).sum() / (weights**2).sum() == pytest.approx(1, abs=0.02)
    well = brain.tuning.ceiling[brain.tuning.signal] > 0.2
    assert np.corrcoef(found[:, well].ravel(), weights[:, well].ravel())[0, 1] > 0.95


def test_a_null_brain_answers_to_nothing(anatomy):
    null = brain_of(anatomy, get_preset("null"))
    one = null.answer(np.zeros((20, N_LATENTS)), 1, 1)
    other = null.answer(np.full((20, N_LATENTS), 5.0), 1, 1)
    np.testing.assert_array_equal(one, other)


def test_runs_differ_and_repeat(brain):
    latents = np.ones((4, N_LATENTS))
    first = brain.answer(latents, 1, 1)
    np.testing.assert_array_equal(first, brain.answer(latents, 1, 1))
    assert not np.array_equal(first, brain.answer(latents, 1, 2))
    assert not np.array_equal(first, brain.answer(latents, 2, 1))


def test_sessions_shift_and_scale_each_voxel(brain):
    offset, scale = brain.session(1)
    assert offset.std() == pytest.approx(0.5, abs=0.2)
    assert np.log(scale).std() == pytest.approx(0.15, abs=0.06)
    again = brain.session(1)
    np.testing.assert_array_equal(again[0], offset)
    assert not np.array_equal(brain.session(2)[0], offset)


def signals(latents, seed=0):
    weights = np.random.default_rng(5).standard_normal((N_LATENTS, 30)).astype(np.float32)
    rng = np.random.default_rng(seed)
    return {name: form(latents, weights, rng) for name, form in RESPONSES.items()}


@pytest.fixture(scope="module")
def latents():
    return np.random.default_rng(6).standard_normal((5000, N_LATENTS), dtype=np.float32)


def test_all_forms_have_about_the_same_variance(latents):
    found = signals(latents)
    assert list(found) == ["linear", "gain", "saturation", "product"]
    for name, signal in found.items():
        ratio = signal.var(0).mean() / found["linear"].var(0).mean()
        assert ratio == pytest.approx(1, abs=0.15), name


def test_a_linear_fit_misses_part_of_each_other_form(latents):
    for name, signal in signals(latents).items():
        fit = latents @ np.linalg.lstsq(latents, signal, rcond=None)[0]
        left = ((signal - fit) ** 2).mean() / signal.var(0).mean()
        assert (left < 1e-6) == (name == "linear"), name
    assert left == pytest.approx(0.5, abs=0.06)  # product: half of it


def test_saturation_is_bounded(latents):
    drive = signals(latents)["linear"]
    most = signals(latents * 10)["saturation"].max(0) / (drive.std(0) * 10)
    assert (most < 1.61).all()
