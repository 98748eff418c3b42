"""Where a finished job's decoder looks: one map, and the regions it lies in."""

from __future__ import annotations

import html

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.analysis.maps import spin_null
from thingsviz.analysis.maps.by_region import Amount
from thingsviz.analysis.maps.region_tests import regions_beside_chance
from thingsviz.core.arrays import Array
from thingsviz.core.progress import silent
from thingsviz.explain.map_files import MapSet
from thingsviz.jobs.job_folder import JobFolder

CEILING = "nc_singletrial"


class Map:
    """A map of one decoder by one method; heads and layers are averaged.

    Attributes
    ----------
    job, method, part, target : str
    n_trials : int
        Of how many trials it is the mean; 0: of the decoder itself.
    mass : (n_voxels,) float
        What each brain voxel gets, not negative, sum 1.
    uniform : (n_voxels,) float
        What it would get if all places counted alike.
    """

    def __init__(self, maps: MapSet, method: str) -> None:
        from thingsviz.explain.compute import MethodMap, to_mass
        from thingsviz.explain.decoder import open_decoder
        from thingsviz.explain.map_methods import METHODS
        from thingsviz.explain.map_session import MapSession

        decoder = open_decoder(maps.job)
        session = MapSession(maps, decoder)
        session.make([method], silent)
        values = maps.load(method, session.fingerprint).astype(float)
        self.n_trials = int(maps.facts()["made"][method]["n_trials"])
        self.job, self.method = maps.job.name, method
        self.part, self.target = maps.part, maps.target
        mass = to_mass(decoder, MethodMap(method, values, self.n_trials))
        mean = mass.reshape(-1, mass.shape[-1]).mean(0)
        self.mass: Array = mean / max(float(mean.sum()), 1e-300)
        n_voxels, tokens = len(mean), decoder.tokens
        flat = np.full(n_voxels, 1 / n_voxels)
        if METHODS[method].unit == "token":
            flat = tokens.to_voxels(np.full(tokens.n_tokens, 1 / tokens.n_tokens))
        self.uniform: Array = flat / max(float(flat.sum()), 1e-300)
        self.store, self._regions = decoder.material.store, decoder.regions

    def __repr__(self) -> str:
        trials = f"mean of {self.n_trials:,} trials" if self.n_trials else "of the decoder"
        return f"Map({self.job!r}: {self.method}, {self.target}, {self.part}, {trials})"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(repr(self))}</p>{self.regions().head(10).to_html()}"

    def volume(self) -> NDArray[np.float32]:
        """Return the map as a volume (X, Y, Z), 1 = the mean over the brain; 0 outside."""
        return self.store.brain.unmask((self.mass * len(self.mass)).astype(np.float32))

    def regions(self, top_percent: float = 100.0) -> pd.DataFrame:
        """Return how much of the map lies in each region, and whether that is more than chance.

        Parameters
        ----------
        top_percent : float
            Count the strongest voxels that hold so many % of the map's mass; 100: all of it.

        Returns
        -------
        pandas.DataFrame
            A row a region, the most enriched first: region, n_voxels, share (of the mass),
            uniform (what it would be if all places counted alike), enrichment (share / uniform),
            ceiling (noise ceiling, % of a single trial's variance), no_signal, p (one-sided,
            regions turned over the brain 400 times), q (false discovery rate).
        """
        named, store = self._regions, self.store
        ceiling = store.voxels[CEILING].to_numpy(float) if CEILING in store.voxels else None
        turned = spin_null.turns(store.mask, named.labels)
        amount = Amount() if top_percent >= 100 else Amount("mass", top_percent)
        rows = regions_beside_chance(self.mass, self.uniform, named, amount, turned, ceiling)
        return rows.sort_values("enrichment", ascending=False, ignore_index=True)


def explain(job: JobFolder, method: str, part: str, target: str) -> Map:
    """Make a map of a finished job, or read the one that is there."""
    return Map(MapSet(job, part, target), method)
