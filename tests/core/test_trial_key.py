import pytest

from thingsviz.core.errors import DataError
from thingsviz.core.trial_key import TrialKey, parse_subject


def test_a_key_reads_like_the_file_names():
    assert str(TrialKey(1, 2, 3)) == "ses-01 run-02 trial 3"


def test_keys_sort_by_session_then_run_then_trial():
    keys = [TrialKey(2, 1, 1), TrialKey(1, 10, 1), TrialKey(1, 2, 9)]
    assert sorted(keys) == [TrialKey(1, 2, 9), TrialKey(1, 10, 1), TrialKey(2, 1, 1)]


@pytest.mark.parametrize("text", ["1", "01", "sub-1", "sub-01", " sub-01 "])
def test_subject_labels_have_one_form(text):
    assert parse_subject(text) == "sub-01"


def test_labels_of_letters_stay():
    assert parse_subject("sub-pilotA") == "sub-pilotA"


@pytest.mark.parametrize(
    "text", ["", "sub-", "../sub-01", "sub-01/x", "sub 01", "ü" * 3, "x" * 40]
)
def test_what_could_not_be_part_of_a_path_is_refused(text):
    with pytest.raises(DataError, match="not a label like 'sub-01'"):
        parse_subject(text)
