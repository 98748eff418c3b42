"""The names by which saved sbatch files, units and scripts start the commands."""

import subprocess
import sys

import pytest

NAMES = {
    "plant": "simulate",
    "again": "replicate",
    **{
        name: name
        for name in (
            *("prepare", "train", "tune", "maps", "export", "backup"),
            *("leaderboard", "learning_curves", "overfitting", "supervisor"),
        )
    },
}


@pytest.mark.parametrize("old", NAMES)
def test_an_old_name_starts_its_command(old):
    def asked_for_help(module):
        command = [sys.executable, "-m", module, "--help"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    by_old = asked_for_help(f"thingsviz.jobs.{old}")
    assert by_old.returncode == 0, by_old.stderr
    assert by_old.stdout == asked_for_help(f"thingsviz.commands.{NAMES[old]}").stdout
