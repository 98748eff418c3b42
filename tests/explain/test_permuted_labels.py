from dataclasses import replace

import numpy as np
import pytest

from thingsviz.explain import tests_of_maps
from thingsviz.explain.tests_of_maps import judge_permuted


def test_each_concept_keeps_one_label_and_no_label_is_lost(decoders):
    material = decoders["cls"].material
    other = tests_of_maps.dealt_out(material)
    rows = material.split.train
    for concept in np.unique(material.concepts[rows]):
        of = other.answers[rows][material.concepts[rows] == concept]
        np.testing.assert_array_equal(of, np.broadcast_to(of[0], of.shape))
    before = np.unique(material.answers[rows], axis=0)
    np.testing.assert_array_equal(np.unique(other.answers[rows], axis=0), before)
    moved = (other.answers[rows] != material.answers[rows]).any(1)
    assert moved.mean() > 0.5
    test = material.split.test
    np.testing.assert_array_equal(other.answers[test], material.answers[test])


def test_a_network_on_permuted_labels_has_other_weights_and_tells_its_progress(decoders):
    decoder, told = decoders["cls"], []
    other = tests_of_maps.permuted_network(decoder, told.append)
    assert told[-1].done == told[-1].total == 1
    x = decoder.responses(decoder.material.split.test[:3])
    assert not np.allclose(other.outputs(x).detach(), decoder.outputs(x).detach())
    assert not other.network.training
    rows = decoder.material.split.test
    found = judge_permuted(decoder, other, ["occlusion_region", "rollout"], rows)
    assert set(found) == {"occlusion_region", "rollout"}
    assert all(-1 <= value < 0.999 for value in found.values())


def test_the_cost_is_known_before(decoders):
    assert 0 < tests_of_maps.seconds_of(decoders["cls"].material) < 600


def test_epochs_are_few(decoders, monkeypatch):
    seen = []
    monkeypatch.setattr(
        tests_of_maps, "fit_network", lambda _, __, fit, ___: seen.append(fit.epochs)
    )
    decoder = decoders["pooled"]
    material = decoder.material
    many = material.config.model_copy(
        update={"fit": material.config.fit.model_copy(update={"epochs": 400})}
    )
    tests_of_maps.permuted_network(replace(decoder, material=replace(material, config=many)))
    assert seen == [tests_of_maps.MOST_EPOCHS]


@pytest.mark.parametrize("seed", [0, 1])
def test_seeds_deal_differently(decoders, seed):
    material = decoders["cls"].material
    first = tests_of_maps.dealt_out(material, seed).answers
    np.testing.assert_array_equal(first, tests_of_maps.dealt_out(material, seed).answers)
    assert not np.array_equal(first, tests_of_maps.dealt_out(material, seed + 7).answers, True)
