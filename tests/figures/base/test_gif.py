import io

import numpy as np
from PIL import Image

from thingsviz.figures.base import gif


def png(pixels):
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "PNG")
    return packed.getvalue()


def test_a_few_coloured_pixels_keep_their_colour():
    greys = np.random.default_rng(0).integers(0, 256, (200, 900, 1)).astype(np.uint8)
    picture = np.repeat(greys, 3, axis=2)
    spotted = picture.copy()
    spotted[100:103, 100:103] = (180, 20, 40)
    film = Image.open(io.BytesIO(gif.animate([png(picture), png(spotted)])))
    assert film.n_frames == 2
    film.seek(1)
    spot = np.asarray(film.convert("RGB")).astype(int)[101, 101]
    assert np.abs(spot - (180, 20, 40)).max() < 25


def test_pictures_without_any_colour_are_a_film_too():
    plain = np.full((30, 900, 3), 90, np.uint8)
    film = Image.open(io.BytesIO(gif.animate([png(plain), png(plain + 60)])))
    assert film.n_frames == 2
    assert film.size == (900, 30)
