"""Which finished jobs may be compared: the same question, asked on the same test trials."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from thingsviz.analysis.classes.naming import FEWEST_RATINGS
from thingsviz.core.errors import JobError
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import JobConfig

KEYS = ["part", "n_averaged", "row"]


class FinishedJob(NamedTuple):
    """A finished job with all that a comparison reads of it."""

    name: str
    config: JobConfig
    scores: pd.DataFrame
    predictions: pd.DataFrame
    fingerprint: str

    @property
    def model(self) -> str:
        """The name of its decoder."""
        return self.config.model.name

    @property
    def learns(self) -> str:
        """What it learns: ratings, or classes of some kind."""
        return self.config.learns

    @property
    def of_ratings(self) -> bool:
        """Whether it learns ratings."""
        return self.config.learned.kind == "ratings"

    @property
    def n_choices(self) -> int:
        """Among how many classes or concepts it names one; 0 where it names none."""
        scores = self.scores
        chance = scores[scores["model"].eq("chance") & scores["metric"].eq("top1")]["value"]
        return round(1 / float(chance.iloc[0])) if len(chance) and chance.iloc[0] > 0 else 0

    @property
    def names_concepts(self) -> bool:
        """Whether it says of a trial on which place the true concept came."""
        known = self.learns in {"ratings", "concepts"} and "rank" in self.predictions
        return known and self.n_choices > 0

    @property
    def tested(self) -> str:
        """One name for its test trials, in any order."""
        judged = self.predictions[self.predictions["part"] != "validation"]
        rows = sorted(judged[KEYS].itertuples(index=False, name=None))
        return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]


class ComparableQuestion(NamedTuple):
    """What two jobs must have in common; each field with the words for where they differ."""

    learns: str
    fingerprint: str
    targets: tuple[str, ...]
    split_kind: str
    tested: str
    n_choices: int = 0


def question_of(job: FinishedJob, *, naming: bool = False) -> ComparableQuestion:
    """Return the question that a job answers; when `naming`, which concept was seen."""
    kind = job.config.split.kind
    if naming and job.names_concepts:
        return ComparableQuestion("concepts", job.fingerprint, (), kind, job.tested, job.n_choices)
    targets = tuple(sorted(job.config.targets)) if job.of_ratings else ()
    return ComparableQuestion(job.learns, job.fingerprint, targets, kind, job.tested)


def naming(jobs: Sequence[FinishedJob]) -> bool:
    """Whether jobs can be compared only by the concepts they name: not all learned the same."""
    return len({job.learns for job in jobs}) > 1


def read_finished(job: JobFolder) -> FinishedJob:
    """Read a job that has predictions and scores, or say in one sentence what it lacks."""
    if not job.file("config.json").is_file():
        msg = f"the job {job.name!r} is not there any more: it was deleted; compare the others"
        raise JobError(msg)
    config, scores, predictions = job.config(), job.scores(), job.predictions()
    if scores is None or predictions is None:
        msg = (
            f"{job.name!r} cannot be compared before it has predicted its test: it is "
            f"{job.status().state}"
        )
        raise JobError(msg)
    fingerprint = str(job.manifest().get("dataset_fingerprint", ""))
    return FinishedJob(job.name, config, scores, predictions, fingerprint)


def why_not(first: FinishedJob, other: FinishedJob) -> str | None:
    """Say in one sentence why two jobs cannot be compared; None where they can.

    A job of ratings and one of concepts are compared by the concepts that both name.
    """
    mixed = naming([first, other])
    one, two = (question_of(job, naming=mixed) for job in (first, other))
    differing = next(
        (f for f in ComparableQuestion._fields if getattr(one, f) != getattr(two, f)), None
    )
    if differing is None:
        return None
    words = _difference(differing, first, other)
    return f"{other.name!r} cannot be compared with {first.name!r}: {words}"


def _difference(field: str, first: FinishedJob, other: FinishedJob) -> str:
    if field == "learns":
        return _other_learned(first, other)
    if field == "n_choices":
        return f"it names one of {other.n_choices:,} concepts, the other of {first.n_choices:,}"
    if field == "fingerprint":
        return _other_data(first, other)
    if field == "targets":
        return f"it predicts other properties ({_only(other, first)})"
    if field == "split_kind":
        ours, theirs = (f.config.split.kind.replace("_", " ") for f in (other, first))
        return f"its trials were split by {ours}, the other's by {theirs}"
    return (
        "it was tested on other trials (the same kind of split, drawn by another seed or shares)"
    )


def _other_data(first: FinishedJob, other: FinishedJob) -> str:
    here, there = ((f.config.dataset, f.config.subject) for f in (other, first))
    if here == there:
        return (
            f"its data had the same name and other contents ({other.fingerprint[:8]}, the "
            f"other's {first.fingerprint[:8]}): train it again"
        )
    return (
        f"it was trained on other data ({other.config.dataset}, {other.config.subject}; the "
        f"other on {first.config.dataset}, {first.config.subject})"
    )


def _other_learned(first: FinishedJob, other: FinishedJob) -> str:
    ours, theirs = (job.config.learned.plural for job in (other, first))
    words = f"it learned {ours}, the other {theirs}"
    if {first.learns, other.learns} != {"ratings", "concepts"}:
        return words
    mute = first if first.of_ratings else other
    if len(mute.config.targets) < FEWEST_RATINGS:
        return f"{words}, and one property alone names no concept"
    return f"{words}; train {mute.name!r} again, and the concepts it names can be compared"


def _only(job: FinishedJob, other: FinishedJob) -> str:
    ours, theirs = set(job.config.targets), set(other.config.targets)
    more, fewer = sorted(ours - theirs), sorted(theirs - ours)
    words = [f"also {', '.join(more)}"] if more else []
    words += [f"not {', '.join(fewer)}"] if fewer else []
    return " and ".join(words)


class ComparableGroup(NamedTuple):
    """The jobs that can be compared with the first of those wanted, and why others cannot."""

    jobs: tuple[FinishedJob, ...]
    refused: tuple[str, ...]


def comparable(wanted: Sequence[FinishedJob]) -> ComparableGroup:
    """Keep the jobs that answer the question of the first."""
    if not wanted:
        return ComparableGroup((), ())
    first = wanted[0]
    reasons = {job.name: why_not(first, job) for job in wanted[1:]}
    kept = (first, *(job for job in wanted[1:] if reasons[job.name] is None))
    if naming(kept):
        reasons |= {job.name: _mute(job) for job in kept if not job.names_concepts}
        kept = tuple(job for job in kept if job.names_concepts)
    return ComparableGroup(kept, tuple(reason for reason in reasons.values() if reason))


def _mute(job: FinishedJob) -> str:
    return f"{job.name!r} cannot be compared with a classifier: it names no concepts"


def aligned(jobs: Sequence[FinishedJob], part: str, averaged: bool) -> list[pd.DataFrame]:
    """Return the jobs' predictions of one part, in one order of trials.

    Raises JobError where the predictions of a job are of other trials.
    """
    frames = []
    for job in jobs:
        rows = job.predictions
        counts = rows["n_averaged"] > 1 if averaged else rows["n_averaged"] == 1
        chosen = rows[(rows["part"] == part) & counts]
        frames.append(chosen.sort_values(KEYS).reset_index(drop=True))
    for job, frame in zip(jobs[1:], frames[1:], strict=True):
        if not frame[KEYS].equals(frames[0][KEYS].astype(frame[KEYS].dtypes)):
            msg = (
                f"the predictions of {job.name!r} are of other trials than those of "
                f"{jobs[0].name!r}: start it again, or leave it out"
            )
            raise JobError(msg)
    return frames
