"""Every THINGSVIZ_ setting of the environment: its default, unit, bounds, and how a fault is said.

A group is read when its values are needed, and afresh each time: a wrong number of GPUs hinders
trainings, not the pages, and a server's supervisor sees what was changed before it started.
pydantic-settings is not used: a reading of these names took it 1,100 µs (here 25), and its import
75 ms of processor time, which every command would pay.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from thingsviz.core.errors import ConfigError

PREFIX = "THINGSVIZ_"
LOOPBACK = "127.0.0.1, ::1"
LogForm = Literal["json", "text"]
Engine = Literal["local", "slurm"]
AccessMode = Literal["local", "open", "header", "oidc"]
Role = Literal["look", "train", "administer"]
Network = IPv4Network | IPv6Network


def variable(name: str) -> str:
    """Return a setting's name in the environment: THINGSVIZ_JOB_HOURS for job_hours."""
    return PREFIX + name.upper()


def setting(default: Any, description: str, *, give: str = "", **rules: Any) -> Any:  # noqa: ANN401
    """Make a setting; `give` ends the sentence that says what is wrong with a value.

    `empty_counts=True`: an empty variable is a value; otherwise it is as if it were not set.
    """
    extra = {"give": give, "empty_counts": rules.pop("empty_counts", False)}
    return Field(default, description=description, json_schema_extra=extra, **rules)


def _digits(text: str) -> str:
    # a number as pydantic reads it may also be ' 3' or '1_0'
    if not re.fullmatch(r"[0-9]{1,10}", text):
        kind = "no_number"
        raise PydanticCustomError(kind, "no whole number")
    return text


def listed(text: str) -> tuple[str, ...]:
    """Split a list with commas; '', -1 and none mean that there is nothing in it."""
    nothing = {"", "-1", "none", "NoDevFiles"}
    return tuple(part for one in text.split(",") if (part := one.strip()) not in nothing)


def networks(text: str) -> tuple[Network, ...]:
    """Read addresses and networks with commas between: 10.0.0.2, fd00::/8."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


Count = Annotated[int, BeforeValidator(_digits)]
Names = Annotated[tuple[str, ...], BeforeValidator(listed)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(networks)]


class SettingGroup(BaseModel):
    """Settings that are read together; immutable."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, alias_generator=variable)

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read the group's variables, or say in one sentence what is wrong with one of them."""
        env = os.environ if environment is None else environment
        given = {
            name: env[name]
            for name, field in variables(cls)
            if name in env and (env[name] or extra_of(field)["empty_counts"])
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise ConfigError(_sentence(cls, error)) from None


def variables(group: type[SettingGroup]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield each setting of a group under its name in the environment."""
    for name, field in group.model_fields.items():
        yield variable(name), field


def extra_of(field: FieldInfo) -> dict[str, Any]:
    """Return what `setting` noted beside a field."""
    extra = field.json_schema_extra
    return dict(extra) if isinstance(extra, dict) else {"give": "", "empty_counts": False}


def _sentence(group: type[SettingGroup], error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    name, value = str(fault["loc"][0]), fault["input"]
    field = dict(variables(group))[name]
    options = options_of(field)
    if options:
        near = difflib.get_close_matches(str(value), options, 1)
        meant = f" (did you mean {near[0]!r}?)" if near else ""
        return f"{name} is {value!r}{meant}: use one of {', '.join(options)}"
    why = f" ({fault['ctx']['error']})" if fault["type"] == "value_error" else ""
    return f"{name} is {value!r}{why}: give {extra_of(field)['give']}"


def options_of(field: FieldInfo) -> tuple[str, ...]:
    """Return the words that a setting may have; () where it is no choice of words."""
    kinds = (field.annotation, *get_args(field.annotation))
    return next((get_args(kind) for kind in kinds if get_origin(kind) is Literal), ())


class FolderSettings(SettingGroup):
    """Where data and results lie."""

    data: Path = setting(Path("data"), "Folder of the datasets, or one dataset itself")
    derivatives: Path | None = setting(
        None, "Folder for prepared subjects where the datasets' own folders are read-only"
    )
    jobs: Path | None = setting(
        None,
        "Folder of jobs, studies and the queue; otherwise `checkpoints`, beside the code in a "
        "clone, else in the current folder",
    )


class TrainingSettings(SettingGroup):
    """What one training takes."""

    threads: Count | None = setting(
        None,
        "Threads of a training; otherwise one for each processor",
        give="the number of threads that a training may use",
        ge=1,
        le=4096,
    )


class ModelSettings(SettingGroup):
    """Which decoders there are beside the built-in ones."""

    own_models: str = setting(
        "",
        "Python files or modules, with commas between, that register decoders of your own "
        "(`tv.register_model`), so that pages and commands know them",
    )


class QueueSettings(SettingGroup):
    """What this machine gives to trainings; read when the supervisor starts."""

    slots: Count = setting(
        1,
        # a training uses all processors: a second one beside it would only make both slow
        "Trainings at a time on this machine",
        give="the number of trainings that may run at a time",
        ge=1,
        le=1000,
    )
    gpus: Names | None = setting(
        None,
        "GPUs that trainings may use, one each, as `0,1`; empty for none; otherwise those that "
        "CUDA_VISIBLE_DEVICES or the driver shows",
        give="numbers of GPUs with commas between",
        empty_counts=True,
    )
    quota: Count | None = setting(
        None,
        "Trainings at a time for one user; otherwise no limit",
        give="the number of trainings that one user may run at a time",
        ge=1,
        le=1000,
    )
    job_memory_mb: Count | None = setting(
        None,
        "Megabytes of memory that one training may take; otherwise no limit",
        give="the number of megabytes that a training may take",
        ge=1,
        le=10**9,
    )
    job_hours: float | None = setting(
        None,
        "Hours that one training may take; otherwise no limit",
        give="the hours that a training may take, as 12",
        gt=0,
        le=24 * 366,
    )


class EngineSettings(SettingGroup):
    """Who runs the trainings."""

    engine: Engine = setting(
        "local", "`local`: this machine; `slurm`: trainings are handed to a cluster"
    )
    slurm: str = setting(
        "",
        "What sbatch needs of every training: `partition=gpu time=12:00:00 gpus=1 mem=32G`, or a "
        "file with such lines; `nodes=2 ntasks-per-node=4 gpus-per-node=4` shares each network's "
        "training",
    )


class StudySettings(SettingGroup):
    """Where studies of several hosts keep their records."""

    study_storage: str = setting(
        "",
        "Database of studies that several hosts share, as `postgresql://user@host/database`; "
        "otherwise a file in each study's folder",
    )


class AccessSettings(SettingGroup):
    """Who may come in and what they may do."""

    access: Annotated[AccessMode, BeforeValidator(lambda word: word.strip() or "local")] = setting(
        "local",
        "`local` (only this machine), `open` (everybody, without a name), `header` (a proxy "
        "names the user), `oidc` (a login by `st.login`)",
    )
    open_role: Annotated[Role, BeforeValidator(lambda word: word.strip() or "train")] = setting(
        "train", "Role of everybody with `open`: `look`, `train` or `administer`"
    )
    user_header: Annotated[str, BeforeValidator(str.strip)] = setting(
        "X-Forwarded-User", "The proxy's header that names the user", empty_counts=True
    )
    trusted_proxies: Networks = setting(
        networks(LOOPBACK),
        "Addresses and networks of the proxies whose header counts, with commas between",
        give="addresses or networks such as 10.0.0.2, fd00::/8",
        empty_counts=True,
    )
    roles: Annotated[str, BeforeValidator(str.strip)] = setting(
        "",
        'A TOML file such as `look = ["*"]`, `train = ["*@lab.example"]`, `administer = '
        '["ada@lab.example"]`; without one, who is known may train and nobody administers',
    )


class LogSettings(SettingGroup):
    """How processes tell of themselves."""

    log: LogForm | None = setting(
        None, "`json` or `text`; otherwise text for a terminal and for a job's log, else JSON"
    )


# pydantic takes fields from the last base first
class Settings(
    LogSettings,
    AccessSettings,
    StudySettings,
    EngineSettings,
    QueueSettings,
    ModelSettings,
    TrainingSettings,
    FolderSettings,
):
    """All settings; each is an environment variable whose name begins with THINGSVIZ_."""


def settings_table() -> str:
    """Return all settings as a Markdown table: variable, default, meaning."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in variables(Settings):
        lines.append(f"| `{name}` | {_default(field.default)} | {field.description} |")
    return "\n".join(lines)


def _default(value: object) -> str:
    if isinstance(value, tuple):
        return f"`{', '.join(str(one).removesuffix('/32').removesuffix('/128') for one in value)}`"
    return "" if value in (None, "") else f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(settings_table() + "\n")
