"""A finished job as a function: its predictions, and maps of where it looks."""

from thingsviz.inference.predictor import Predictor, load_predictor

__all__ = ["Predictor", "load_predictor"]
