"""Whether maps mean anything: blocks taken away, weights lost, labels permuted."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.base.arrays import Rows
from models.catalog.registry import build_linear, build_network, needs_score
from models.cost.estimate import Size, estimate
from models.training.loop import Hooks, fit_network
from thingsviz.analysis.maps import faithfulness as faithful
from thingsviz.analysis.maps.planted_truth import rank_correlation
from thingsviz.core.arrays import Array
from thingsviz.core.progress import Progress, Report, silent
from thingsviz.explain.compute import MethodMap, compute, to_mass
from thingsviz.explain.decoder import Decoder
from thingsviz.explain.map_methods import METHODS
from thingsviz.pipeline.fit import fit_data
from thingsviz.pipeline.tasks.base import Task

MOST_TRIALS, FEWEST_TRIALS = 64, 12
BUDGET_S = 120.0
SANITY_TRIALS = 24
MOST_EPOCHS = 8
RANDOM, CEILING = "random order", "noise ceiling"


class RandomizedLayer(NamedTuple):
    """What was destroyed up to here, and how alike the map still is (rank correlation)."""

    what: str
    correlation: float


def block_values(decoder: Decoder, found: MethodMap) -> Array:
    """Return one value a block of voxels, (n_tokens,): heads and layers averaged."""
    values = to_mass(decoder, found) if METHODS[found.method].unit == "voxel" else found.values
    if METHODS[found.method].unit == "voxel":
        return decoder.tokens.to_tokens(values)
    flat: Array = np.abs(values).reshape(-1, values.shape[-1]).mean(0)
    return flat


def ceiling_values(decoder: Decoder) -> Array | None:
    """Return the mean noise ceiling of each block, (n_tokens,); None where none is published."""
    voxels = decoder.material.store.voxels
    if "nc_singletrial" not in voxels:
        return None
    return decoder.tokens.to_tokens(np.nan_to_num(voxels["nc_singletrial"].to_numpy(float)))


def judge_faithfulness(
    decoder: Decoder,
    maps: Mapping[str, Array],
    rows: Rows,
    report: Report = silent,
    n_trials: int = 0,
) -> faithful.FaithfulnessCurves:
    """Return the curves of maps (n_tokens,) beside random order and that of the noise ceilings.

    Blocks are taken away by setting their voxels to 0, the mean response. As many of the trials
    `rows` are used as can be judged in two minutes, 12 to 64, or `n_trials` of them.
    """
    n = decoder.tokens.n_tokens
    orders = {RANDOM: faithful.random_orders(n)}
    orders |= {name: [faithful.order_of(values)] for name, values in maps.items()}
    ceilings = ceiling_values(decoder)
    if ceilings is not None:
        orders[CEILING] = [faithful.order_of(ceilings)]
    n_forward = 2 * len(faithful.SHARES) * sum(map(len, orders.values()))
    few = spread(rows, n_trials) if n_trials else _few(decoder, rows, n_forward)
    x = decoder.responses(few)
    groups = decoder.tokens.groups()
    done = 0

    def predict(kept: NDArray[np.bool_]) -> Array:
        nonlocal done
        report(Progress(done, n_forward, f"taking blocks away, {done} of {n_forward}"))
        done += 1
        seen = torch.from_numpy(np.append(kept, False)[groups])
        with torch.no_grad():
            parts = [decoder.outputs(x[i : i + 16] * seen) for i in range(0, len(x), 16)]
        return torch.cat(parts).double().numpy()

    return faithful.curves(predict, orders)


def _few(decoder: Decoder, rows: Rows, n_forward: int) -> Rows:
    """Return as many rows, evenly spread, as the time allows."""
    began = time.monotonic()
    with torch.no_grad():
        decoder.outputs(decoder.responses(rows[:4]))
    seconds = (time.monotonic() - began) / max(1, len(rows[:4]))
    n = int(np.clip(BUDGET_S / (n_forward * max(seconds, 1e-6)), FEWEST_TRIALS, MOST_TRIALS))
    return spread(rows, n)


def spread(rows: Rows, n: int) -> Rows:
    """Return at most `n` of the rows, evenly spread."""
    at = np.unique(np.linspace(0, len(rows) - 1, min(n, len(rows))).astype(int))
    return np.asarray(rows[at])


def judge_sanity(
    decoder: Decoder,
    name: str,
    rows: Rows,
    target: int | None = None,
    report: Report = silent,
) -> list[RandomizedLayer]:
    """Return how much of a map is left as the decoder's weights are lost (Adebayo et al. 2018).

    Networks: layers are shuffled from the head down, each tensor within itself. Linear decoders:
    fitted again to ratings dealt out to other concepts.
    """
    few = spread(rows, SANITY_TRIALS)
    before = block_values(decoder, compute(decoder, name, few, target))
    steps = []
    others = destroyed(decoder)
    for n, (what, make) in enumerate(others):
        report(Progress(n, len(others), f"{METHODS[name].title} without {what}"))
        after = block_values(decoder, compute(make(), name, few, target))
        steps.append(RandomizedLayer(what, rank_correlation(before, after)))
    return steps


def judge_permuted(
    decoder: Decoder, other: Decoder, names: Iterable[str], rows: Rows, target: int | None = None
) -> dict[str, float]:
    """Return how alike each map is to that of a decoder of permuted labels (rank correlation)."""
    few = spread(rows, SANITY_TRIALS)
    found = {}
    for name in names:
        asked = rows if METHODS[name].share else few
        pair = [voxel_values(one, name, asked, target) for one in (decoder, other)]
        found[name] = rank_correlation(*pair)
    return found


def voxel_values(decoder: Decoder, name: str, rows: Rows, target: int | None) -> Array:
    """Return a map as mass over the brain's voxels, heads and layers averaged, (n_voxels,).

    Over voxels, because a network trained anew may have chosen other tokens.
    """
    mass = to_mass(decoder, compute(decoder, name, rows, target))
    mean: Array = mass.reshape(-1, mass.shape[-1]).mean(0)
    return mean


def destroyed(decoder: Decoder) -> list[tuple[str, Callable[[], Decoder]]]:
    """Return ever more destroyed copies of a decoder, and what each has lost."""
    if decoder.network is None:
        return [("the ratings' order", lambda: _refitted(decoder))]
    network = copy.deepcopy(decoder.network)
    parts = _from_the_top(network)

    def lose(name: str) -> Callable[[], Decoder]:
        def make() -> Decoder:
            shuffle(parts[name])
            return replace(decoder, network=network)

        return make

    return [(name, lose(name)) for name in parts]


def _from_the_top(network: nn.Module) -> dict[str, nn.Module]:
    """Return the parts of a network that hold weights, the last first; lists opened."""
    parts: dict[str, nn.Module] = {}
    for name, child in network.named_children():
        inside = {name: child}
        if isinstance(child, nn.ModuleList):
            inside = {f"{name} {i + 1}": m for i, m in enumerate(child)}
        parts |= {key: m for key, m in inside.items() if any(True for _ in m.parameters())}
    return dict(reversed(parts.items()))


def shuffle(part: nn.Module, seed: int = 0) -> None:
    """Deal out each of a part's tensors to other places within itself."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in part.parameters():
            flat = tensor.flatten()
            order = torch.randperm(len(flat), generator=generator)
            tensor.copy_(flat[order].view_as(tensor))


def _refitted(decoder: Decoder) -> Decoder:
    """Fit a linear decoder again to ratings dealt out to other concepts."""
    material = decoder.material
    rows, rng = material.split.train, np.random.default_rng(0)
    _, index = np.unique(material.concepts[rows], return_inverse=True)
    first = np.unique(index, return_index=True)[1]
    dealt = rng.permutation(first)
    Y = material.answers[rows][dealt[index]]
    model = build_linear(material.config.model)
    model.fit(material.responses, rows, Y, material.concepts[rows])
    return replace(decoder, linear=model)


def seconds_of(material: Task) -> float:
    """Return about how long the training takes on this machine."""
    config, split = material.config, material.split
    size = Size(len(split.train), len(split.validation), len(material.outputs))
    fit = config.fit.model_copy(update={"epochs": min(config.fit.epochs, MOST_EPOCHS)})
    return estimate(config.model, material.store.mask, fit, size).seconds


def permuted_network(decoder: Decoder, report: Report = silent, seed: int = 0) -> Decoder:
    """Train a decoder's network anew on permuted labels, MOST_EPOCHS at most; the same recipe.

    After Adebayo et al. 2018: a map that stays the same shows the data and the architecture.
    """
    material = dealt_out(decoder.material, seed)
    config = material.config
    score = material.voxel_scores(material.responses) if needs_score(config.model) else None
    n_targets = len(material.outputs)
    network = build_network(config.model, material.store.mask, n_targets, score, config.fit.seed)
    fit = config.fit.model_copy(update={"epochs": min(config.fit.epochs, MOST_EPOCHS)})
    done = 0

    def tell(row: dict[str, object]) -> None:
        nonlocal done
        done += row.get("kind") == "epoch"
        report(Progress(done, fit.epochs, f"training on permuted labels, epoch {done}"))

    fit_network(network, fit_data(material), fit, Hooks(report=tell))
    return replace(decoder, material=material, network=network.eval())


def dealt_out(material: Task, seed: int = 0) -> Task:
    """Return the material with each concept's labels given to another, in each part apart."""
    answers = np.array(material.answers)
    for n, rows in enumerate((material.split.train, material.split.validation)):
        answers[rows] = answers[_dealt(rows, material.concepts, seed + n)]
    other = copy.copy(material)
    other.__dict__["answers"] = answers
    return other


def _dealt(rows: Rows, concepts: NDArray[np.str_], seed: int) -> Rows:
    """Return for each row a row of the concept whose labels it gets."""
    _, first, index = np.unique(concepts[rows], return_index=True, return_inverse=True)
    return np.asarray(rows[np.random.default_rng(seed).permutation(first)[index]], np.int64)
