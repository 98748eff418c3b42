"""The error that a setting or an input of a model can cause: one sentence, what was expected, what came, what to do."""


class ModelError(ValueError):
    """A model setting or input that cannot work; its text is shown as it stands."""
