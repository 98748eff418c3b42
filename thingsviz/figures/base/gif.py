"""How pictures become a GIF that plays for ever: one palette, one size, a second a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FRAME_MS = 1000
WIDTH = 900  # pixels; eight frames are about 1 MB


COLOURED = 40  # of 255: the spread of red, green, blue from which a pixel is no grey


def animate(pictures: Sequence[bytes], frame_ms: int = FRAME_MS) -> bytes:
    """Return a GIF of PNGs of one size, one after the other."""
    frames = []
    for blob in pictures:
        image = Image.open(io.BytesIO(blob)).convert("RGB")
        size = (WIDTH, round(WIDTH * image.height / image.width))
        frames.append(image.resize(size, Image.Resampling.LANCZOS))
    palette = _palette(np.concatenate([np.asarray(frame) for frame in frames]))
    few = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    packed = io.BytesIO()
    few[0].save(
        packed, "GIF", save_all=True, append_images=few[1:], duration=frame_ms, loop=0, disposal=1
    )
    return packed.getvalue()


def _palette(pixels: NDArray[np.uint8]) -> Image.Image:
    """Return one palette for all frames (height, width, 3): colours do not flicker.

    Coloured pixels count as much as all greys together: of a map of few voxels the median cut
    would keep no colour at all.
    """
    flat = pixels.reshape(-1, 3)
    coloured = flat[np.ptp(flat, axis=1) > COLOURED]
    if len(coloured):
        flat = np.concatenate([flat, np.resize(coloured, flat.shape)])
    sheet = Image.fromarray(np.resize(flat, (-(-len(flat) // WIDTH), WIDTH, 3)))
    return sheet.quantize(256)
