"""The strip under an exported picture: what it shows, colour bar with unit, SIMULATED when so."""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from thingsviz.figures.base.lettering import letters
from thingsviz.figures.base.style import Theme, palette, rgb
from thingsviz.figures.base.views import SIDES
from thingsviz.figures.brain.volume import VolumeInfo, colours

Pixels = NDArray[np.uint8]

STRIP = 104  # pixels
MARGIN = 24
BAR = (300, 16)  # pixels
ORANGE = "#B35900"


class Patch(NamedTuple):
    """A colour of a surface and what it means."""

    colour: str
    text: str


class Caption(NamedTuple):
    """What the strip says: `title`, then `lines`; then what the colours mean.

    `ticks` (value, text) stand on the bar from −limit to limit, whose middle is left open up to
    `hidden`; no ticks, no bar. `patches` are the surfaces' colours.
    """

    title: str
    lines: tuple[str, ...]
    simulated: bool
    unit: str
    patches: tuple[Patch, ...]
    ticks: tuple[tuple[float, str], ...]
    limit: float
    hidden: float


def caption(title: str, subtitle: str, info: VolumeInfo, *, simulated: bool) -> Caption:
    """Return the caption of a rendered volume; `title` names dataset, subject, trial."""
    limit, t = info.limit, info.threshold
    return Caption(
        title=title,
        lines=tuple(line for line in (subtitle, threshold_text(info)) if line),
        simulated=simulated,
        unit=f"beta ({info.unit})",
        patches=(),
        ticks=tuple((v, signed(v)) for v in sorted({-limit, -t, t, limit})),
        limit=limit,
        hidden=t,
    )


def of_surfaces(text: Caption, info: VolumeInfo, show: tuple[str, ...], theme: Theme) -> Caption:
    """Return the caption of a picture of surfaces: a patch for each, a whole bar for slices."""
    limit = info.limit
    bar = ((-limit, signed(-limit)), (0.0, "0"), (limit, signed(limit)))
    ticks = bar if "slices" in show else ()
    return text._replace(patches=patches(info, show, theme), ticks=ticks, hidden=0.0)


def patches(info: VolumeInfo, show: tuple[str, ...], theme: Theme) -> tuple[Patch, ...]:
    """Return what the colours of the surfaces shown mean."""
    p, t = palette(theme), info.threshold
    both = {"negative": Patch(p.negative, f"below {signed(-t)}")}
    both["positive"] = Patch(p.positive, f"above {signed(t)}")
    return tuple(patch for group, patch in both.items() if group in show)


def threshold_text(info: VolumeInfo) -> str:
    """Say in words what is drawn: threshold, its percentile, smoothing."""
    smoothing = f"{info.smoothing_mm:g} mm FWHM" if info.smoothing_mm else "none"
    return (
        f"|beta| > {info.threshold:.3g} {info.unit} ({_ordinal(info.percentile)} percentile of "
        f"the brain) · smoothing {smoothing}"
    )


def signed(value: float) -> str:
    """Return a value with its sign and three digits; a plain minus, which every font has."""
    return f"{value:+.3g}"


def finish(pixels: Pixels, text: Caption, theme: Theme) -> bytes:
    """Return the PNG of a picture (height, width, 3), its strip below; the text as metadata."""
    height, width = pixels.shape[:2]
    p = palette(theme)
    page = Image.new("RGB", (width, height + STRIP), p.background)
    page.paste(Image.fromarray(pixels), (0, 0))
    draw = ImageDraw.Draw(page)
    draw.line([(MARGIN, height), (width - MARGIN, height)], fill=p.grid, width=1)
    _write_text(draw, height, text, theme)
    _draw_colours(page, draw, (width - MARGIN - BAR[0], height + 30), text, theme)
    about = PngInfo()
    simulated = "SIMULATED. " if text.simulated else ""
    about.add_itxt("Description", f"{simulated}{text.title}. {'. '.join(text.lines)}")
    packed = io.BytesIO()
    page.save(packed, "PNG", pnginfo=about, compress_level=6)
    return packed.getvalue()


def with_sides(pixels: Pixels, places: dict[str, tuple[float, float]], theme: Theme) -> Pixels:
    """Write L, R, A, P, S, I at their `places` (x, y in pixels) on `pixels` (height, width, 3)."""
    page = Image.fromarray(pixels)
    draw = ImageDraw.Draw(page)
    for name in SIDES:
        if name in places:
            draw.text(places[name], name, palette(theme).text, letters(26), anchor="mm")
    return np.asarray(page)


def _write_text(draw: ImageDraw.ImageDraw, top: int, text: Caption, theme: Theme) -> None:
    p = palette(theme)
    left, y = MARGIN, top + 16
    if text.simulated:
        box = draw.textbbox((left + 8, y + 2), "SIMULATED", letters(15))
        draw.rounded_rectangle((left, y - 1, box[2] + 8, y + 23), 5, fill=ORANGE)
        draw.text((left + 8, y + 11), "SIMULATED", "white", letters(15), anchor="lm")
        left = int(box[2]) + 20
    draw.text((left, y + 11), text.title, p.text, letters(20), anchor="lm")
    for row, line in enumerate(text.lines):
        draw.text((MARGIN, y + 42 + 25 * row), line, p.muted, letters(16), anchor="lm")


def _draw_colours(
    page: Image.Image,
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    text: Caption,
    theme: Theme,
) -> None:
    """Draw unit, bar and patches; the bar comes first, patches stand below it or in its place."""
    p, (x, y), (width, _) = palette(theme), corner, BAR
    draw.text((x + width / 2, y - 12), text.unit, p.muted, letters(15), anchor="mm")
    if text.ticks:
        _draw_bar(page, draw, corner, text, theme)
    row = y + 56 if text.ticks else y + 16
    for number, patch in enumerate(text.patches):
        left = x + number * width // 2
        draw.rounded_rectangle((left, row - 7, left + 14, row + 7), 3, fill=patch.colour)
        draw.text((left + 21, row), patch.text, p.text, letters(15), anchor="lm")


def _draw_bar(
    page: Image.Image,
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    text: Caption,
    theme: Theme,
) -> None:
    """Draw the colour bar; what the threshold hides is left in the colour of the page."""
    p, (x, y), (width, height) = palette(theme), corner, BAR
    values = np.linspace(-text.limit, text.limit, width, dtype=np.float32)
    row = colours(values, text.limit, theme)
    row[np.abs(values) < text.hidden] = rgb(p.surface)
    page.paste(Image.fromarray(np.tile(row, (height, 1, 1))), corner)
    draw.rectangle((x - 1, y - 1, x + width, y + height), outline=p.muted)
    free = -1e9
    for value, words in text.ticks:
        at = x + (value / text.limit + 1) / 2 * width
        draw.line([(at, y + height), (at, y + height + 5)], fill=p.muted, width=1)
        if at - free > 46:  # else the two would be written over each other
            draw.text((at, y + height + 15), words, p.text, letters(15), anchor="mm")
            free = at


def _ordinal(percentile: float) -> str:
    """Return 97 as '97th', 99.9 as '99.9th', 91 as '91st'."""
    text = f"{percentile:.4g}"
    last = text[-1] if not text.endswith(("11", "12", "13")) or "." in text else "0"
    return text + {"1": "st", "2": "nd", "3": "rd"}.get(last, "th")
