"""The letters of pictures that are painted here: a font that has ×, – and é, and lines that fit.

Pillow's own font lacks them and paints an empty box instead.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

FILE = Path("mpl-data", "fonts", "ttf", "DejaVuSans.ttf")  # comes with Matplotlib
NARROWER = 0.92  # DejaVu is that much wider than Pillow's own font


@cache
def letters(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font at a size in pixels; Pillow's own where Matplotlib's is not there."""
    found = find_spec("matplotlib")  # looked for, not imported: 0.3 s
    folder = Path(found.origin).parent if found and found.origin else None
    if folder is None or not (folder / FILE).is_file():
        return ImageFont.load_default(size)
    return ImageFont.truetype(str(folder / FILE), NARROWER * size)


def wrapped(text: str, size: float, width: float) -> list[str]:
    """Break a line between words so that no part is wider than `width` pixels."""
    font, lines = letters(size), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
