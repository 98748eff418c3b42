"""The account of the operating system that runs this process."""

from __future__ import annotations

import os
import pwd


def os_user() -> str:
    """Return the name of the user whose process this is."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
