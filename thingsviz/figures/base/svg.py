"""Pictures as SVG text for a report in one file: dots with intervals, and lines."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

WIDTH, LEFT, RIGHT, ROW = 900, 250, 90, 36
LONGEST = 40  # letters of a name beside lines
HEIGHT = 300
N_COLOURS = 6


Place = Callable[[float], float]


class SvgMark(NamedTuple):
    """A reference on a row: its letter or name, and where it stands."""

    name: str
    value: float


class DotRow(NamedTuple):
    """One row of a picture of scores: the dot, its interval, the references."""

    label: str
    value: float
    low: float | None
    high: float | None
    marks: tuple[SvgMark, ...] = ()
    colour: int = 0


class SvgLine(NamedTuple):
    """One line of a picture of curves."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]


def ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Return round numbers within a range, `about` so many."""
    span = high - low or 1.0
    step = 10 ** math.floor(math.log10(span / about))
    step *= next(m for m in (1, 2, 5, 10) if span / (step * m) <= about)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 10) + 0.0 for n in range(first, math.floor(high / step + 1e-9) + 1)]


def dots(rows: Sequence[DotRow], unit: str) -> str:
    """Draw a row each: a dot, its 95 % interval, and a tick a reference with its name."""
    values = [v for r in rows for v in (r.value, r.low, r.high, *(m.value for m in r.marks))]
    known = [v for v in values if v is not None and math.isfinite(v)] or [0.0, 1.0]
    low, high = _padded(min(known), max(known))
    bottom = 14 + ROW * len(rows)

    def x(value: float) -> float:
        return round(LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT), 1)

    parts = [_axis(x, ticks(low, high), bottom)]
    for i, row in enumerate(rows):
        parts.append(_dot_row(row, x, 14 + ROW * i + ROW / 2))
    parts.append(
        f'<text class="m" x="{WIDTH - RIGHT}" y="{bottom + 34}" text-anchor="end">'
        f"{html.escape(unit)}</text>"
    )
    return _svg(bottom + 42, parts, f"{unit} of {len(rows)} rows")


def _padded(low: float, high: float) -> tuple[float, float]:
    margin = 0.05 * (high - low or abs(high) or 1.0)
    return low - margin, high + margin


def _axis(x: Place, places: Sequence[float], bottom: float) -> str:
    lines = [
        f'<line x1="{x(v)}" x2="{x(v)}" y1="8" y2="{bottom}" stroke="var(--grid)"/>'
        f'<text class="m" x="{x(v)}" y="{bottom + 16}" text-anchor="middle">{v:g}</text>'
        for v in places
    ]
    return "".join(lines)


def _dot_row(row: DotRow, x: Place, y: float) -> str:
    colour = f"var(--c{row.colour % N_COLOURS})"
    out = [f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end">{html.escape(row.label)}</text>']
    for i, mark in enumerate(sorted(row.marks, key=lambda m: m.value)):
        at, name_y = x(mark.value), y - 7 if i % 2 == 0 else y + 14
        out.append(
            f'<line x1="{at}" x2="{at}" y1="{y - 9}" y2="{y + 9}" stroke="var(--muted)" '
            f'stroke-width="2"><title>{html.escape(mark.name)} {mark.value:.3f}</title></line>'
            f'<text class="m" x="{at + 3}" y="{name_y}" style="font-size:9px">'
            f"{html.escape(mark.name)}</text>"
        )
    if row.low is not None and row.high is not None:
        out.append(
            f'<line x1="{x(row.low)}" x2="{x(row.high)}" y1="{y}" y2="{y}" '
            f'stroke="{colour}" stroke-width="2.5"/>'
        )
    out.append(
        f'<circle cx="{x(row.value)}" cy="{y}" r="5.5" fill="{colour}">'
        f"<title>{html.escape(row.label)} {row.value:.3f}</title></circle>"
    )
    return "".join(out)


def lines(found: Sequence[SvgLine], x_unit: str, y_unit: str) -> str:
    """Draw lines over a common axis, named beside the picture."""
    xs = [v for line in found for v in line.x] or [0.0, 1.0]
    ys = [v for line in found for v in line.y] or [0.0, 1.0]
    (x0, x1), (y0, y1) = (min(xs), max(xs)), _padded(min(ys), max(ys))
    left, right, top = 60, 300, 12

    def x(v: float) -> float:
        return round(left + (v - x0) / (x1 - x0 or 1) * (WIDTH - left - right), 1)

    def y(v: float) -> float:
        return round(top + (y1 - v) / (y1 - y0) * (HEIGHT - top - 46), 1)

    parts = [_axis(x, ticks(x0, x1), HEIGHT - 46)]
    parts += [
        f'<line x1="{left}" x2="{WIDTH - right}" y1="{y(v)}" y2="{y(v)}" '
        f'stroke="var(--grid)"/><text class="m" x="{left - 6}" y="{y(v) + 4}" '
        f'text-anchor="end">{v:g}</text>'
        for v in ticks(y0, y1)
    ]
    for i, line in enumerate(found):
        colour = f"var(--c{i % N_COLOURS})"
        points = " ".join(f"{x(a)},{y(b)}" for a, b in zip(line.x, line.y, strict=True))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.2"/>'
        )
        at = top + 16 * i + 8
        parts.append(
            f'<rect x="{WIDTH - right + 14}" y="{at - 4}" width="14" height="4" '
            f'fill="{colour}"/><text x="{WIDTH - right + 34}" y="{at + 2}">'
            f"{html.escape(_short(line.name))}</text>"
        )
    parts.append(
        f'<text class="m" x="{WIDTH - right}" y="{HEIGHT - 10}" text-anchor="end">'
        f'{html.escape(x_unit)}</text><text class="m" x="6" y="{top + 2}">'
        f"{html.escape(y_unit)}</text>"
    )
    return _svg(HEIGHT, parts, f"{y_unit} of {len(found)} lines over {x_unit}")


def _short(name: str) -> str:
    """Return a name that fits beside the picture."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _svg(height: float, parts: Sequence[str], alt: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{html.escape(alt)}">'
        f"{''.join(parts)}</svg>"
    )
