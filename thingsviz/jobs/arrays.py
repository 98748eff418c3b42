"""Named arrays as safetensors files, which hold numbers only: nothing in them can run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from thingsviz.core.errors import JobError
from thingsviz.core.files import write_atomically


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays, whole or not at all."""
    data = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    write_atomically(path, lambda file: file.write(data))


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read all arrays, or say that the file is damaged."""
    try:
        arrays: dict[str, NDArray[Any]] = load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        msg = f"{path} cannot be read ({error}): delete it and start the job again"
        raise JobError(msg) from None
    return arrays
