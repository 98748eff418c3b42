"""Reference pages that follow the code: settings, and what each module offers."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SETTINGS = re.compile(r"^<!-- settings: (.+?) -->$", re.MULTILINE)
CONFIGS = re.compile(r"^<!-- configs: (.+?) -->$", re.MULTILINE)
CONFIG = re.compile(r"^<!-- config: (.+?) -->$", re.MULTILINE)
MODULES = re.compile(r"^<!-- module: (.+?) -->$", re.MULTILINE)
LOG = logging.getLogger("mkdocs.hooks.reference")


def on_page_markdown(markdown: str, **_: Any) -> str:  # noqa: ANN401
    """Replace the marks of settings, recipes and modules."""
    marks: list[tuple[re.Pattern[str], Callable[..., str]]] = [
        (SETTINGS, lambda place: load(place)()),
        (CONFIGS, configs),
        (CONFIG, lambda place: fields_table(load(place))),
        (MODULES, module_reference),
    ]
    for mark, write in marks:
        markdown = mark.sub(lambda found, write=write: write(*found.groups()), markdown)
    return markdown


def module_reference(line: str) -> str:
    """Return mkdocstrings' directive for the first module of `A, B` that is there.

    Options follow after a bar, with semicolons between: `A, B | members: [Ridge]`.
    """
    names, _, options = line.partition("|")
    for name in (part.strip() for part in names.split(",")):
        if _file_of(name).exists():
            more = [f"        {option.strip()}" for option in options.split(";") if option.strip()]
            return "\n".join([f"::: {name}", *(["    options:", *more] if more else [])])
    LOG.warning("none of the modules %s is there: mend the reference page", names.strip())
    return ""


def load(places: str) -> Any:  # noqa: ANN401
    """Import `module:name`, the first of several whose module is there; None if none is."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    for place in places.split(","):
        module, _, name = place.strip().partition(":")
        if _file_of(module).exists():
            return getattr(import_module(module), name)
    return None


def _file_of(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def configs(places: str) -> str:
    """Return a section for each recipe of a dict of pydantic classes: its words and its table."""
    found = load(places)
    if found is None:
        LOG.warning("%s is not there: mend the reference page", places)
        return ""
    parts = []
    for name, config in found.items():
        words = " ".join((config.__doc__ or "").split("\n\n", maxsplit=1)[0].split())
        parts += [f"### `{name}` settings", "", words, "", fields_table(config), ""]
    return "\n".join(parts)


def fields_table(config: Any) -> str:  # noqa: ANN401
    """Return the settings of a recipe as a table: name, default, range, meaning."""
    lines = ["| setting | default | range | meaning |", "|---|---|---|---|"]
    for name, field in config.model_fields.items():
        if name == "name" and range_of(field):  # one word: says which decoder it is
            continue
        title = f"**{cell(field.title)}** " if field.title else ""
        meaning = title + cell(field.description or "")
        lines.append(f"| `{name}` | {default_of(field)} | {range_of(field)} | {meaning} |")
    return "\n".join(lines)


def range_of(field: Any) -> str:  # noqa: ANN401
    """Return which values a setting takes: its bounds, or its words."""
    bounds = {
        sign: getattr(rule, name)
        for rule in field.metadata
        for name, sign in {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}.items()
        if getattr(rule, name, None) is not None
    }
    if set(bounds) == {"≥", "≤"}:
        return f"{bounds['≥']:,} to {bounds['≤']:,}"
    if bounds:
        return " and ".join(f"{sign}&nbsp;{value:,}" for sign, value in bounds.items())
    options = re.fullmatch(r"typing\.Literal\[(.*)\]", str(field.annotation))
    if options:
        return ", ".join(f"`{one.strip(chr(39))}`" for one in options[1].split(", "))
    return "`true`, `false`" if field.annotation is bool else ""


def default_of(field: Any) -> str:  # noqa: ANN401
    """Return a field's default in words."""
    if field.is_required():
        return "required"
    if field.default_factory is not None:
        return "worked out at the start"
    value = field.default
    if value is None or value in ("", (), [], {}):
        return "none"
    if hasattr(type(value), "model_fields"):
        return "see below"
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, tuple | list | set | frozenset):
        value = ", ".join(map(str, value))
    return f"`{value}`"


def cell(text: str) -> str:
    """Return a text that may stand in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").rstrip(".") + "." if text else ""
