"""The errors a user can cause: one sentence on what was expected, what came, what to do."""


class ThingsvizError(Exception):
    """Something a user can mend; its text is shown as it stands, without a traceback."""


class DataError(ThingsvizError):
    """A source file, dataset or store that is missing, damaged or not as published."""


class ConfigError(ThingsvizError):
    """A setting that cannot work."""


class JobError(ThingsvizError):
    """A job folder that is missing, damaged, busy, or of another dataset."""


EXIT_BAD_INPUT = 2
