"""Who may come in and what they may do: the settings of access, read from the environment."""

from __future__ import annotations

import fnmatch
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import get_args

from models.base.settings import did_you_mean
from thingsviz.core.errors import ConfigError
from thingsviz.core.settings import (
    LOOPBACK,
    AccessMode,
    AccessSettings,
    Network,
    Role,
    networks,
)

ROLES: tuple[Role, ...] = get_args(Role)
# uvicorn's own list of neighbours whose X-Forwarded-For it believes
SERVER = "FORWARDED_ALLOW_IPS"
THIS_MACHINE = networks("127.0.0.0/8, ::1")


@dataclass(frozen=True)
class Policy:
    """How visitors are known, and which role each of them has.

    `rules`: for each role, patterns of names such as "*@lab.example"; the highest role wins.
    """

    mode: AccessMode = "local"
    open_role: Role = "train"
    user_header: str = "x-forwarded-user"
    proxies: tuple[Network, ...] = ()
    rules: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)

    def role_of(self, name: str) -> Role | None:
        """Return the highest role that the rules give a name; None lets them see nothing."""
        known = name.casefold()
        for role in reversed(ROLES):
            if any(fnmatch.fnmatchcase(known, p.casefold()) for p in self.rules.get(role, ())):
                return role
        return None

    def is_proxy(self, host: str, port: int) -> bool:
        """Whether a request's nearest neighbour is a proxy whose word is taken.

        uvicorn puts the address of X-Forwarded-For in place of a neighbour that it trusts
        itself, and port 0, which no real connection has: such a one is a proxy as well
        (`read_policy` sees to it that uvicorn trusts nobody whom we do not).
        """
        return port == 0 or within(host, self.proxies)


def allows(role: Role, needed: Role) -> bool:
    """Whether a role includes another: who may administer may train, who trains may look."""
    return ROLES.index(role) >= ROLES.index(needed)


def within(host: str, known: tuple[Network, ...]) -> bool:
    """Whether an address lies in one of the networks; what is no address lies in none."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in known)


def is_loopback(host: str) -> bool:
    """Whether an address is this machine itself."""
    return within(host, THIS_MACHINE)


def read_policy(environment: Mapping[str, str] | None = None) -> Policy:
    """Read THINGSVIZ_ACCESS and its companions, or say in one sentence what is wrong."""
    env = os.environ if environment is None else environment
    told = AccessSettings.read(env)
    if told.access == "header":
        _check_server(env.get(SERVER, LOOPBACK), told.trusted_proxies)
    header, rules = told.user_header.casefold(), _rules(told.roles)
    return Policy(told.access, told.open_role, header, told.trusted_proxies, rules)


def _check_server(neighbours: str, proxies: tuple[Network, ...]) -> None:
    """Refuse a server that takes the word of neighbours whom the policy does not trust."""
    try:
        trusted = networks(neighbours)
    except ValueError as error:
        msg = f"{SERVER} is {neighbours!r} ({error}): give addresses or networks"
        raise ConfigError(msg) from None
    for network in trusted:
        # of two networks, subnet_of needs the same version
        if not any(n.version == network.version and network.subnet_of(n) for n in proxies):  # type: ignore[arg-type]
            msg = (
                f"the web server trusts {network} as a proxy ({SERVER}), but "
                f"THINGSVIZ_TRUSTED_PROXIES does not: set both to the same addresses"
            )
            raise ConfigError(msg)


def _rules(given: str) -> dict[Role, tuple[str, ...]]:
    """Read the file of roles; without one everybody who is known may train, nobody administers."""
    if not given.strip():
        return {"train": ("*",)}
    path = Path(given)
    try:
        path = path.expanduser()
        raw = path.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        msg = f"THINGSVIZ_ROLES names {path}, which cannot be read ({why}): mend the path"
        raise ConfigError(msg) from None
    try:
        data = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f'{path} is not TOML ({error}): write lines such as train = ["*@lab.example"]'
        raise ConfigError(msg) from None
    return {role: _names(path, role, data.pop(role, [])) for role in ROLES} | _no_more(path, data)


def _names(path: Path, role: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        msg = (
            f'{path}: {role} must be a list of names such as ["*@lab.example"], '
            f"but it is {value!r}"
        )
        raise ConfigError(msg)
    return tuple(value)


def _no_more(path: Path, rest: dict[str, object]) -> dict[Role, tuple[str, ...]]:
    if rest:
        first = next(iter(rest))
        msg = (
            f"{path}: {first!r} is not a role{did_you_mean(first, ROLES)}: use {', '.join(ROLES)}"
        )
        raise ConfigError(msg)
    return {}
