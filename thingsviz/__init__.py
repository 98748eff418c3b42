"""thingsviz: explore and decode THINGS-fMRI, with honest scores."""

__version__ = "0.1.0"
