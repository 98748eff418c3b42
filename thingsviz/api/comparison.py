"""Whether two trainings differ by more than chance: the paired tests of the Compare page."""

from __future__ import annotations

import pandas as pd

from thingsviz.api.job import Job
from thingsviz.core.errors import JobError
from thingsviz.reports.comparable import naming, read_finished, why_not
from thingsviz.reports.comparison import class_tests, pair_tests


def compare(
    a: Job, b: Job, *, part: str = "test", averaged: bool = False, metric: str = "r"
) -> pd.DataFrame:
    """Test two finished jobs on the same trials.

    Parameters
    ----------
    a, b : Job
        They must answer the same question: the same data, properties and test trials. A job of
        ratings and one of concepts are compared by the concepts they name.
    part : {"test", "exemplars"}
    averaged : bool
        Compare the mean predictions over an image's repeats instead of single trials.
    metric : {"r", "mse_unit"}
        Of ratings (mse_unit: squared errors, scales 0 to 1); classes are compared by their hits.

    Returns
    -------
    pandas.DataFrame
        A row a property (or a top-k): a, b, difference (a − b) with low and high (95 % interval
        over concepts), p (concepts' predictions swapped at random) and p_holm (corrected over
        the rows).

    Raises
    ------
    JobError
        One is not done, or they cannot be compared; the sentence says why.

    Examples
    --------
    >>> split = sub.split(seed=0)
    >>> a, b = (tv.train(n, sub, split, targets=["heavy"]) for n in ("ridge", "concept_decoder"))
    >>> tv.compare(a, b)["target"].tolist()
    ['mean', 'heavy']
    """
    both = [read_finished(job.folder) for job in (a, b)]
    reason = why_not(*both)
    if reason:
        raise JobError(reason)
    if naming(both) or not both[0].of_ratings:
        return pd.DataFrame(class_tests(both, part, averaged))
    rows = pair_tests(both, part, averaged, metric)
    if not rows:
        msg = (
            f"{a.name!r} and {b.name!r} have no {metric!r} of {part} trials in common: a decoder "
            "that predicts the same for all has no r, so take metric='mse_unit'"
        )
        raise JobError(msg)
    return pd.DataFrame(rows)
