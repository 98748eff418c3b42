"""Pages that stand in the repository's root: taken over as they are, their links turned."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
INCLUDED = re.compile(r"^<!-- file: (\S+) -->$", re.MULTILINE)
LINK = re.compile(r"\[([^\]]+)\]\((?!https?://|#)([^)#\s]+)(#[^)\s]*)?\)")
# where a file of the repository stands among these pages
PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
    "checkpoints/README.md": "reference/job-folder.md",
    "README.md": "index.md",
}


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:  # noqa: ANN401
    """Replace `<!-- file: NAME -->` by that file of the repository."""
    up = "../" * page.file.src_uri.count("/")
    return INCLUDED.sub(lambda found: _taken(found[1], up), markdown)


def _taken(name: str, up: str) -> str:
    path = ROOT / name
    folder = Path(name).parent

    def turned(found: re.Match[str]) -> str:
        words, target, place = found[1], found[2], found[3] or ""
        asked = (folder / target).as_posix()
        if asked in PAGES:
            return f"[{words}]({up}{PAGES[asked]}{place})"
        if asked.startswith("docs/"):
            return f"[{words}]({up}{asked.removeprefix('docs/')}{place})"
        # a file of the code: its name stays, there is no page to go to
        return words

    return LINK.sub(turned, path.read_text(encoding="utf-8"))
