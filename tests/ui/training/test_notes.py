import pytest

from models.training.config import FitConfig
from thingsviz.ui.training.notes import start_text


def rows(*gains, kept=0):
    """Return epoch rows after a start, each with a gain and the same error."""
    first = {"kind": "epoch", "epoch": 0, "best": True}
    later = [
        {"kind": "epoch", "epoch": i, "gain": g, "gain_se": 0.004, "best": i == kept}
        for i, g in enumerate(gains, 1)
    ]
    return [first, {"kind": "step", "epoch": 1}, *later]


def test_a_network_without_a_start_says_nothing():
    assert start_text([{"kind": "epoch", "epoch": 1, "best": True}], FitConfig()) == ""
    assert start_text(rows(), FitConfig()) == ""


def test_a_start_that_is_kept_says_what_the_best_epoch_gained():
    assert start_text(rows(-0.02, 0.003, -0.001), FitConfig(best_by="validation_r")) == (
        "The fitted start is kept: the best epoch (2) has a gain of +.003 ± .004 in validation "
        "r against it, and only a gain of more than 1 standard error is not taken for luck."
    )


@pytest.mark.parametrize(
    ("margin", "words"), [(1, "1 standard error."), (2, "2 standard errors.")]
)
def test_an_epoch_that_is_kept_says_how_sure_it_is(margin, words):
    text = start_text(rows(0.01, 0.02, kept=2), FitConfig(start_margin=margin))
    assert text.startswith("Epoch 2 is kept: a gain of +.020 ± .004 in validation loss against")
    assert text.endswith(words)


def test_all_epochs_worse():
    assert "a gain of \N{MINUS SIGN}.010 ± .004" in start_text(rows(-0.03, -0.01), FitConfig())
