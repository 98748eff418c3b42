"""A finished job as a function, as its own predictions and maps ask it."""

from thingsviz.pipeline.load_model import load_predict
from thingsviz.pipeline.tasks.registry import open_task


def load_predictor(job, store=None):
    """Return rows → (len(rows), n_outputs) of a finished job, and its task."""
    task = open_task(job, store)
    return load_predict(job, task, task.responses), task
