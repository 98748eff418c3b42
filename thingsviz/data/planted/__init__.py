"""Planted data: a SIMULATED THINGS-fMRI subject with known truth, in the published layout."""

from thingsviz.data.planted.planting import Order, plant
from thingsviz.data.planted.publish import is_planted
from thingsviz.data.planted.subject import Sources

__all__ = ["Order", "Sources", "is_planted", "plant"]
