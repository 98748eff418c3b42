"""Named arrays as safetensors files with a checksum; they hold numbers only, nothing can run."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from thingsviz.core.errors import JobError
from thingsviz.core.files import write_atomically

Arrays = Mapping[str, NDArray[Any]]


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write arrays, whole or not at all."""
    tidy = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    data = save(tidy, {"crc32": _crc(tidy)})
    write_atomically(path, lambda file: file.write(data))


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read all arrays, or say that the file is damaged."""
    try:
        with safe_open(path, "numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            fault = (
                "" if (file.metadata() or {}).get("crc32") == _crc(arrays) else "wrong checksum"
            )
    except (OSError, SafetensorError, ValueError) as error:
        fault = str(error)
    if fault:
        msg = f"{path} cannot be read ({fault}): delete it and start the job again"
        raise JobError(msg)
    return arrays


def _crc(arrays: Arrays) -> str:
    """CRC-32 over names, types, shapes and values; safetensors has none of its own."""
    crc = 0
    for name in sorted(arrays):
        array = arrays[name]
        crc = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), crc)
        crc = zlib.crc32(array.tobytes(), crc)
    return f"{crc:08x}"
