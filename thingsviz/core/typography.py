"""How numbers are set in text that people read: sign, unit, decimals, durations."""

import math

MINUS = "\N{MINUS SIGN}"
# a number and its unit stay on one line
PERCENT = "\N{NO-BREAK SPACE}%"
NONE = "–"


def minus(text: str) -> str:
    """Turn the hyphens of formatted numbers into minus signs, as wide as a plus."""
    return text.replace("-", MINUS)


def decimals(value: float | None, digits: int = 3) -> str:
    """Write a number with a true minus sign; a dash for none."""
    return NONE if value is None else minus(f"{value:.{digits}f}")


def signed(value: float | None, digits: int = 3) -> str:
    """Write a difference with its sign, + or a true minus; a dash for none."""
    return NONE if value is None else minus(f"{value:+.{digits}f}")


def duration(seconds: float) -> str:
    """Write a time to wait: 40 s, 3 min, 2.5 h, 4 days."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86_400:.0f} days"


def finite(value: object) -> float | None:
    """Return a finite float, or None for what is not one (missing, NaN, text)."""
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    item = getattr(value, "item", None)
    return finite(item()) if item is not None else None
