"""The console command: every subcommand has help, errors end in one sentence, nothing is slow."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

from models.base.errors import ModelError
from thingsviz.commands import cli
from thingsviz.core.errors import DataError


def run(*words):
    command = [sys.executable, "-m", "thingsviz", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_help_lists_every_command_with_its_purpose():
    done = run("--help")
    assert done.returncode == 0, done.stderr
    for name, command in cli.COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert command.purpose in done.stdout


def test_help_waits_for_nothing_heavy():
    code = "import sys; from thingsviz.commands.cli import main\ntry: main(['--help'])\nfinally: "
    code += "print('LOADED', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    loaded = set(done.stdout.partition("LOADED")[2].split())
    assert "thingsviz.commands.cli" in loaded
    assert not loaded & {"torch", "pandas", "numpy", "scipy", "streamlit", "pydantic"}


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_command_explains_itself_with_an_example(name, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main([name, "--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: thingsviz {name} ")
    assert f"example: {cli.COMMANDS[name].example}" in out
    assert cli.COMMANDS[name].purpose.rstrip(".")[:60] in " ".join(out.split())


def test_a_misspelt_command_is_guessed(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["prepaer"])
    assert end.value.code == 2
    assert "did you mean 'prepare'?" in capsys.readouterr().err


def test_no_command_shows_the_help(capsys):
    assert cli.main([]) == 2
    assert "simulate" in capsys.readouterr().out


@pytest.fixture
def ending(monkeypatch, capsys):
    """Return a function that runs a command which ends in an error."""

    def end(error):
        def run(options):
            raise error

        def add_arguments(parser):
            pass

        module = types.SimpleNamespace(run=run, add_arguments=add_arguments, __doc__="One line.")
        monkeypatch.setattr(cli, "_module", lambda path: module)
        return cli.main(["prepare"]), capsys.readouterr().err

    return end


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (DataError("no file"), 2, "prepare: no file"),
        (ModelError("no rank"), 2, "prepare: no rank"),
        (KeyboardInterrupt(), 130, "prepare: interrupted; start it again to go on from here"),
        (FileNotFoundError(2, "No such file", "/x"), 2, "prepare: '/x' cannot be used: No such"),
        (OSError(28, "No space left on device", "/x"), 2, "prepare: no space is left to write in"),
        (PermissionError(13, "Permission denied", "/x"), 2, "choose a folder of yours"),
    ],
)
def test_an_expected_ending_is_one_line_and_its_code(ending, error, code, words):
    found, said = ending(error)
    assert (found, said.count("\n")) == (code, 1)
    assert words in said


def test_an_unexpected_ending_keeps_its_traceback_above_the_sentence(ending):
    code, said = ending(KeyError("x"))
    assert code == 1
    assert said.startswith("Traceback")
    assert said.splitlines()[-1].startswith("prepare: an error in thingsviz ended it (KeyError)")


def test_a_reader_who_goes_is_no_error(tmp_path):
    code = (
        "import types; from thingsviz.commands import cli\n"
        "def run(options):\n"
        "    for _ in range(100_000): print('line')\n"
        "    return 0\n"
        "module = types.SimpleNamespace(run=run, add_arguments=lambda p: None, __doc__='')\n"
        "cli._module = lambda path: module\n"
        "raise SystemExit(cli.main(['export']))\n"
    )
    shell = f'"{sys.executable}" -c "$CODE" | head -1'
    done = subprocess.run(
        ["/bin/sh", "-c", shell],
        env={**os.environ, "CODE": code},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("line\n", "")


def test_a_word_that_a_command_does_not_know_is_refused(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["backup", "save", "a.tar", "--now"])
    assert end.value.code == 2
    assert "--now" in capsys.readouterr().err


def test_the_reference_lists_every_command():
    page = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"
    table = page.read_text("utf-8").partition("\n## ")[0]
    listed = re.findall(r"^\| `([a-z-]+)", table, re.MULTILINE)
    assert set(listed) == set(cli.COMMANDS)
