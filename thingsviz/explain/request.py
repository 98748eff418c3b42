"""Which trials, methods and output a request for maps is about, of those that a job has."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
import torch

from thingsviz.core.arrays import Rows
from thingsviz.core.errors import ConfigError
from thingsviz.explain.decoder import Decoder
from thingsviz.explain.map_files import ALL
from thingsviz.explain.method_list import SHARES
from thingsviz.explain.methods import GROUPED, groups_of, methods_for
from thingsviz.explain.planted_truth import pattern_rows
from thingsviz.explain.tests_of_maps import spread

OCCLUSION_S = 90.0


class Request(NamedTuple):
    """What maps are asked for: of trials, of an output (None: all), of these weights and data."""

    rows: Rows
    target: int | None
    fingerprint: str


def default_methods(decoder: Decoder, rows: Rows) -> list[str]:
    """Return all methods that fit; of one trial, only those that are about a trial."""
    about_all = () if len(rows) > 1 else ("weights", *SHARES)
    return [name for name in methods_for(decoder) if name not in about_all]


def rows_of(decoder: Decoder, part: str) -> Rows:
    """Return the trials of a part, of one row, or of a concept among the test trials."""
    material = decoder.material
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
            msg = f"no test trial of this job shows {which!r}: choose a concept of its test part"
            raise ConfigError(msg)
        return rows
    if part not in material.parts:
        msg = f"this job has no {part} trials: choose {' or '.join(material.parts)}"
        raise ConfigError(msg)
    return material.parts[part]


def asked_rows(decoder: Decoder, name: str, rows: Rows) -> Rows:
    """Return the trials of which a map is made: of a slow method as many as OCCLUSION_S allow."""
    if name in SHARES:
        return pattern_rows(decoder)
    if name not in GROUPED or decoder.weights() is not None:
        return rows
    began = time.monotonic()
    with torch.no_grad():
        decoder.outputs(decoder.responses(rows[:1]))
    seconds = (time.monotonic() - began) * (1 + int(groups_of(decoder, name).max()))
    return spread(rows, max(1, int(OCCLUSION_S / max(seconds, 1e-6))))


def target_index(decoder: Decoder, target: str) -> int | None:
    """Return which output is explained, None for all."""
    names = output_names(decoder)
    if target == ALL:
        return None
    if target not in names:
        some = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
        msg = f"the model has no output {target!r}: choose {ALL} or one of {some}"
        raise ConfigError(msg)
    return names.index(target)


def output_names(decoder: Decoder) -> list[str]:
    """Return the outputs' names: properties, or the classes' labels."""
    names = list(decoder.material.outputs)
    if len(names) == decoder.n_outputs:
        return names
    return [f"class {n + 1}" for n in range(decoder.n_outputs)]
