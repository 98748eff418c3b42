"""The visitor in front of a page: their name, their role, and what they may do with a job."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

import streamlit as st

from thingsviz.core.errors import ThingsvizError
from thingsviz.core.settings import Role
from thingsviz.ui.access import middleware
from thingsviz.ui.access.policy import Policy, allows, read_policy

WORDS: dict[Role, str] = {
    "look": "look at data and results",
    "train": "start trainings and change their own",
    "administer": "change everybody's jobs and see the server's state",
}


class AccessError(ThingsvizError):
    """A visitor asked for something that their role does not include."""


class Visitor(NamedTuple):
    """Who is in front of the page. `role` None: known perhaps, but let see nothing."""

    name: str
    role: Role | None
    address: str

    def may(self, needed: Role) -> bool:
        """Whether the visitor's role includes another."""
        return self.role is not None and allows(self.role, needed)

    def may_change(self, owner: str) -> bool:
        """Whether the visitor may stop, rename or delete a job of somebody's."""
        return self.may("administer") or (self.may("train") and owner == self.name)


def visitor(policy: Policy | None = None) -> Visitor:
    """Return who is in front of the page; the middleware has settled it before a page runs."""
    policy = policy or read_policy()
    elsewhere = st.context.ip_address  # None on this machine itself
    address = _header(middleware.ADDRESS) or (elsewhere if isinstance(elsewhere, str) else "")
    name = _header(middleware.USER)
    if policy.mode == "local":
        # without the doors (a page run on its own) Streamlit knows whether this is the machine
        known = name == middleware.LOCAL or not isinstance(elsewhere, str)
        return Visitor(middleware.LOCAL, "administer" if known else None, address)
    if policy.mode == "open":
        return Visitor(middleware.ANONYMOUS, policy.open_role, address)
    if policy.mode == "oidc":
        name = _logged_in()
    return Visitor(name, policy.role_of(name) if name else None, address)


def _header(name: str) -> str:
    return unquote(str(st.context.headers.get(name) or ""))


def _logged_in() -> str:
    """Return the name that the identity provider vouches for, '' before the login."""
    if not getattr(st.user, "is_logged_in", False):
        return ""
    if st.user.get("email_verified") is False:
        return ""
    return str(st.user.get("email") or st.user.get("sub") or "")


def enter() -> Visitor:
    """First thing on every page: go on as a visitor who may look, or end the page."""
    policy = read_policy()
    known = visitor(policy)
    if known.role is not None:
        return known
    if policy.mode == "oidc" and not getattr(st.user, "is_logged_in", False):
        st.title("thingsviz", anchor=False)
        st.caption("This server is open to people of the lab.")
        st.button("Log in", type="primary", icon=":material/login:", on_click=st.login)
    else:
        who = known.name or "this visitor"
        st.error(
            f"{who} has no role here: ask the administrator of this server.",
            icon=":material/block:",
        )
        if policy.mode == "oidc":
            st.button("Log out", icon=":material/logout:", on_click=st.logout)
    st.stop()


def need(role: Role) -> Visitor:
    """Return the visitor if their role includes another, or say in one sentence what it does."""
    known = visitor()
    if known.may(role):
        return known
    has = WORDS[known.role] if known.role else "see nothing"
    msg = f"{known.name or 'you'} may {has}: ask the administrator for the role {role!r}"
    raise AccessError(msg)
