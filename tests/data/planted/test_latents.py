from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from thingsviz.data.planted.latents import (
    N_CONCEPTUAL,
    N_LATENTS,
    N_PROPERTIES,
    concept_latents,
    draw_latents,
    image_covariance,
    square_root,
)
from thingsviz.data.planted.presets import PRESETS

N_CONCEPTS, N_IMAGES = 60, 200


@pytest.fixture
def concepts(rng):
    ratings = rng.gamma(2, size=(N_CONCEPTS, N_PROPERTIES))
    return concept_latents(ratings, rng.integers(0, 20, N_CONCEPTS), rng)


def design(n_repeats=2):
    index = np.repeat(np.arange(N_CONCEPTS), N_IMAGES)
    images = [f"thing/thing_{n:05d}s.jpg" for n in range(len(index))]
    once = pd.DataFrame({"image_filename": images, "concept_index": index})
    return pd.concat([once] * n_repeats, ignore_index=True)


def test_concept_latents_are_z_scores_of_the_ratings(concepts):
    assert concepts.shape == (N_CONCEPTS, N_CONCEPTUAL)
    np.testing.assert_allclose(concepts.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(concepts.std(0), 1)


def test_a_property_that_never_varies_is_planted_as_zero(rng):
    ratings = rng.standard_normal((8, N_PROPERTIES))
    ratings[:, 3] = 4.0
    latents = concept_latents(ratings, np.zeros(8, int), rng)
    assert (latents[:, 3] == 0).all()


def test_images_deviate_from_concepts_and_trials_from_images_as_told(concepts):
    preset = replace(PRESETS["full"], exemplar_share=0.4, trial_state=0.5)
    table = design()
    latents = draw_latents(table, concepts, preset, seed=1)
    n = len(table) // 2
    first, second = latents.trials[:n], latents.trials[n:]
    part = slice(0, N_CONCEPTUAL)
    state = (first - second).var(0) / 2
    np.testing.assert_allclose(state, 0.5, rtol=0.06)
    mean = first[:, part].reshape(N_CONCEPTS, N_IMAGES, -1).mean(1)
    slope = (mean * concepts).sum(0) / (concepts**2).sum(0)
    np.testing.assert_allclose(slope, np.sqrt(0.6), rtol=0.05)
    shared = (first * second).mean(0)  # variance over images
    np.testing.assert_allclose(shared, 1, atol=0.1)


def test_trials_have_the_covariance_that_is_written(concepts):
    preset = PRESETS["full"]
    latents = draw_latents(design(), concepts, preset, seed=2)
    found = latents.trials.T @ latents.trials / len(latents.trials)
    expected = (1 + preset.trial_state) * latents.covariance
    assert np.abs(found - expected).max() < 0.12


def test_catch_pictures_have_no_concept(concepts):
    table = design(1).assign(concept_index=-1)
    latents = draw_latents(table, concepts, PRESETS["full"], seed=3)
    mean = latents.trials.reshape(N_CONCEPTS, N_IMAGES, -1).mean(1)
    assert np.abs(mean).max() < 0.6
    np.testing.assert_allclose(latents.trials.var(0), 1.75, rtol=0.08)


def test_the_order_of_trials_does_not_change_an_image(concepts):
    table = design(1)
    preset = replace(PRESETS["full"], trial_state=0.0)
    one = draw_latents(table, concepts, preset, seed=4).trials
    turned = draw_latents(table[::-1].reset_index(drop=True), concepts, preset, seed=4).trials
    np.testing.assert_array_equal(one, turned[::-1])


def test_square_root_of_a_singular_covariance(rng):
    few = concept_latents(rng.standard_normal((10, 14)), rng.integers(0, 3, 10), rng)
    covariance = image_covariance(few)
    root = square_root(covariance)
    assert covariance.shape == (N_LATENTS, N_LATENTS)
    np.testing.assert_allclose(root @ root.T, covariance, atol=1e-10)
