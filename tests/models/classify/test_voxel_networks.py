"""The original study's classifiers: layers against plain ones, input, planted classes."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from models.base.arrays import ArrayTrials
from models.base.errors import ModelError
from models.base.voxel_scores import encoding_score
from models.catalog.registry import blank_network, build_network
from models.classify.config import CNN3DConfig, LogisticConfig, MLPConfig
from models.classify.labels import class_encoding_score, labels_of, one_hot
from models.classify.voxel_choice import box
from models.cost.estimate import Size, Speed, estimate
from models.training.config import FitConfig
from models.training.loop import FitData, Hooks, fit_network, predict_network
from models.training.losses import loss_of, top_shares

SHAPE = (9, 10, 8)
N_CLASSES = 4
FIT = {
    "loss": "cross_entropy",
    "epochs": 10,
    "batches_per_epoch": None,
    "batch_size": 16,
    "learning_rate": 1e-2,
    "weight_decay": 0.0,
    "optimiser": "adam",
    "precision": "float32",
    "device": "cpu",
}
CONFIGS = {
    "logistic": LogisticConfig(),
    "mlp": MLPConfig(hidden=32),
    "cnn3d": CNN3DConfig(channels=(4, 8, 8), hidden=16),
    "selected": LogisticConfig(input="selected", n_selected_voxels=40),
}


@pytest.fixture(scope="module")
def mask():
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij"))
    return (grid**2).sum(0) < 1.5


def trials(mask, strength, n=240, seed=0):
    """Smooth class patterns in white noise, as X (n, n_voxels) and labels (n,)."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, N_CLASSES, n)
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, k) for k in mask.shape), indexing="ij"))
    waves = [np.cos(np.pi * grid[i]) for i in range(3)] + [np.zeros(mask.shape)]
    patterns = np.stack([wave[mask] for wave in waves])
    X = strength * patterns[labels] + rng.standard_normal((n, int(mask.sum())))
    return ArrayTrials(X.astype("f4")), labels


def trained(config, mask, strength, **fit):
    X, labels = trials(mask, strength)
    Y, rows = one_hot(labels, N_CLASSES), np.arange(len(labels))
    score = class_encoding_score(X, rows[:160], Y[:160])
    network = build_network(config, mask, N_CLASSES, score, seed=1)
    settings = FitConfig(**{**FIT, **fit})
    result = fit_network(network, FitData(X, Y, rows[:160], rows[160:200]), settings)
    guess = predict_network(network, X, rows[200:], settings)
    return network, result, (guess.argmax(1) == labels[200:]).mean()


@pytest.mark.parametrize("name", CONFIGS)
def test_planted_classes_are_found(name, mask):
    network, result, right = trained(CONFIGS[name], mask, 2.0)
    assert right > 0.7  # chance .25
    assert result.history[-1]["validation_top1"] > 0.7
    assert "validation_r" not in result.history[-1]
    assert network.target_scale.sd.tolist() == [1] * N_CLASSES  # classes have no scale


def test_without_signal_hits_are_chance(mask):
    # 40 test trials at chance .25: P(more than 20 hits) is 2e-4
    assert trained(CONFIGS["mlp"], mask, 0.0)[2] <= 0.5


def test_cross_entropy_is_torchs_own(rng):
    guess, labels = torch.from_numpy(rng.normal(size=(7, 5))), rng.integers(0, 5, 7)
    truth = torch.from_numpy(one_hot(labels, 5)).double()
    ours = loss_of(FitConfig(loss="cross_entropy"), guess, truth)
    plain = -guess.log_softmax(1)[range(7), labels].mean()
    assert float(ours) == pytest.approx(float(plain))


def test_logistic_trained_to_its_end_is_sklearns(mask):
    X, labels = trials(mask, 0.6, n=80, seed=3)
    Y, rows = one_hot(labels, N_CLASSES), np.arange(80)
    config = LogisticConfig(input="selected", n_selected_voxels=12, start="zero")
    score = class_encoding_score(X, rows, Y)
    network = build_network(config, mask, N_CLASSES, score)
    x = torch.from_numpy(X.array)
    # Adam's weight decay w is L2 of w / 2 per trial; scikit-learn's C is 1 / (n w)
    decay = 0.05
    optimiser = torch.optim.LBFGS(
        network.parameters(), max_iter=300, line_search_fn="strong_wolfe"
    )

    def closure():
        optimiser.zero_grad()
        weight = network.layers.weight
        loss = functional.cross_entropy(network(x), torch.from_numpy(labels))
        loss = loss + decay / 2 * weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    chosen = X.array[:, network.voxels.numpy()]
    theirs = LogisticRegression(C=1 / (80 * decay), max_iter=2000, tol=1e-8).fit(chosen, labels)
    ours = network(x).softmax(1).detach().numpy()
    np.testing.assert_allclose(ours, theirs.predict_proba(chosen), atol=2e-3)


def test_volume_input_is_every_second_voxel(mask):
    rng = np.random.default_rng(0)
    volume = rng.standard_normal((2, *mask.shape)).astype("f4") * mask
    network = build_network(LogisticConfig(), mask, 3)
    plain = volume[:, ::2, ::2, ::2].reshape(2, -1)
    inside = mask[::2, ::2, ::2].ravel()
    layer = network.layers
    wanted = plain[:, inside] @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    for x in (volume, volume[:, mask]):
        found = network(torch.from_numpy(x)).detach().numpy()
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_cnn_reads_the_volume_that_the_report_reads(mask):
    network = build_network(CNN3DConfig(channels=(2, 2, 2), hidden=4), mask, 3).eval()
    volume = np.random.default_rng(0).standard_normal((2, *mask.shape)).astype("f4") * mask
    small = torch.from_numpy(np.ascontiguousarray(volume[:, None, ::2, ::2, ::2]))
    plain = network.head(network.blocks(small))
    torch.testing.assert_close(network(torch.from_numpy(volume[:, mask])), plain)
    torch.testing.assert_close(network(torch.from_numpy(volume)), plain)


def test_a_cropped_cnn_reads_the_brains_box():
    mask = np.zeros((30, 30, 30), bool)
    mask[8:20, 8:20, 8:20] = True
    assert box(mask) == (slice(8, 20),) * 3
    network = build_network(CNN3DConfig(crop=True, channels=(2, 2, 2)), mask, 3)
    assert network.shape == (6, 6, 6)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (CNN3DConfig(stride=4), "3 × 3 × 2 voxels is too small for two poolings"),
        (CNN3DConfig(crop=True, stride=8), "too small"),
    ],
)
def test_too_small_a_volume_is_one_sentence(config, words, mask):
    with pytest.raises(ModelError, match=words):
        build_network(config, mask, 3)


def test_no_second_voxel_in_the_brain_is_one_sentence():
    mask = np.zeros((5, 5, 5), bool)
    mask[1, 1, 1] = True
    with pytest.raises(ModelError, match="choose input='brain'"):
        build_network(LogisticConfig(), mask, 3)


def test_a_response_of_another_brain_is_refused(mask):
    network = build_network(LogisticConfig(), mask, 3)
    with pytest.raises(ModelError, match="were expected"):
        network(torch.zeros(2, 7))


def test_selected_voxels_travel_with_the_weights(mask):
    network, _, _ = trained(CONFIGS["selected"], mask, 1.0, epochs=1)
    other = blank_network(CONFIGS["selected"], mask, N_CLASSES)
    assert not torch.equal(other.voxels, network.voxels)
    other.load_state_dict(network.state_dict())
    x = torch.randn(2, int(mask.sum()))
    assert torch.equal(other.eval()(x), network.eval()(x))


@pytest.mark.parametrize("name", CONFIGS)
def test_the_estimate_counts_the_parameters_there_are(name, mask):
    config = CONFIGS[name]
    network = build_network(config, mask, N_CLASSES, np.ones(int(mask.sum()), "f4"))
    cost = estimate(config, mask, FitConfig(), Size(10, 2, N_CLASSES), Speed(1e9, 1e9))
    assert cost.parameters == sum(p.numel() for p in network.parameters())
    assert cost.flops_per_sample > 0


def test_class_score_is_the_encoding_score_of_one_hot_ratings(mask):
    X, labels = trials(mask, 0.5, n=60)
    Y, rows = one_hot(labels, N_CLASSES), np.arange(60)
    plain = encoding_score(X, rows, Y)  # subtracts 3 / 60 where ours subtracts 3 / 59
    ours = class_encoding_score(X, rows, Y, width=50)
    big = plain > 1e-3
    np.testing.assert_allclose(ours[big], plain[big] + 3 / 60 - 3 / 59, atol=1e-5)


def test_labels_are_told_from_ratings():
    assert labels_of(one_hot(np.array([1, 0, 1]), 3)).tolist() == [1, 0, 1]
    with pytest.raises(ModelError, match="one-hot"):
        labels_of(np.array([[0.5, 0.5]], "f4"))
    with pytest.raises(ModelError, match="2 classes or more"):
        labels_of(one_hot(np.array([1, 1]), 3))
    assert one_hot(np.array([-1]), 2).tolist() == [[0, 0]]


def test_top_shares_are_those_of_a_plain_count(rng):
    logits, labels = rng.normal(size=(50, 20)), rng.integers(0, 20, 50)
    ranks = np.argsort(np.argsort(-logits, 1), 1)[range(50), labels] + 1
    found = top_shares(torch.from_numpy(logits), torch.from_numpy(one_hot(labels, 20)).double())
    assert found == {
        "validation_top1": (ranks <= 1).mean(),
        "validation_top10": (ranks <= 10).mean(),
    }
    flat = top_shares(torch.zeros(1, 20), torch.eye(20)[:1])
    assert flat == {"validation_top1": 0, "validation_top10": 1}  # its rank counts as 10.5


@pytest.mark.parametrize("name", ["mlp", "cnn3d"])
def test_a_resumed_classifier_is_the_same_bit_for_bit(name, mask):
    """BatchNorm's running means, dropout, noise and Adam's moments all go on."""
    X, labels = trials(mask, 0.5, n=80)
    data = FitData(X, one_hot(labels, N_CLASSES), np.arange(60), np.arange(60, 80))
    config = FitConfig(**{**FIT, "epochs": 2, "noise_sd": 0.2})

    def network():
        return build_network(CONFIGS[name], mask, N_CLASSES, seed=2)

    whole = network()
    fit_network(whole, data, config)
    part, states, asked = network(), [], iter([False] * 3 + [True] * 9)
    stopped = fit_network(
        part, data, config, Hooks(should_stop=lambda: next(asked), save=states.append)
    )
    assert not stopped.finished
    again = network()
    fit_network(again, data, config, resume=states[-1])
    for key, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key
