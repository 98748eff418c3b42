"""The editor of a search space: a row a setting, its kind, and its values written as one reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import streamlit as st
from pydantic.fields import FieldInfo

from thingsviz.core.errors import ConfigError
from thingsviz.core.json_files import loads_json
from thingsviz.jobs.recipe import JobConfig
from thingsviz.jobs.setting_titles import title_of
from thingsviz.studies.space import (
    ChoiceRange,
    IntegerRange,
    NumberRange,
    Range,
    bounds_of,
    fields_that_vary,
    kind_of,
    shown,
)
from thingsviz.ui.shell import ui_state
from thingsviz.ui.shell.ui_state import Key
from thingsviz.ui.training.form_fields import SIZES, form_key

CHOICE, WHOLE, WHOLE_LOG = "one of", "whole number", "whole number, log scale"
NUMBER, NUMBER_LOG = "number", "number, log scale"
KINDS = {
    "choice": (CHOICE,),
    "int": (WHOLE, WHOLE_LOG, CHOICE),
    "float": (NUMBER, NUMBER_LOG, CHOICE),
}
RANGE = re.compile(r"\s*(\S+?)\s*(?:to|…|–|\.\.)\s*(\S+?)\s*")
EMPTY = "empty"
HELP_VALUES = (
    "One of: `256, 512, 768`. A range: `3 to 8`, `1e-5 to 1e-3`. `empty` stands for none."
)


class SpaceRow(NamedTuple):
    """What stands in one row of the editor."""

    name: str
    kind: str
    text: str


def line_of(name: str, values: Range) -> SpaceRow:
    """Write a range as a row of the editor."""
    if isinstance(values, ChoiceRange):
        return SpaceRow(name, CHOICE, ", ".join(_word(option) for option in values.options))
    kinds = (WHOLE, WHOLE_LOG) if isinstance(values, IntegerRange) else (NUMBER, NUMBER_LOG)
    return SpaceRow(name, kinds[values.log], f"{values.low:g} to {values.high:g}")


def _word(option: Any) -> str:  # noqa: ANN401
    if option is None:
        return EMPTY
    return str(shown(option)) if not isinstance(option, bool) else json.dumps(option)


def range_of(line: SpaceRow) -> dict[str, Any]:
    """Read a row of the editor; the recipe checks it against the setting's own bounds."""
    if line.kind == CHOICE:
        words = [word.strip() for word in line.text.split(",") if word.strip()]
        if not words:
            msg = f"{title_of(line.name)}: list the values to try, such as '256, 512, 768'"
            raise ConfigError(msg)
        return {"kind": "choice", "options": [_value(word) for word in words]}
    found = RANGE.fullmatch(line.text)
    whole = line.kind in {WHOLE, WHOLE_LOG}
    try:
        ends = [float(found[1]), float(found[2])] if found else []
    except ValueError:
        ends = []
    if not ends or (whole and any(end != round(end) for end in ends)):
        example = "3 to 8" if whole else "1e-5 to 1e-3"
        msg = f"{title_of(line.name)}: {line.text!r} is not a range: write it as {example!r}"
        raise ConfigError(msg)
    low, high = (round(end) if whole else end for end in ends)
    is_log = line.kind in {WHOLE_LOG, NUMBER_LOG}
    return {"kind": "int" if whole else "float", "low": low, "high": high, "log": is_log}


def _value(word: str) -> Any:  # noqa: ANN401
    sizes = SIZES.fullmatch(word)
    if sizes:
        return [int(size) for size in sizes.groups()]
    if word == EMPTY:
        return None
    try:
        return loads_json(word)
    except ValueError:
        return word


def start_line(name: str, info: FieldInfo) -> SpaceRow:
    """Return a first guess for a setting that is added: around its usual value."""
    kind = kind_of(info)
    default = info.default
    if kind == "choice":
        options = _options(info) or [default]
        return SpaceRow(name, CHOICE, ", ".join(_word(option) for option in options))
    low, high = bounds_of(info)
    middle = default if isinstance(default, int | float) else (low or 1)
    lowest = max(middle / 2, low or 0) if middle else (low or 0)
    highest = min(middle * 2 or 1, high if high is not None else float("inf"))
    range_type = IntegerRange if kind == "int" else NumberRange
    ends = (round(lowest), max(round(highest), 1)) if kind == "int" else (lowest, highest)
    return line_of(name, range_type(low=min(ends), high=max(ends)))  # type: ignore[arg-type]


def _options(info: FieldInfo) -> list[Any]:
    if info.annotation is bool:
        return [True, False]
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    found: list[Any] = [*getattr(info.annotation, "__args__", ()), *(extra.get("options") or ())]  # type: ignore[misc]
    return found if all(isinstance(option, str) for option in found) else []


def fill_space(space: Mapping[str, Range]) -> None:
    """Enter a space into the editor."""
    ui_state.put(Key.TUNE_ROWS, list(range(len(space))))
    for row, (name, values) in enumerate(space.items()):
        _enter(row, line_of(name, values))


def _enter(row: int, line: SpaceRow) -> None:
    for part, value in zip(("name", "kind", "text"), line, strict=True):
        st.session_state[_key(row, part)] = value


def _key(row: int, part: str) -> str:
    return form_key("tune", "row", str(row), part)


def space_editor(base: JobConfig) -> dict[str, Any]:
    """Show the rows and return the space that stands in them, or raise one sentence."""
    known = fields_that_vary(base.model.name)
    rows = [r for r in ui_state.get(Key.TUNE_ROWS, []) if st.session_state.get(_key(r, "name"))]
    rows = [r for r in rows if st.session_state[_key(r, "name")] in known]
    lines = [_row(row, known) for row in rows]
    taken = {line.name for line in lines}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        left = [name for name in known if name not in taken]
        new = st.selectbox(
            "Another setting", left, format_func=_titles(known).__getitem__,
            key=form_key("tune", "another"), width=340,
        )  # fmt: skip
        st.button(
            "Add it",
            icon=":material/add:",
            on_click=_add,
            args=(str(new), base.model.name),
            disabled=new is None,
            key="w_tune_add_setting",
        )
    return {line.name: range_of(line) for line in lines}


def _titles(known: Mapping[str, FieldInfo]) -> dict[str, str]:
    return {name: info.title or name for name, info in known.items()}


def _row(row: int, known: Mapping[str, FieldInfo]) -> SpaceRow:
    name = str(st.session_state[_key(row, "name")])
    info = known[name]
    kinds = KINDS[kind_of(info)]
    if st.session_state.get(_key(row, "kind")) not in kinds:
        st.session_state[_key(row, "kind")] = kinds[0]
    title = info.title or name
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        with st.container(width=190):
            st.markdown(f"**{title}**", help=f"{info.description} In a recipe: `{name}`.")
        kind = st.selectbox(
            f"{title}: kind",
            kinds,
            key=_key(row, "kind"),
            label_visibility="collapsed",
            persist_state="session",
            width=170,
        )
        text = st.text_input(
            f"{title}: values",
            key=_key(row, "text"),
            label_visibility="collapsed",
            placeholder="256, 512, 768" if kind == CHOICE else "3 to 8",
            help=HELP_VALUES,
            persist_state="session",
            width=170,
        )
        st.button(
            "Remove",
            icon=":material/close:",
            type="tertiary",
            on_click=_remove,
            args=(row,),
            key=f"w_tune_remove_{row}",
            help=f"Keep {title} as the base has it.",
        )
    return SpaceRow(name, str(kind), str(text or ""))


def _add(name: str, model: str) -> None:
    rows = list(ui_state.get(Key.TUNE_ROWS, []))
    row = max(rows, default=-1) + 1
    _enter(row, start_line(name, fields_that_vary(model)[name]))
    ui_state.put(Key.TUNE_ROWS, [*rows, row])


def _remove(row: int) -> None:
    ui_state.put(Key.TUNE_ROWS, [r for r in ui_state.get(Key.TUNE_ROWS, []) if r != row])
