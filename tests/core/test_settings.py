"""Settings: bounds, one sentence for a fault, read afresh, in one place and in the documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from thingsviz.core.errors import ConfigError
from thingsviz.core.settings import (
    AccessSettings,
    EngineSettings,
    FolderSettings,
    LogSettings,
    QueueSettings,
    Settings,
    TrainingSettings,
    settings_table,
    variables,
)

ROOT = Path(__file__).parents[2]
NAMES = {name for name, _ in variables(Settings)}
# handed from a process to one that it starts; nobody sets them
INTERNAL = {"THINGSVIZ_LOCK_HANDLE", "THINGSVIZ_PYTHON", "THINGSVIZ_JOB"}


def test_nothing_set_gives_the_defaults():
    told = Settings.read({})
    assert (told.slots, told.engine, told.access, told.data) == (1, "local", "local", Path("data"))
    assert [str(network) for network in told.trusted_proxies] == ["127.0.0.1/32", "::1/128"]


def test_an_empty_variable_is_as_if_not_set_but_for_lists():
    told = Settings.read(dict.fromkeys(NAMES, ""))
    assert (told.slots, told.jobs, told.log) == (1, None, None)
    assert (told.gpus, told.trusted_proxies) == ((), ())


FAULTS = [
    (QueueSettings, "SLOTS", "0"),
    (QueueSettings, "SLOTS", " 3"),
    (QueueSettings, "QUOTA", "²"),
    (QueueSettings, "JOB_MEMORY_MB", "4GB"),
    (QueueSettings, "JOB_MEMORY_MB", "9" * 20),
    (QueueSettings, "JOB_HOURS", "nan"),
    (QueueSettings, "JOB_HOURS", "0"),
    (TrainingSettings, "THREADS", "1_0"),
    (EngineSettings, "ENGINE", "cloud"),
    (LogSettings, "LOG", "yaml"),
    (AccessSettings, "ACCESS", "opne"),
    (AccessSettings, "OPEN_ROLE", "root"),
    (AccessSettings, "TRUSTED_PROXIES", "10.0.0.1/8"),
]


@pytest.mark.parametrize(("group", "name", "value"), FAULTS)
def test_a_fault_is_one_sentence_with_name_value_and_a_way_out(group, name, value):
    with pytest.raises(ConfigError) as error:
        group.read({f"THINGSVIZ_{name}": value})
    sentence = str(error.value)
    assert sentence.startswith(f"THINGSVIZ_{name} is {value!r}")
    assert re.search(r": (give|use one of) \w", sentence)
    assert "\n" not in sentence


def test_a_fault_in_one_group_leaves_the_others_readable():
    wrong = {"THINGSVIZ_SLOTS": "many", "THINGSVIZ_JOBS": "/jobs"}
    assert FolderSettings.read(wrong).jobs == Path("/jobs")


def test_a_changed_environment_is_seen(monkeypatch):
    for value in ("2", "3"):
        monkeypatch.setenv("THINGSVIZ_SLOTS", value)
        assert QueueSettings.read().slots == int(value)


def test_the_table_tells_of_each():
    for name, field in variables(Settings):
        assert field.description
        assert f"| `{name}` |" in settings_table()


def test_settings_are_read_here_only():
    """Nobody else asks the environment for a name of ours."""
    reading = re.compile(r"(?:environ(?:\.get)?|getenv|env(?:\.get)?)[\[(]\s*[\"']THINGSVIZ_")
    files = [*ROOT.glob("thingsviz/**/*.py"), *ROOT.glob("models/**/*.py")]
    files += [*ROOT.glob("pages/*.py"), ROOT / "app.py"]
    found = {
        path.name: match
        for path in files
        for line in path.read_text("utf-8").splitlines()
        if (match := reading.search(line)) and "] = " not in line
    }
    assert not found


# of the tests, not of the program
OF_TESTS = {"THINGSVIZ_REAL"}


def test_documents_name_only_settings_that_there_are():
    files = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "checkpoints" / "README.md"]
    for file in files:
        named = set(re.findall(r"THINGSVIZ_[A-Z_]*[A-Z]", file.read_text("utf-8")))
        assert named <= NAMES | INTERNAL | OF_TESTS, file


def test_the_list_of_access_settings_is_whole():
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `(THINGSVIZ_[A-Z_]+)` \|", text, re.MULTILINE))
    assert listed == {name for name, _ in variables(AccessSettings)}
