"""A finished job as something that can be asked why: outputs for changed responses, its tokens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.base.arrays import ArrayTrials, Rows
from models.base.network import Network
from models.catalog.registry import LinearModel, load_linear, spec_of
from models.explain import attention_maps
from models.training.checkpoint import load_network
from models.transformer.patches import PatchGrid, TokenIndex
from models.transformer.token_map import TokenMap, from_index, token_map
from thingsviz.analysis.regions.regions import Regions, regions_of
from thingsviz.core.errors import ConfigError, JobError
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.explain.map_files import ALL, fingerprint
from thingsviz.jobs.arrays import read_arrays
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.weights import best_file, epoch_file
from thingsviz.pipeline.tasks.base import Task
from thingsviz.pipeline.tasks.registry import open_task

# patches by which decoders without tokens are judged: the original study's
PATCH = (6, 7, 5)
MOST_PATTERN_ROWS = 4000


@dataclass
class Decoder:
    """A finished model on its data; exactly one of `network` and `linear` is there."""

    job: JobFolder
    material: Task
    network: Network | None
    linear: LinearModel | None
    named: Regions | None = None
    """A user's own regions; None: those of the data."""

    @cached_property
    def regions(self) -> Regions:
        """The regions that are left out one by one."""
        store = self.material.store
        return self.named or regions_of(store.voxels, store.grid, store.mask, store.space)

    def outputs(self, x: Tensor) -> Tensor:
        """Return outputs (B, n_targets) for responses x (B, n_voxels), each of about unit SD.

        Ratings on the learned scale, or logits.
        """
        if self.network is not None:
            found: Tensor = self.network(x)
            return found.float()
        assert self.linear is not None
        trials = ArrayTrials(x.detach().numpy())
        given = self.linear.predict(trials, np.arange(len(x)))
        return torch.from_numpy(np.asarray(given, np.float32) / self._sd)

    def responses(self, rows: Rows) -> Tensor:
        """Return responses as the model reads them, (len(rows), n_voxels)."""
        return torch.from_numpy(np.ascontiguousarray(self.material.responses.batch(rows)))

    @cached_property
    def baseline(self) -> Tensor:
        """What the decoder says of a mean response, all zeros: (1, n_targets)."""
        with torch.no_grad():
            return self.outputs(torch.zeros(1, self.material.store.shape[1]))

    @cached_property
    def _sd(self) -> NDArray[np.float32]:
        sd = self.material.answers[self.material.split.train].std(0)
        return np.where(sd > 0, sd, 1).astype(np.float32)

    @property
    def n_outputs(self) -> int:
        """How many outputs there are."""
        return int(self.baseline.shape[1])

    @property
    def n_layers(self) -> int:
        """How many layers of attention there are; 0 for a decoder without."""
        return (
            len(attention_maps.attention_layers(self.network)) if self.network is not None else 0
        )

    @property
    def n_heads(self) -> int:
        """How many heads a layer has; 0 for a decoder without attention."""
        return (
            attention_maps.n_heads(self.network)
            if self.network is not None and self.n_layers
            else 0
        )

    @cached_property
    def tokens(self) -> TokenMap:
        """The decoder's own tokens, or its patches over the brain where it has none."""
        if self.network is not None and self.n_layers:
            return token_map(self.network)
        mask = self.material.store.mask
        x, y, z = mask.shape
        return from_index(TokenIndex.of(mask, PatchGrid((x, y, z), PATCH, pad=True)))

    def weights(self) -> NDArray[np.float32] | None:
        """Return a linear decoder's weights (n_voxels, n_targets), unit SD outputs; None if none.

        Decoders that hold no weights a voxel (kernels) have none.
        """
        arrays = self.linear.arrays() if self.linear is not None else {}
        W, voxels = arrays.get("weights"), arrays.get("voxels")
        if W is None or W.ndim != 2 or len(W) != len(voxels if voxels is not None else W):
            return None
        n_voxels = self.material.store.shape[1]
        if voxels is None and len(W) != n_voxels:
            return None
        whole = np.zeros((n_voxels, W.shape[1]), np.float32)
        whole[slice(None) if voxels is None else voxels] = W
        return whole / self._sd

    def output_names(self) -> list[str]:
        """Return the outputs' names: properties, or the classes' labels."""
        names = list(self.material.outputs)
        if len(names) == self.n_outputs:
            return names
        return [f"class {n + 1}" for n in range(self.n_outputs)]

    def target_index(self, target: str) -> int | None:
        """Return which output is explained, None for all."""
        names = self.output_names()
        if target == ALL:
            return None
        if target not in names:
            some = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
            msg = f"the model has no output {target!r}: choose {ALL} or one of {some}"
            raise ConfigError(msg)
        return names.index(target)

    def rows_of(self, part: str) -> Rows:
        """Return the trials of a part, of one row, or of a concept among the test trials."""
        material = self.material
        kind, _, which = part.partition("-")
        if kind == "row":
            row, n = int(which), material.store.shape[0]
            if row >= n:
                msg = f"trial row {row} was asked for, but the data have {n:,}: choose one of them"
                raise ConfigError(msg)
            return np.array([row])
        if kind == "concept":
            test = material.split.test
            rows = np.asarray(test[material.concepts[test] == which])
            if not len(rows):
                msg = (
                    f"no test trial of this job shows {which!r}: choose a concept of its test part"
                )
                raise ConfigError(msg)
            return rows
        if part not in material.parts:
            msg = f"this job has no {part} trials: choose {' or '.join(material.parts)}"
            raise ConfigError(msg)
        return material.parts[part]

    def pattern_rows(self) -> Rows:
        """Return the trials of which a pattern is a covariance: all of the split, up to a limit.

        It is a property of the decoder, the same for any trial, and needs far more than a few.
        """
        split, parts = self.material.split, self.material.parts
        every = np.unique(np.concatenate([split.train, *parts.values()]))
        return np.asarray(every[:: -(-len(every) // MOST_PATTERN_ROWS)], np.int64)

    def fingerprint(self) -> str:
        """Return a name for these weights on these data: maps of others are not theirs."""
        return fingerprint(self.job, self.material.store.fingerprint)


def at_epoch(decoder: Decoder, epoch: int) -> Decoder:
    """Return a decoder with the weights that its training kept after an epoch; 0: its start."""
    config, mask = decoder.material.config.model, decoder.material.store.mask
    network = load_network(epoch_file(decoder.job, epoch), config, mask)[0]
    return replace(decoder, network=network.eval())


def open_decoder(job: JobFolder | Path, store: BetaStore | None = None) -> Decoder:
    """Open a finished job to ask it why; `store`: opened already, of the same data."""
    folder = job if isinstance(job, JobFolder) else JobFolder(Path(job))
    material = open_task(folder, store)
    path = best_file(folder)
    if not path.is_file():
        msg = f"job {folder.name!r} has no finished model yet: let it train to its end"
        raise JobError(msg)
    config = material.config.model
    if spec_of(config).kind == "linear":
        return Decoder(folder, material, None, load_linear(config, read_arrays(path)))
    network = load_network(path, config, material.store.mask)[0]
    return Decoder(folder, material, network.eval(), None)
