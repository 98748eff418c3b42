import pytest

from thingsviz.core.typography import PERCENT, decimals, duration, minus, signed


def test_a_minus_is_as_wide_as_a_plus_and_a_unit_stays_with_its_number():
    assert minus(f"{-0.25:+.2f} to {0.5:+.2f}") == "\N{MINUS SIGN}0.25 to +0.50"
    assert f"5{PERCENT}".split(" ") == ["5\N{NO-BREAK SPACE}%"]


def test_differences_carry_their_sign_and_nothing_is_a_dash():
    assert (signed(-0.25, 2), signed(0.5), signed(None)) == ("\N{MINUS SIGN}0.25", "+0.500", "–")
    assert (decimals(-0.25), decimals(None)) == ("\N{MINUS SIGN}0.250", "–")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"),
        (89, "89 s"),
        (100, "2 min"),
        (3600, "60 min"),
        (9000, "2.5 h"),
        (4e5, "5 days"),
    ],
)
def test_durations_as_people_say_them(seconds, text):
    assert duration(seconds) == text
