"""Making the maps of one set: a finished job is opened once, and maps are added one by one."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import psutil
import torch

import thingsviz
from models.explain import attention_maps
from thingsviz.core.arrays import Rows
from thingsviz.core.errors import ConfigError, JobError, ThingsvizError
from thingsviz.core.progress import Progress, Report
from thingsviz.explain.compute import MethodMap, check_method, compute, methods_for, sizes_of
from thingsviz.explain.decoder import Decoder, at_epoch
from thingsviz.explain.judgement import judge, without
from thingsviz.explain.map_files import EpochMaps, MapSet
from thingsviz.explain.map_methods import METHODS
from thingsviz.explain.tests_of_maps import judge_permuted, permuted_network, spread
from thingsviz.jobs.weights import kept_epochs

OCCLUSION_S = 90.0


class MapSession:
    """One set of maps and the decoder that they are of, opened for making several of them."""

    def __init__(self, maps: MapSet, decoder: Decoder) -> None:
        self.maps, self.decoder = maps, decoder
        self.rows = decoder.rows_of(maps.part)
        self.target = decoder.target_index(maps.target)
        self.fingerprint = decoder.fingerprint()

    def make(
        self, methods: Sequence[str], report: Report, *, anew: bool = False, judged: bool = False
    ) -> list[str]:
        """Make maps by `methods` (none: all that fit), keep and return their names.

        Those that are there and would be the same again stay, unless `anew`; maps of other
        weights or data go first. `judged`: all are judged at the end, if of several trials.
        """
        names = list(methods) or self._default_methods()
        for name in names:
            check_method(self.decoder, name)
            check_memory(self.decoder, name)
        if self.maps.facts().get("fingerprint") not in (None, self.fingerprint):
            self.maps.forget()
        self.maps.save_tokens(self.decoder.tokens)  # whatever became of the file
        found = {}
        for n, name in enumerate(names):
            kept = None if anew else self._kept(name)
            found[name] = kept or self.add(name, within(report, n, len(names) + 2))
        if judged and len(self.rows) > 1:
            tell = within(report, len(names), len(names) + 2)
            judge(self.maps, self.decoder, found, self.rows, self.target, tell)
        return names

    def add(self, name: str, report: Report) -> MethodMap:
        """Make a map and keep it; where it replaces another one, that one's judgement is dropped.

        Facts are read again before each writing: another run may add to the same set.
        """
        began = time.monotonic()
        found = compute(self.decoder, name, self._rows_for(name), self.target, report)
        rest = {} if self._is_there(found) else without(self.maps.facts(), name)
        if rest:
            self.maps.add_facts(**rest)
        self.maps.save(name, found.values, self.fingerprint)
        made = {
            "n_trials": found.n_trials,
            "seconds": round(time.monotonic() - began, 2),
            "shape": list(found.values.shape),
            "peak_bytes": METHODS[name].peak_bytes(sizes_of(self.decoder)),
            **self._maker(name),
        }
        every = {**self.maps.facts().get("made", {}), name: made}
        self.maps.add_facts(made=every, made_at=time.time(), **self._about())
        return found

    def compare_permuted(self, report: Report) -> list[str]:
        """Train the network on permuted labels; write how alike its maps are to those there."""
        names = self.maps.methods()
        self._check_permuted(names)
        other = permuted_network(self.decoder, report)
        found: dict[str, float] = {}
        for name in names:
            rows = self.decoder.pattern_rows() if METHODS[name].share else self.rows
            found |= judge_permuted(self.decoder, other, [name], rows, self.target)
            message = f"{METHODS[name].title}, permuted labels"
            report(Progress(len(found), len(names), message))
            self.maps.add_facts(permuted=found)
        return names

    def make_epochs(self, methods: Sequence[str], report: Report) -> list[str]:
        """Make maps of all kept epochs; by default of attention, else of gradients."""
        decoder, maps = self.decoder, self.maps
        epochs = _epochs_of(maps)
        names = list(methods) or ["attention" if decoder.n_layers else "gradient_input"]
        for name in names:
            check_method(decoder, name)
        for n, name in enumerate(names):
            rows, several = self._rows_for(name), []
            for k, epoch in enumerate(epochs):
                done = n * len(epochs) + k
                what = f"{METHODS[name].title} after epoch {epoch}"
                report(Progress(done, len(names) * len(epochs), what))
                several.append(compute(at_epoch(decoder, epoch), name, rows, self.target).values)
            maps.save(name, np.stack(several), self.fingerprint)
        maps.save_tokens(decoder.tokens)
        maps.add_facts(epochs=epochs, fingerprint=self.fingerprint, n_layers=decoder.n_layers)
        return names

    def _default_methods(self) -> list[str]:
        """Return all methods that fit; of one trial, only those that are about a trial."""
        several = len(self.rows) > 1
        names = methods_for(self.decoder)
        return [name for name in names if several or not METHODS[name].of_decoder]

    def _rows_for(self, name: str) -> Rows:
        """Return the trials of a map: of a slow method as many as OCCLUSION_S allow."""
        method, decoder = METHODS[name], self.decoder
        if method.share:
            return decoder.pattern_rows()
        if method.groups is None or decoder.weights() is not None:
            return self.rows
        began = time.monotonic()
        with torch.no_grad():
            decoder.outputs(decoder.responses(self.rows[:1]))
        seconds = (time.monotonic() - began) * (1 + int(method.groups(decoder).max()))
        return spread(self.rows, max(1, int(OCCLUSION_S / max(seconds, 1e-6))))

    def _maker(self, name: str) -> dict[str, str]:
        """Return what a map rests on beside weights and data: regions and this version."""
        regions = self.decoder.regions.source if METHODS[name].by_region else ""
        return {"regions": regions, "version": thingsviz.__version__}

    def _kept(self, name: str) -> MethodMap | None:
        """Return a method's map that is there and would be the same again, else nothing."""
        made = self.maps.facts().get("made", {}).get(name, {})
        if not made.items() >= self._maker(name).items():
            return None
        try:
            values = self.maps.load(name, self.fingerprint).astype(float)
        except ThingsvizError:  # damaged, or of other weights or data
            return None
        same = list(values.shape) == made["shape"]
        return MethodMap(name, values, made["n_trials"]) if same else None

    def _is_there(self, found: MethodMap) -> bool:
        try:
            kept = self.maps.load(found.method, self.fingerprint)
        except ThingsvizError:
            return False
        same = kept.shape == found.values.shape
        return same and np.allclose(kept, found.values, rtol=1e-4, atol=1e-8)

    def _about(self) -> dict[str, Any]:
        """Return the facts that all maps of the set share."""
        decoder = self.decoder
        network = decoder.network if decoder.n_layers else None
        return {
            "fingerprint": self.fingerprint,
            "model": decoder.material.config.model.name,
            "methods": methods_for(decoder),
            "outputs": decoder.output_names(),
            "n_layers": decoder.n_layers,
            "n_heads": decoder.n_heads,
            "n_tokens": decoder.tokens.n_tokens,
            "read_out": attention_maps.read_out(network) if network is not None else "",
            "token_note": decoder.tokens.note,
        }

    def _check_permuted(self, methods: Sequence[str]) -> None:
        """Refuse a decoder that is no network, and maps that are none or of other weights."""
        if self.decoder.network is None or not methods:
            msg = "permuted labels are asked of a network whose maps are made: make them first"
            raise ConfigError(msg)
        if self.maps.facts().get("fingerprint") != self.fingerprint:
            msg = (
                f"the maps of {self.maps.part} were made with other weights or data: make them "
                "again before they are compared with permuted labels"
            )
            raise ConfigError(msg)


def _epochs_of(maps: MapSet) -> list[int]:
    """Return the epochs whose weights a training kept; refuse fewer than a film needs."""
    assert isinstance(maps, EpochMaps)
    epochs = kept_epochs(maps.job)
    if len(epochs) < 2:
        msg = (
            f"{maps.job.name!r} kept the weights of {len(epochs)} epochs, but a film needs two "
            "or more: train it again with fit.keep_epochs of 2 to 32"
        )
        raise ConfigError(msg)
    return epochs


def check_memory(decoder: Decoder, name: str) -> None:
    """Refuse a method that needs more memory than the machine has free, before it starts."""
    needed = METHODS[name].peak_bytes(sizes_of(decoder))
    free = psutil.virtual_memory().available
    if needed > 0.8 * free:
        msg = (
            f"the map {name!r} needs about {needed / 2**30:.1f} GB, but {free / 2**30:.1f} GB "
            "are free: choose another method, or close something"
        )
        raise JobError(msg)


def within(report: Report, n: int, of: int) -> Report:
    """Report the n-th of several pieces of work as a share of all."""

    def tell(progress: Progress) -> None:
        share = progress.done / progress.total if progress.total else 0.0
        report(Progress(math.floor(1000 * (n + min(share, 1.0))), 1000 * of, progress.message))

    return tell
