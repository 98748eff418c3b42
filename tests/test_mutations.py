"""The mutation check itself: its places are still there, and it tells noticed from unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import mutations
from tests.mutation_places import PLACES, Mutation
from tests.mutations import ROOT, CannotTellError, changed, check, check_sound, chosen, table

FILE = "sums.py"
SOUND = '"""Adds."""\n\n\ndef add(a, b):\n    return a + b  # of two\n'
TESTS = "from sums import add\n\n\ndef test_adds():\n    assert add(2, 3) == 5\n"
BREAKS = Mutation("wrong", "a wrong sum", FILE, "a + b", "a - b", ("test_sums.py",))
NOTHING = BREAKS._replace(name="same", old="# of two", new="# of both")


@pytest.fixture
def tree(tmp_path) -> Path:
    """A tree of one module and its test."""
    (tmp_path / FILE).write_text(SOUND)
    (tmp_path / "test_sums.py").write_text(TESTS)
    return tmp_path


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_each_place_is_still_there(place):
    broken = changed((ROOT / place.file).read_text("utf-8"), place)
    compile(broken, place.file, "exec")
    for test in place.tests:
        name, _, function = test.partition("::")
        source = (ROOT / name).read_text("utf-8")
        assert f"def {function.partition('[')[0]}" in source


def test_there_are_twenty_places_or_more_each_by_its_own_name():
    assert len({place.name for place in PLACES}) == len(PLACES) >= 20


def test_a_fault_is_noticed_by_name_and_undone(tree):
    result = check(tree, BREAKS)
    assert result.noticed_by == "test_sums.py::test_adds"
    assert (tree / FILE).read_text() == SOUND


def test_a_change_that_breaks_nothing_is_unnoticed_and_counts(tree, monkeypatch, capsys):
    result = check(tree, NOTHING)
    assert result.noticed_by == ""
    assert mutations.NOBODY in table([result])
    assert "0 of 1 noticed" in table([result])
    monkeypatch.setattr(mutations, "copy_tree", lambda target: [])
    monkeypatch.setattr(mutations, "check_sound", lambda *_: None)
    monkeypatch.setattr(mutations, "check", lambda _, place: result._replace(mutation=place))
    assert mutations.main([PLACES[0].name]) == 1
    assert mutations.NOBODY in capsys.readouterr().out


def test_tests_that_fail_or_do_not_run_tell_nothing(tree):
    with pytest.raises(CannotTellError):
        check(tree, BREAKS._replace(tests=("test_sums.py::test_of_another_name",)))
    (tree / FILE).write_text(SOUND.replace("+", "-"))
    with pytest.raises(CannotTellError):
        check_sound(tree, [BREAKS])


@pytest.mark.parametrize("source", ["", SOUND + SOUND])
def test_a_place_that_is_gone_or_there_twice_is_refused(source):
    with pytest.raises(CannotTellError):
        changed(source, BREAKS)


def test_some_places_are_chosen_by_name():
    assert chosen([]) == list(PLACES)
    assert chosen([PLACES[1].name]) == [PLACES[1]]
    with pytest.raises(CannotTellError):
        chosen(["no such place"])
