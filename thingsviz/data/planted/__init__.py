"""Planted data: a SIMULATED THINGS-fMRI subject with known truth, in the published layout."""

from thingsviz.data.planted.planting import SimulationOrder, plant
from thingsviz.data.planted.publish import is_planted
from thingsviz.data.planted.subject import Sources

__all__ = ["SimulationOrder", "Sources", "is_planted", "plant"]
