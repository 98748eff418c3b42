"""The error that a setting or an input of a model can cause: one sentence, shown as it stands."""


class ModelError(ValueError):
    """What was expected, what came and what to do, in one sentence."""
