"""The errors a user can cause: one sentence on what was expected, what came, what to do."""

LONGEST = 1000


class ThingsvizError(Exception):
    """Something a user can mend; its text is shown as it stands, without a traceback.

    It stays one line of a readable length, however much of a damaged file or of an address it
    quotes: the middle of what is longer is left out.
    """

    def __init__(self, words: str = "") -> None:
        super().__init__(one_line(str(words)))


class DataError(ThingsvizError):
    """A source file, dataset or store that is missing, damaged or not as published."""


class ConfigError(ThingsvizError):
    """A setting that cannot work."""


class JobError(ThingsvizError):
    """A job folder that is missing, damaged, busy, or of another dataset."""


class NewerError(ConfigError, JobError):
    """A file that a newer thingsviz wrote; it is left as it is."""


# of a process: what a user can mend, and what Ctrl-C ended
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def one_line(words: str) -> str:
    """Put a text on one line, the middle of a very long one left out."""
    line = " ".join(words.splitlines())
    half = LONGEST // 2 - 2
    return line if len(line) <= LONGEST else f"{line[:half]} … {line[-half:]}"
