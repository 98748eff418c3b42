import pytest

from thingsviz.figures.base import lettering


@pytest.mark.parametrize("letter", "×–·é’→²")
def test_every_letter_that_pictures_use_is_painted(letter):
    font = lettering.letters(24)
    assert bytes(font.getmask(letter)) != bytes(font.getmask("\uffff")), "an empty box"


def test_a_line_is_broken_between_words():
    text = "Surfaces enclose the strongest 20 % of the mass, smoothed by 8 mm"
    lines = lettering.wrapped(text, 20, 300)
    assert len(lines) > 1
    assert " ".join(lines) == text
    assert all(lettering.letters(20).getlength(line) <= 300 for line in lines)
    assert lettering.wrapped("Sesquipedalian", 20, 10) == ["Sesquipedalian"]
    assert lettering.wrapped("", 20, 10) == [""]


def test_without_the_file_pillows_own_font_is_used(monkeypatch):
    monkeypatch.setattr(lettering, "find_spec", lambda _: None)
    lettering.letters.cache_clear()
    assert lettering.letters(20).getlength("words") > 20
    lettering.letters.cache_clear()
