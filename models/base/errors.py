"""The error that a setting or an input of a model can cause: one sentence, shown as it stands."""

LONGEST = 1000


class ModelError(ValueError):
    """What was expected, what came and what to do, in one sentence on one line."""

    def __init__(self, words: str = "") -> None:
        line = " ".join(str(words).splitlines())
        half = LONGEST // 2 - 2
        super().__init__(line if len(line) <= LONGEST else f"{line[:half]} … {line[-half:]}")
