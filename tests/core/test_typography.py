from thingsviz.core.typography import PERCENT, minus


def test_a_minus_is_as_wide_as_a_plus_and_a_unit_stays_with_its_number():
    assert minus(f"{-0.25:+.2f} to {0.5:+.2f}") == "\N{MINUS SIGN}0.25 to +0.50"
    assert f"5{PERCENT}".split(" ") == ["5\N{NO-BREAK SPACE}%"]
