"""What an image's file name says: concept, exemplar number, catch picture or not."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

EXEMPLAR = re.compile(r"(?P<concept>.+?)_(?P<number>\d+)(?P<source>[a-z]*)\.\w+", re.ASCII)
CATCH = re.compile(r"catch\d*\.\w+", re.ASCII | re.IGNORECASE)


def base_name(image_filename: str) -> str:
    """Return the name without its folder, which is wrong for five of the published test images."""
    return PurePosixPath(image_filename.strip().replace("\\", "/")).name


def is_catch(image_filename: str) -> bool:
    """Whether this is one of the catch pictures (`catch008.jpg`), which belong to no concept."""
    return CATCH.fullmatch(base_name(image_filename)) is not None


def concept_of(image_filename: str) -> str | None:
    """Return the concept in `folder/ferris_wheel_20s.jpg`: ferris_wheel; None for catch pictures.

    A name without an exemplar number is its own concept.
    """
    if is_catch(image_filename):
        return None
    name = base_name(image_filename)
    found = EXEMPLAR.fullmatch(name)
    return found["concept"] if found else PurePosixPath(name).stem


def exemplar_number(image_filename: str) -> int:
    """Return the 20 of `ferris_wheel_20s.jpg`; 0 where the name has none."""
    found = EXEMPLAR.fullmatch(base_name(image_filename))
    return int(found["number"]) if found else 0
