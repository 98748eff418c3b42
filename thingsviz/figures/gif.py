"""How pictures become a GIF that plays for ever: one palette, one size, a second a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

FRAME_MS = 1000
WIDTH = 900  # pixels; eight frames are about 1 MB


def animate(pictures: Sequence[bytes], frame_ms: int = FRAME_MS) -> bytes:
    """Return a GIF of PNGs of one size, one after the other."""
    frames = []
    for blob in pictures:
        image = Image.open(io.BytesIO(blob)).convert("RGB")
        size = (WIDTH, round(WIDTH * image.height / image.width))
        frames.append(image.resize(size, Image.Resampling.LANCZOS))
    # one palette from all frames: colours do not flicker, and no frame lacks its own
    sheet = Image.new("RGB", (WIDTH, sum(frame.height for frame in frames)))
    for n, frame in enumerate(frames):
        sheet.paste(frame, (0, n * frame.height))
    palette = sheet.quantize(256)
    few = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    packed = io.BytesIO()
    few[0].save(
        packed, "GIF", save_all=True, append_images=few[1:], duration=frame_ms, loop=0, disposal=1
    )
    return packed.getvalue()
