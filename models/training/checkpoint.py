"""How weights and training states lie on disk: safetensors with a JSON header and a checksum."""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from models.base.atomic_files import replacing, sync_folder
from models.base.errors import ModelError
from models.base.network import Network
from models.catalog.config import ModelConfig
from models.catalog.registry import blank_network
from models.training.state import TrainingState

Facts = Mapping[str, Any]
FORMAT = "thingsviz-models-1"
NO_CRC = "00000000"
PIECE = 1 << 20  # bytes that are read at once for the checksum
STATE_PATTERN = "state-*.safetensors"


def save_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Facts) -> None:
    """Write tensors and JSON-ready facts as one safetensors file, in one piece or not at all.

    The header's metadata holds the facts and a CRC-32 of the whole file (taken with 00000000 in
    its own place): safetensors has none, a flipped bit in a weight would pass. The tensors are
    written from where they lie: a training state is four times a network's weights, and a copy of
    it would be the most that a training ever holds.
    """
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(facts)  # a fresh plateau schedule holds an infinity, which Python reads back
    with replacing(path) as temporary:
        _write(whole, temporary, {"format": FORMAT, "facts": text, "crc32": NO_CRC})
        _put_checksum(temporary)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_tensors` wrote; a damaged or foreign file is refused in one sentence."""
    try:
        blob = path.read_bytes()
        start = _data_start(blob)
        header = json.loads(blob[8:start])["__metadata__"]
        if header["format"] != FORMAT:
            newer = str(header["format"]).startswith(FORMAT.rstrip("0123456789"))
            words = "of a newer thingsviz: update it to open this" if newer else "nothing of ours"
            msg = f"{path} is of format {header['format']!r}, but {FORMAT!r} is read: {words}"
            raise ModelError(msg)
        head = blob[:start].replace(_crc(header["crc32"]), _crc(NO_CRC))
        if _checksum(head, memoryview(blob)[start:]) != header["crc32"]:
            msg = f"{path} is damaged: its checksum does not fit; train again or use an older one"
            raise ModelError(msg)
        return load(blob), json.loads(header["facts"])
    except FileNotFoundError:
        msg = f"{path} does not exist: train first"
        raise ModelError(msg) from None
    except (KeyError, TypeError, ValueError, SafetensorError, RecursionError) as error:
        if isinstance(error, ModelError):
            raise
        msg = f"{path} is not a checkpoint or was cut short: train again or use an older one"
        raise ModelError(msg) from None


def save_network(path: Path, network: Network, facts: Facts) -> None:
    """Write a network's weights, target scale, tokens and voxel weights."""
    save_tensors(path, network.state_dict(), facts)


def load_network(
    path: Path, config: ModelConfig, mask: NDArray[np.bool_]
) -> tuple[Network, dict[str, Any]]:
    """Rebuild a trained network for the mask (X, Y, Z) it was trained with, and its facts."""
    tensors, facts = load_tensors(path)
    brain = tensors.get("brain", torch.empty(0, dtype=torch.int64))
    fits = torch.equal(brain, torch.as_tensor(np.flatnonzero(mask)))
    try:
        network = blank_network(config, mask, len(tensors.get("target_scale.mean", ())))
        network.load_state_dict(tensors)
    except RuntimeError:
        fits = False
    if not fits:
        msg = (
            f"{path} does not fit its config and brain mask ({int(mask.sum())} voxels): it was "
            "trained with another dataset or architecture"
        )
        raise ModelError(msg)
    return network.eval(), facts


def save_state(folder: Path, state: TrainingState, keep: int = 2) -> Path:
    """Write a training state beside the earlier ones and drop all but the `keep` newest.

    States of later batches go too: they can only be damaged ones that a resume passed over. One
    writer at a time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    epoch, batch = state.facts["epoch"], state.facts["batch"]
    path = folder / f"state-{epoch:05d}-{batch:06d}.safetensors"
    save_tensors(path, state.tensors, state.facts)
    states = sorted(folder.glob(STATE_PATTERN))
    here = states.index(path)
    ours, library = folder.glob(f".{STATE_PATTERN}.*.tmp"), folder.glob(".tmp??????")
    leftovers = [*ours, *library]  # of a writer that was killed, named by us or by safetensors
    for old in [*states[: max(0, here + 1 - keep)], *states[here + 1 :], *leftovers]:
        old.unlink(missing_ok=True)
    sync_folder(folder)
    return path


def newest_state(folder: Path) -> TrainingState | None:
    """Read the newest valid training state, None when there is none yet.

    Damaged ones are passed over; when every one is damaged that is said in one sentence.
    Whether it belongs to this model, these settings and these data, `fit_network` checks.
    """
    paths = sorted(folder.glob(STATE_PATTERN), reverse=True)
    faults = []
    for path in paths:
        try:
            tensors, facts = load_tensors(path)
        except ModelError as error:
            faults.append(str(error))
            continue
        return TrainingState(tensors, facts)
    if faults:
        raise ModelError(faults[0])
    return None


def _write(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Write plain safetensors; a full disk is an OSError, as of any other file."""
    try:
        save_file(tensors, path, metadata)
    except SafetensorError as error:
        if found := re.search(r"\(os error (\d+)\)", str(error)):
            code = int(found[1])
            raise OSError(code, os.strerror(code), str(path)) from None
        raise


def _put_checksum(path: Path) -> None:
    """Fill in the header's CRC-32, reading the file piece by piece."""
    with path.open("rb+") as file:
        head = file.read(8)
        head += file.read(_data_start(head) - 8)
        crc = zlib.crc32(head)
        while piece := file.read(PIECE):
            crc = zlib.crc32(piece, crc)
        file.seek(0)
        file.write(head.replace(_crc(NO_CRC), _crc(f"{crc:08x}")))


def _data_start(blob: bytes) -> int:
    """Offset of the first tensor byte: 8 bytes of header length, then the header."""
    return 8 + int.from_bytes(blob[:8], "little")


def _crc(value: str) -> bytes:
    """The header's entry for a checksum, as safetensors writes it."""
    return f'"crc32":"{value}"'.encode()


def _checksum(head: bytes, data: memoryview) -> str:
    return f"{zlib.crc32(data, zlib.crc32(head)):08x}"
