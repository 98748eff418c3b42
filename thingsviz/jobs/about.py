"""What people say of a job: its owner, title, tags and a note, in about.json of its folder."""

from __future__ import annotations

from pydantic import Field, ValidationError, field_validator

from thingsviz.core.errors import JobError, NewerError
from thingsviz.core.files import disk_sentence
from thingsviz.core.json_files import JsonFile
from thingsviz.core.users import os_user
from thingsviz.jobs.recipe import Strict
from thingsviz.jobs.run_folder import RunFolder

MOST_TAGS = 20
LONGEST_TAG = 40
LONGEST_NOTE = 4000


class About(Strict):
    """Nothing here changes a result; an empty title means the folder's name."""

    owner: str = Field(default="", max_length=200)
    title: str = Field(default="", max_length=120)
    tags: tuple[str, ...] = Field(default=(), max_length=MOST_TAGS)
    note: str = Field(default="", max_length=LONGEST_NOTE)

    @field_validator("tags")
    @classmethod
    def _short_and_once(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        kept = tuple(dict.fromkeys(" ".join(tag.split()) for tag in tags))
        if any(len(tag) > LONGEST_TAG for tag in kept):
            msg = f"a tag has more than {LONGEST_TAG} letters: put longer words into the note"
            raise ValueError(msg)
        return tuple(tag for tag in kept if tag)


ABOUT: JsonFile[About] = JsonFile("about", About)


def read_about(job: RunFolder) -> About:
    """Return what is said of a job; nothing where nothing is, or nothing readable."""
    try:
        return _read(job)
    except NewerError:
        return About()


def _read(job: RunFolder) -> About:
    try:
        return ABOUT.read(job.file("about.json")) or About()
    except NewerError:
        raise
    except JobError:
        return About()


def write_about(job: RunFolder, **changes: object) -> About:
    """Change what is said of a job; JobError in one sentence for what is too long.

    What a newer thingsviz says of it is not written over; what is damaged is.
    """
    known = _read(job)
    try:
        about = About.model_validate({**known.model_dump(), **changes})
    except ValidationError as error:
        fault = error.errors()[0]
        where = str(fault["loc"][0]) if fault["loc"] else "about.json"
        words = str(fault["msg"]).removeprefix("Value error, ")
        raise JobError(f"{where} of job {job.name}: {words}") from None
    try:
        ABOUT.write(job.file("about.json"), about)
    except OSError as error:
        sentence = disk_sentence(error, job.path)
        raise JobError(sentence or f"{job.path} cannot be changed: {error}") from None
    return about


def owner_of(job: RunFolder) -> str:
    """Return whose job it is: who is named in the folder, or else whose process asks."""
    return read_about(job).owner or os_user()


def write_brought(job: RunFolder, said: object, owner: str, source: str) -> None:
    """Say of a job from elsewhere whose it is now, and in its note where it came from.

    `said` is what was said of it there: title, tags and note stay, unless they cannot be read.
    """
    try:
        sent = About.model_validate(said or {})
    except ValidationError:
        sent = About()
    whose = f", where it was {sent.owner}'s" if sent.owner else ""
    came = f"Brought in from {source[:200]}{whose}."
    note = f"{came}\n\n{sent.note}".strip()[:LONGEST_NOTE]
    write_about(job, owner=owner or os_user(), title=sent.title, tags=sent.tags, note=note)
