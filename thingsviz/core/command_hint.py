"""How to write a command of thingsviz so that it can be pasted into a shell of this machine."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path


def command_hint(*words: str | Path) -> str:
    """Return `thingsviz WORDS`, with the path of the command where a shell would not find it."""
    return " ".join([_console(), *(shlex.quote(str(word)) for word in words)])


def _console() -> str:
    ours = Path(sys.executable).with_name("thingsviz")
    if not ours.is_file():  # not installed, as in a clone whose requirements alone are
        return f"{shlex.quote(sys.executable)} -m thingsviz"
    found = shutil.which("thingsviz")
    if found is not None and Path(found).absolute() == ours.absolute():
        return "thingsviz"
    here = Path.cwd()
    return shlex.quote(str(ours.relative_to(here) if ours.is_relative_to(here) else ours))
