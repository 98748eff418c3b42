import numpy as np
import pytest

from thingsviz.analysis.maps import faithfulness as faithful


@pytest.fixture
def decoder(rng):
    """Ten blocks whose weights fall from 1 to 0; predictions from the blocks that are kept."""
    weight = np.linspace(1, 0, 20)[:, None] ** 2 * np.array([[1.0, -1.0]])
    x = rng.standard_normal((120, 20))
    return lambda kept: (x * kept) @ weight


def orders(**more):
    random = faithful.random_orders(20, 5)
    return {"random": random, **{name: [np.array(o)] for name, o in more.items()}}


def test_the_true_order_is_faithful_and_the_reverse_is_not(decoder):
    found = faithful.curves(decoder, orders(truth=np.arange(20), wrong=np.arange(20)[::-1]))
    good, bad = (faithful.faithfulness(found, name) for name in ("truth", "wrong"))
    assert good.deletion.low > 0.1
    assert good.insertion.low > 0.05
    assert bad.deletion.high < 0
    assert good.deletion.low < good.deletion.value < good.deletion.high
    assert good.comprehensiveness > bad.comprehensiveness


def test_random_order_is_nothing_beside_itself(decoder):
    found = faithful.curves(decoder, orders())
    result = faithful.faithfulness(found, "random")
    assert result.deletion == (0, 0, 0)


def test_curves_begin_and_end_where_they_must(decoder):
    told = []
    found = faithful.curves(decoder, orders(truth=np.arange(20)), tell=told.append)
    for name in ("random", "truth"):
        assert found.deletion[name][0, 0] == pytest.approx(1)
        assert found.deletion[name][0, -1] == 0
        assert found.insertion[name][0, 0] == 0
        assert found.insertion[name][0, -1] == pytest.approx(1)
    assert told[0] == "deletion in the order of random"


def test_correlations_are_numpys(rng):
    a, b = rng.standard_normal((2, 30, 3))
    weights = faithful.draws(30, seed=0)
    found = faithful.correlations(a, b, weights)
    for row in (0, 5):
        rows = np.repeat(np.arange(30), weights[row].astype(int))
        wanted = np.mean([np.corrcoef(a[rows, j], b[rows, j])[0, 1] for j in range(3)])
        assert found[row] == pytest.approx(wanted)


def test_orders():
    assert list(faithful.order_of(np.array([1, 3, 2, 3]))) == [1, 3, 2, 0]
    one, two = faithful.random_orders(9, 2)
    assert sorted(one) == sorted(two) == list(range(9))
