from importlib.metadata import PackageNotFoundError
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from thingsviz.core.errors import DataError
from thingsviz.data.planted import pictures
from thingsviz.data.planted.pictures import SIDE, IconPictures, PhotoPictures

NAMES = ["dog/dog_01s.jpg", "dog/dog_02s.jpg"]


def opened(data):
    image = Image.open(BytesIO(data))
    assert image.format == "JPEG"
    return np.asarray(image.convert("RGB")).astype(int)


@pytest.fixture
def icons():
    return IconPictures({"dog": "🐕", "cat": "🐈", "ice_cube": ""}, seed=1)


def test_a_picture_shows_the_glyph_on_coloured_ground(icons):
    image = opened(icons.draw("dog", NAMES)[0])
    assert image.shape == (SIDE, SIDE, 3)
    corner = image[:20, :20].reshape(-1, 3)
    assert corner.std(0).max() < 12  # plain ground at the rim
    assert corner.mean(0).max() - corner.mean(0).min() > 20  # which has a colour
    black = (image.max(2) < 60).mean()
    assert 0.01 < black < 0.3  # the glyph's outline


def test_exemplars_and_concepts_differ_and_repeat(icons):
    first, second = icons.draw("dog", NAMES)
    cat = icons.draw("cat", ["cat/cat_01s.jpg"])[0]
    assert np.abs(opened(first) - opened(second)).mean() > 10
    assert np.abs(opened(first) - opened(cat)).mean() > 10
    assert icons.draw("dog", NAMES[:1]) == [first]


def test_a_concept_without_glyph_is_written(icons):
    image = opened(icons.draw("ice_cube", ["ice_cube/ice_cube_01s.jpg"])[0])
    assert 0.005 < (image.max(2) < 90).mean() < 0.3


def test_the_fonts_licence_is_credited(icons):
    assert "OpenMoji" in icons.credit
    assert "CC BY-SA 4.0" in icons.credit


def test_a_missing_font_is_said(monkeypatch):
    def nothing(_):
        raise PackageNotFoundError

    monkeypatch.setattr(pictures, "files", nothing)
    with pytest.raises(DataError, match="OpenMoji font is missing: pip install"):
        IconPictures({}, seed=1)


def save(path, colour, kind="JPEG"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30), colour).save(path, kind)
    return path


def test_photographs_serve_all_exemplars_of_their_concept(tmp_path):
    file = save(tmp_path / "dog.jpg", "red")
    save(tmp_path / "hot_dog.jpg", "blue")
    photos = PhotoPictures(tmp_path)
    assert photos.concepts == ["dog", "hot_dog"]
    assert photos.draw("dog", NAMES) == [file.read_bytes()] * 2


def test_an_exemplars_own_photograph_is_taken(tmp_path):
    save(tmp_path / "dog" / "dog_01s.jpg", "red")
    own = save(tmp_path / "dog" / "dog_02s.jpg", "blue")
    photos = PhotoPictures(tmp_path)
    assert photos.concepts == ["dog"]
    assert photos.draw("dog", NAMES)[1] == own.read_bytes()


def test_other_formats_become_jpeg(tmp_path):
    save(tmp_path / "dog.png", "red", "PNG")
    image = opened(PhotoPictures(tmp_path).draw("dog", NAMES)[0])
    assert image[5, 5].tolist() == pytest.approx([254, 0, 0], abs=3)


def test_the_published_tiles(real):
    photos = PhotoPictures(real / "tiles")
    assert len(photos.concepts) == 720
    assert opened(
        photos.draw("aardvark" if "aardvark" in photos.concepts else "acorn", NAMES)[0]
    ).shape


def test_folders_without_pictures_are_refused(tmp_path):
    with pytest.raises(DataError, match="does not exist: give a folder of photographs"):
        PhotoPictures(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(DataError, match=r"holds no \.jpg or \.png"):
        PhotoPictures(tmp_path)


def test_a_concept_without_photograph_is_refused(tmp_path):
    save(tmp_path / "dog.jpg", "red")
    with pytest.raises(DataError, match=r"has no picture of 'cat': add cat\.jpg"):
        PhotoPictures(tmp_path).draw("cat", ["cat/cat_01s.jpg"])


@pytest.mark.parametrize("damage", ["text", "cut"])
def test_unreadable_photographs_are_refused(tmp_path, damage):
    file = save(tmp_path / "dog.jpg", "red")
    file.write_bytes(b"not a picture" if damage == "text" else file.read_bytes()[:300])
    with pytest.raises(DataError, match=r"dog\.jpg' cannot be read .*: replace or remove it"):
        PhotoPictures(tmp_path).draw("dog", NAMES)
