"""How settings are declared and how their faults are said: immutable, bounded, in one sentence."""

from __future__ import annotations

import difflib
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

LONGEST = 100  # letters of a wrong value that a sentence repeats


def setting(default: Any, title: str, description: str, **rules: Any) -> Any:  # noqa: ANN401
    """Make a field; `more=True` marks it as one that a form may fold away.

    `options`: words to choose from, where a registry and not the type knows them.
    """
    extra = {"more": rules.pop("more", False), "options": rules.pop("options", [])}
    return Field(default, title=title, description=description, json_schema_extra=extra, **rules)


class Settings(BaseModel):
    """Settings are immutable, and unknown names are refused instead of ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ModelSettings(Settings):
    """Settings of a family of decoders; `name` is the family's, one literal a class."""

    if TYPE_CHECKING:  # each family declares its own where its form wants it
        name: str

    @property
    def needs_score(self) -> bool:
        """Whether building the network needs voxel scores of the fitting trials."""
        return False

    @classmethod
    def patch_sides(cls, name: str, shape: tuple[int, int, int]) -> tuple[int, int, int] | None:
        """Return the sides that the patch of setting `name` divides; None: it is no patch."""
        return None

    @classmethod
    def usual_patches(cls) -> tuple[tuple[int, int, int], ...]:
        """Return patch sizes that a form suggests."""
        return ()


def sentence(
    error: ValidationError, where: str, known: Iterable[str] = (), tags: Container[str] = ()
) -> str:
    """Say the first fault of a failed validation in one sentence.

    `known`: names to suggest for an unknown one; `tags`: parts of a place that only name the
    member of a union ("model.vit3d.embed_dim" reads better without "vit3d").
    """
    first = error.errors(include_url=False)[0]
    kind, got = first["type"], first["input"]
    place = ".".join([where, *(str(part) for part in first["loc"] if part not in tags)])
    words = first["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return f"{place} is not a setting{did_you_mean(str(first['loc'][-1]), known)}: remove it"
    if kind == "missing":
        return f"{place} is missing: add it"
    if kind == "value_error":
        # a field that says itself what it is, as `model` does; a class speaks for all its fields
        return f"{place if isinstance(got, str | int | float | None) else where}: {words}"
    shown = repr(got)
    shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
    return f"{place}: {words[0].lower() + words[1:]}, but it is {shown}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Name the nearest known name, or say nothing."""
    near = difflib.get_close_matches(name, sorted(known), 1)
    return f" (did you mean {near[0]!r}?)" if near else ""
