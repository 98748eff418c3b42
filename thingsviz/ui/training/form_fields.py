"""How a setting becomes a widget that explains itself, and where a form keeps its values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from models.base.settings import Settings
from thingsviz.core.errors import ConfigError

Kind = Literal["choice", "switch", "integer", "number", "sizes"]
SIZES = re.compile(r"\s*(\d+)\s*[×x,; ]\s*(\d+)\s*[×x,; ]\s*(\d+)\s*")


class Field(NamedTuple):
    """What a form needs to know about one setting."""

    name: str
    title: str
    help: str
    kind: Kind
    options: tuple[str, ...]
    low: float | None
    high: float | None
    default: Any
    optional: bool
    more: bool


def form_key(*parts: str) -> str:
    """Return the session-state key of a widget of the form."""
    return ".".join(("w_form", *parts))


def fields_of(config: type[Settings]) -> list[Field]:
    """Describe the settings of a model or of its training, in the order of the class."""
    known = config.model_fields.items()
    return [_described(name, info) for name, info in known if name != "name"]


def _described(name: str, info: FieldInfo) -> Field:
    optional = type(None) in get_args(info.annotation)
    kinds = [t for t in get_args(info.annotation) if t is not type(None)]
    annotation = kinds[0] if optional else info.annotation
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    rules = {k: v for rule in info.metadata for k, v in vars_of(rule).items()}
    options = extra.get("options")
    words = options if isinstance(options, list) and options else get_args(annotation)
    kind: Kind = "choice" if options else _kind(annotation)
    return Field(
        name=name,
        title=info.title or name,
        help=info.description or "",
        kind=kind,
        options=tuple(map(str, words)) if kind == "choice" else (),
        low=rules.get("ge"),
        high=rules.get("le"),
        default=sizes_text(info.default) if kind == "sizes" else info.default,
        optional=optional,
        more=bool(extra.get("more")),
    )


def vars_of(rule: object) -> dict[str, float]:
    """Return the bounds that a pydantic rule holds: {"ge": 1} and the like."""
    return {name: getattr(rule, name) for name in ("ge", "le") if hasattr(rule, name)}


def _kind(annotation: Any) -> Kind:  # noqa: ANN401
    if get_origin(annotation) is Literal:
        return "choice"
    if get_origin(annotation) is tuple:
        return "sizes"
    return {bool: "switch", int: "integer"}.get(annotation, "number")  # type: ignore[return-value]


def sizes_text(sizes: Sequence[int]) -> str:
    """Write (6, 7, 5) as `6 × 7 × 5`."""
    return " × ".join(map(str, sizes))


def sizes_of(text: object, title: str) -> tuple[int, int, int]:
    """Read `6 × 7 × 5`, `6,7,5` or `6 7 5`."""
    found = SIZES.fullmatch(str(text))
    if not found:
        msg = f"{title} {str(text)!r} should be three whole numbers, such as '6 × 7 × 5'"
        raise ConfigError(msg)
    return int(found[1]), int(found[2]), int(found[3])


def prime(key: str, value: Any) -> str:  # noqa: ANN401
    """Give a widget its first value, once; return its key."""
    if key not in st.session_state:
        st.session_state[key] = value
    return key


def fill(group: str, values: Mapping[str, Any]) -> None:
    """Enter settings into the form: a preset, or the recipe of an earlier job."""
    for name, value in values.items():
        shown = sizes_text(value) if isinstance(value, list | tuple) else value
        st.session_state[form_key(group, name)] = shown


def widget(field: Field, group: str, suggestions: Sequence[str] = ()) -> Any:  # noqa: ANN401
    """Show one setting and return what stands in it, as the config wants it."""
    key = prime(form_key(group, field.name), field.default)
    if field.options and st.session_state[key] not in field.options:
        st.session_state[key] = field.default  # an option that is no longer offered
    common: dict[str, Any] = {"key": key, "help": field.help, "persist_state": "session"}
    if field.kind == "choice":
        return _choice(field, common)
    if field.kind == "switch":
        return st.checkbox(field.title, **common)
    if field.kind == "sizes":
        return sizes_of(_sizes(field, suggestions, common), field.title)
    return _number(field, common)


def _choice(field: Field, common: dict[str, Any]) -> str:
    if len(field.options) > 3:
        return str(st.selectbox(field.title, field.options, **common))
    return str(
        st.segmented_control(
            field.title, field.options, required=True, selection_mode="single", **common
        )
    )


def _sizes(field: Field, suggestions: Sequence[str], common: dict[str, Any]) -> object:
    own = str(st.session_state[common["key"]])
    options = [*suggestions, *([own] if own not in suggestions else [])]
    return st.selectbox(field.title, options, accept_new_options=True, **common)


def _number(field: Field, common: dict[str, Any]) -> float | int | None:
    whole = field.kind == "integer"
    cast = int if whole else float
    bounds: dict[str, Any] = {
        "min_value": None if field.low is None else cast(field.low),
        "max_value": None if field.high is None else cast(field.high),
        "step": 1 if whole else _step(field.default),
        "format": "%d" if whole else "%.4g",
    }
    if field.optional:
        # only then can the widget be emptied
        bounds |= {"value": None, "placeholder": "empty"}
    found: float | int | None = st.number_input(field.title, **bounds, **common)
    return found


def _step(default: float | None) -> float:
    """Return the step of the + and − buttons: about a tenth of the usual value."""
    return float(f"{abs(default) / 10:.0e}") if default else 0.01
