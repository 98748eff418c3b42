import pickle

import pytest

from models.base.errors import ModelError
from thingsviz.core.errors import LONGEST, DataError, ThingsvizError


@pytest.mark.parametrize("kind", [ThingsvizError, DataError, ModelError])
def test_a_sentence_stays_one_line_whatever_it_quotes(kind):
    error = kind("no job 'a\nb\u2028c': " + "x" * 10**6 + " choose another")
    assert len(str(error).splitlines()) == 1
    assert len(str(error)) <= LONGEST
    assert str(error).startswith("no job 'a b c': xxx")
    assert str(error).endswith("xxx choose another")


@pytest.mark.parametrize("kind", [ThingsvizError, ModelError])
def test_a_usual_sentence_stays_as_it_is(kind):
    words = "'/data/a  b.tsv' has 3 cells where the header has 4: mend it"
    assert str(kind(words)) == words
    again = pickle.loads(pickle.dumps(kind(words)))
    assert type(again) is kind
    assert str(again) == words
