"""Where a job's maps are kept, and whether they are still those of its weights and data."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.transformer.token_map import TokenMap
from thingsviz.core import json_files
from thingsviz.core.errors import ConfigError, DataError
from thingsviz.jobs.arrays import read_arrays, write_arrays
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.weights import best_file

ALL = "all"
TOKENS = "tokens.arrays"
TARGET = re.compile(r"[\w' -][\w.' -]{0,59}")
PART = re.compile(r"test|validation|exemplars|row-\d{1,7}|concept-[\w.' -]{1,60}")


@dataclass(frozen=True)
class MapSet:
    """The maps of one job for some trials (`part`) and one output, or all: one folder."""

    job: JobFolder
    part: str
    target: str = ALL

    def __post_init__(self) -> None:
        if not PART.fullmatch(self.part):
            msg = (
                f"maps of {self.part!r} were asked for: choose test, validation, exemplars, a "
                "trial (row-17) or a concept (concept-dog)"
            )
            raise ConfigError(msg)
        if not TARGET.fullmatch(self.target):
            msg = f"output {self.target!r} is no name of a property: choose one, or all"
            raise ConfigError(msg)

    @property
    def path(self) -> Path:
        """The folder."""
        return self.job.file("maps") / f"{self.part}--{self.target}"

    def file(self, method: str) -> Path:
        """Return where a method's map is."""
        return self.path / f"{method}.safetensors"

    def facts(self) -> dict[str, Any]:
        """Return what is known of the maps; empty before the first is made."""
        return json_files.read_json(self.path / "facts.json") or {}

    def add_facts(self, **more: Any) -> None:  # noqa: ANN401
        """Write facts beside those that are there."""
        json_files.write_sealed(self.path / "facts.json", self.facts() | more)

    def methods(self) -> list[str]:
        """Return the methods whose maps are there."""
        return sorted(path.stem for path in self.path.glob("*.safetensors"))

    def save(self, method: str, values: NDArray[np.floating], fingerprint: str) -> None:
        """Keep a map, float32, whole or not at all."""
        self.path.mkdir(parents=True, exist_ok=True)
        tag = np.frombuffer(fingerprint.encode(), np.uint8)
        write_arrays(self.file(method), {"values": values.astype(np.float32), "of": tag})

    def load(self, method: str, fingerprint: str | None = None) -> NDArray[np.float32]:
        """Read a map; one of other weights or data, or with NaN, is refused in one sentence."""
        path = self.file(method)
        if not path.is_file():
            msg = f"the map {method!r} of {self.part} is not made yet: make it on Attention"
            raise DataError(msg)
        arrays = read_arrays(path)
        of = arrays["of"].tobytes().decode()
        if fingerprint is not None and of != fingerprint:
            msg = (
                f"the map {method!r} of {self.part} was made with other weights or data "
                f"({of[:8]}, now {fingerprint[:8]}): make it again"
            )
            raise DataError(msg)
        values: NDArray[np.float32] = arrays["values"]
        bad = int((~np.isfinite(values)).sum())
        if bad:
            msg = f"the map {method!r} of {self.part} has {bad:,} values that are no number"
            msg += ": make it again"
            raise DataError(msg)
        return values

    def save_tokens(self, tokens: TokenMap) -> None:
        """Keep which share of each token lies in which voxel, so that pages need no model."""
        share = tokens.share.tocoo()
        arrays = {"token": share.row.astype(np.int32), "voxel": share.col.astype(np.int32)}
        arrays |= {"share": share.data.astype(np.float32), "box": tokens.box_voxels}
        arrays["n_voxels"] = np.array([tokens.n_voxels])
        self.path.mkdir(parents=True, exist_ok=True)
        write_arrays(self.path / TOKENS, arrays)

    def tokens(self) -> TokenMap:
        """Read the tokens of these maps."""
        path = self.path / TOKENS
        if not path.is_file():
            msg = f"{path} is missing: make the maps again"
            raise DataError(msg)
        kept = read_arrays(path)
        shape = (len(kept["box"]), int(kept["n_voxels"][0]))
        places = (kept["token"], kept["voxel"])
        share = sparse.csr_array((kept["share"].astype(float), places), shape=shape)
        return TokenMap(share, kept["box"], str(self.facts().get("token_note", "")))

    def forget(self) -> None:
        """Remove maps of other weights: what is there must not be mixed with new ones."""
        for path in [*self.path.glob("*.safetensors"), self.path / "facts.json"]:
            path.unlink(missing_ok=True)


class EpochMaps(MapSet):
    """A map a kept epoch: files as of MapSet, values with the epochs in front.

    They lie in JOB/maps/epochs/PART--OUTPUT; `facts()["epochs"]` names the epochs.
    """

    @property
    def path(self) -> Path:
        """The folder."""
        return self.job.file("maps") / "epochs" / super().path.name

    def epochs(self) -> list[int]:
        """Return the epochs that the maps are of, 0 being the start."""
        return [int(epoch) for epoch in self.facts().get("epochs", [])]


def map_sets(job: JobFolder, kind: type[MapSet] = MapSet) -> list[MapSet]:
    """Return the sets of maps that a job has, of its result or of its epochs, by name."""
    found = []
    for path in sorted(kind(job, "test").path.parent.glob("*/facts.json")):
        part, _, target = path.parent.name.partition("--")
        if PART.fullmatch(part):
            found.append(kind(job, part, target or ALL))
    return found


def fingerprint(job: JobFolder, data: str) -> str:
    """Return a name for a job's weights and split on `data` (the store's own fingerprint)."""
    digest = hashlib.sha256(data.encode())
    for path in (best_file(job), job.file("split.json")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:24]
