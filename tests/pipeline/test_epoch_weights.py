import pytest
import torch

from models.training.checkpoint import load_tensors
from models.training.config import FitConfig
from thingsviz.jobs.weights import best_file, epoch_file, kept_epochs
from thingsviz.pipeline import epoch_weights
from thingsviz.pipeline.epoch_weights import chosen_epochs


@pytest.mark.parametrize(
    ("n", "epochs", "wanted"),
    [
        (0, 8, set()),
        (1, 8, {8}),
        (3, 8, {0, 4, 8}),
        (5, 8, {0, 2, 4, 6, 8}),
        (32, 3, {0, 1, 2, 3}),
        (2, 1, {0, 1}),
    ],
)
def test_epochs_are_spread_evenly(n, epochs, wanted):
    assert chosen_epochs(FitConfig(keep_epochs=n, epochs=epochs)) == wanted


def test_kept_weights_are_those_of_their_epochs(make_vit, run):
    job = make_vit(keep_epochs=4)
    assert run(job)[0] == 0
    assert kept_epochs(job) == [0, 1, 2, 3]
    tensors = [load_tensors(epoch_file(job, n))[0] for n in kept_epochs(job)]
    best, facts = load_tensors(best_file(job))
    same = [all(torch.equal(t[k], best[k]) for k in best) for t in tensors]
    assert same == [n == facts["best_epoch"] for n in range(4)]
    plain = make_vit()
    assert run(plain)[0] == 0
    assert kept_epochs(plain) == []
    other = load_tensors(best_file(plain))[0]
    assert all(torch.equal(best[k], other[k]) for k in best)  # keeping changes nothing


def test_too_much_is_refused_before_the_training(make_vit, run, monkeypatch):
    monkeypatch.setattr(epoch_weights, "MOST_BYTES", 1 << 20)
    job = make_vit(keep_epochs=4)
    code, said = run(job)
    assert code == 2
    assert "keep_epochs would keep 4 epochs of" in said
    assert "keep at most" in said
    assert kept_epochs(job) == []
