"""Check the built documentation: links and anchors lead somewhere, nothing comes from elsewhere.

    python docs/check_site.py site

`mkdocs build --strict` knows the links that were written; this one reads the pages as they are
served, generated parts included. Addresses of other hosts are looked at for their form alone, so
that the check works offline. It also refuses words that have no place in the documentation.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

# what a browser fetches by itself, by tag
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
LEFT_OVER = re.compile(r"<!-- (file|module|settings|layers)\b|class=\"arithmatex\"|\[@\w+")


class Found(NamedTuple):
    """What a page holds: its ids, the links it offers, and what it loads."""

    ids: set[str]
    links: list[str]
    loaded: list[str]


class Reader(HTMLParser):
    """Collects ids, links and loaded files of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.found = Found(set(), [], [])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names or points to."""
        given = {name: value or "" for name, value in attrs}
        names = (given.get("id"), given.get("name") if tag == "a" else None)
        self.found.ids.update(name for name in names if name)
        if tag == "a" and given.get("href"):
            self.found.links.append(given["href"])
        target = given.get(LOADED.get(tag, ""), "")
        # these links name a place and load nothing
        if target and given.get("rel") not in {"canonical", "next", "prev", "alternate"}:
            self.found.loaded.append(target)


def main(argv: list[str]) -> int:
    """Print every fault; returns 1 if there is one."""
    root = Path(argv[0] if argv else "site").absolute()
    pages = {path: read(path) for path in sorted(root.rglob("*.html"))}
    if not pages:
        sys.stderr.write(f"{root} holds no page: build it with mkdocs build --strict\n")
        return 1
    faults = [fault for path in pages for fault in faults_of(path, pages, root)]
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    sys.stderr.write(f"{len(pages)} pages, {len(faults)} faults\n")
    return 1 if faults else 0


def read(path: Path) -> Found:
    """Read a page."""
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader.found


def faults_of(path: Path, pages: dict[Path, Found], root: Path) -> Iterator[str]:
    """Yield what is wrong with a page."""
    name = path.relative_to(root)
    found = pages[path]
    for mark in LEFT_OVER.finditer(path.read_text(encoding="utf-8")):
        yield f"{name}: {mark[0]} was left as it stands"
    for target in found.loaded:
        if urlsplit(target).netloc:
            yield f"{name}: loads {target} from another host"
        elif not target.startswith("data:") and not place_of(path, target, root).exists():
            yield f"{name}: loads {target}, which is not there"
    for link in found.links:
        fault = fault_of_link(path, link, pages, root)
        if fault:
            yield f"{name}: {fault}"


def fault_of_link(path: Path, link: str, pages: dict[Path, Found], root: Path) -> str:
    """Return what is wrong with a link, '' if nothing is."""
    parts = urlsplit(link)
    if parts.scheme in {"http", "https"}:
        return "" if "." in parts.netloc else f"{link!r} names no host"
    if parts.scheme:
        return "" if parts.scheme == "mailto" else f"{link!r} has an odd scheme"
    target = place_of(path, link, root)
    if not target.exists():
        return f"{link!r} leads to no page"
    place = unquote(parts.fragment)
    # the theme's own anchor for 'back to the top' starts with two underscores
    if place and not place.startswith("__") and target in pages and place not in pages[target].ids:
        return f"{link!r} leads to no place on its page"
    return ""


def place_of(path: Path, link: str, root: Path) -> Path:
    """Return the file that a relative address means."""
    inside = unquote(urlsplit(link).path)
    if not inside:
        return path
    if inside.startswith("/"):  # the page for wrong addresses knows no folder of its own
        return root / inside.lstrip("/")
    target = (path.parent / inside).resolve()
    return target / "index.html" if target.is_dir() else target


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
