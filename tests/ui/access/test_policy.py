"""Who may come in: the settings, their faults, the roles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thingsviz.core.errors import ConfigError
from thingsviz.ui.access.policy import ROLES, Policy, allows, is_loopback, read_policy, within


def test_without_settings_only_this_machine_is_let_in():
    policy = read_policy({})
    assert policy.mode == "local"
    assert policy.rules == {"train": ("*",)}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"THINGSVIZ_ACCESS": "opne"}, r"THINGSVIZ_ACCESS is 'opne' \(did you mean 'open'\?\)"),
        ({"THINGSVIZ_OPEN_ROLE": "root"}, "use one of look, train, administer"),
        ({"THINGSVIZ_TRUSTED_PROXIES": "nginx"}, "give addresses or networks"),
        ({"THINGSVIZ_TRUSTED_PROXIES": "10.0.0.1/8"}, "has host bits set"),
        ({"THINGSVIZ_ROLES": "/no/such/file"}, "cannot be read"),
        (
            {"THINGSVIZ_ACCESS": "header", "THINGSVIZ_TRUSTED_PROXIES": "10.0.0.2"},
            "web server trusts 127.0.0.1/32",
        ),
        (
            {"THINGSVIZ_ACCESS": "header", "FORWARDED_ALLOW_IPS": "*"},
            "FORWARDED_ALLOW_IPS is '\\*'",
        ),
    ],
)
def test_a_wrong_setting_is_said_in_one_sentence(settings, words):
    with pytest.raises(ConfigError, match=words):
        read_policy(settings)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("train = 3", "must be a list of names"),
        ("train = ['', 'a']", "must be a list of names"),
        ("trian = ['a']", r"'trian' is not a role \(did you mean 'train'\?\)"),
        ("= =", "is not TOML"),
        (b"\xff\xfe", "is not TOML"),
    ],
)
def test_a_wrong_file_of_roles_is_said_in_one_sentence(tmp_path, text, words):
    path = tmp_path / "roles.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=words):
        read_policy({"THINGSVIZ_ROLES": str(path)})


def test_the_highest_role_wins_and_strangers_have_none(tmp_path):
    path = tmp_path / "roles.toml"
    path.write_text(
        'look = ["*@uni.example"]\ntrain = ["*@lab.example"]\nadminister = ["ada@*"]\n'
    )
    policy = read_policy({"THINGSVIZ_ROLES": str(path)})
    assert policy.role_of("bo@uni.example") == "look"
    assert policy.role_of("BO@Lab.Example") == "train"
    assert policy.role_of("ada@lab.example") == "administer"
    assert policy.role_of("eve@else.example") is None


def test_roles_include_those_below():
    table = [[allows(has, needed) for needed in ROLES] for has in ROLES]
    assert table == [[True, False, False], [True, True, False], [True, True, True]]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_what_this_machine_is(host, expected):
    assert is_loopback(host) is expected


@given(st.text(max_size=40))
def test_no_text_is_an_address_by_accident(text):
    proxies = read_policy({"THINGSVIZ_TRUSTED_PROXIES": "10.0.0.0/8"}).proxies
    assert not within(text, proxies) or text.startswith(("10.", "::ffff:", "::FFFF:"))


def test_port_0_is_only_given_by_the_server_for_a_proxy():
    policy = Policy("header")
    assert policy.is_proxy("192.0.2.7", 0)
    assert not policy.is_proxy("192.0.2.7", 40_000)
