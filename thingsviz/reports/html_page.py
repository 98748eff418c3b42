"""How a report in one file looks: its page, tables and paragraphs; nothing in it is fetched."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

# no script runs and nothing is fetched, whatever a name or a file contains
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
WORDS_OF_NUMBERS = {"to", "of", "hits", "no", "interval", "MB", "concepts"}
STYLE = """
:root { color-scheme: light dark; --text: #1b2733; --muted: #5b6875; --grid: #d8dfe6;
  --page: #ffffff; --box: #f2f5f8; --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #cc79a7;
  --c4: #b07900; --c5: #56b4e9; --warn: #9a5b00; }
@media (prefers-color-scheme: dark) { :root { --text: #e6ebf0; --muted: #9aa7b4; --grid: #2f3b46;
  --page: #10161c; --box: #1a232c; --c0: #56b4e9; --c1: #e69f00; --c2: #2fbf97; --c3: #e295c3;
  --c4: #f0e442; --c5: #4a9bd4; --warn: #e69f00; } }
@media print { :root { --page: #ffffff; --text: #000000; --box: #ffffff; } }
body { font: 16px/1.55 "Source Sans 3", "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  color: var(--text); background: var(--page); max-width: 74rem; margin: 0 auto;
  padding: 2rem 1rem; }
h1 { font-size: 1.9rem; } h2 { margin-top: 2.6rem; border-bottom: 1px solid var(--grid); }
h1, h2, h3 { line-height: 1.25; }
table { border-collapse: collapse; font-size: .88rem; width: 100%; }
th, td { text-align: left; padding: .3rem .55rem; border-bottom: 1px solid var(--grid);
  vertical-align: top; } th { color: var(--muted); font-weight: 600; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.wide { overflow-x: auto; }
figure { margin: 1rem 0; page-break-inside: avoid; } svg { width: 100%; height: auto; }
svg text { fill: var(--text); font-size: 12px; } svg .m { fill: var(--muted); }
figcaption, .small { color: var(--muted); font-size: .88rem; }
.badge { color: var(--page); background: var(--warn); border-radius: .3rem; padding: .1rem .5rem;
  font-size: .85rem; font-weight: 700; letter-spacing: .04em; }
.box { background: var(--box); border-radius: .5rem; padding: .6rem 1rem; margin: 1rem 0; }
pre { background: var(--box); padding: .8rem; overflow-x: auto; font-size: .78rem; }
"""


def page(title: str, body: Iterable[str], *, simulated: bool) -> str:
    """Return a whole document; `simulated` puts the mark beside its title."""
    mark = ' <span class="badge">SIMULATED</span>' if simulated else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{esc(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{esc(title)}{mark}</h1>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )


def esc(value: object) -> str:
    """Escape what comes from a name or a file."""
    return html.escape(str(value))


def text(*sentences: str) -> str:
    """Return a paragraph."""
    return f"<p>{esc(' '.join(sentences))}</p>"


def small(sentence: str) -> str:
    """Return a remark."""
    return f'<p class="small">{esc(sentence)}</p>'


def heading(words: str, level: int = 2) -> str:
    """Return a heading."""
    return f"<h{level}>{esc(words)}</h{level}>"


def bullets(sentences: Iterable[str]) -> str:
    """Return a list; nothing for no sentences."""
    items = "".join(f"<li>{esc(s)}</li>" for s in sentences)
    return f"<ul>{items}</ul>" if items else ""


def box(*parts: str) -> str:
    """Return parts that are HTML already, set apart."""
    return f'<div class="box">{"".join(parts)}</div>'


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; cells that begin with a digit or a sign are set as numbers."""
    top = "".join(f"<th>{esc(cell)}</th>" for cell in head)
    body = "".join(f"<tr>{_row(row)}</tr>" for row in rows)
    inner = f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="wide"><table>{inner}</table></div>'


def _row(row: Sequence[object]) -> str:
    """Return the cells of a row; the first one is a name, whatever it begins with."""
    return "".join([f"<td>{esc(value)}</td>" for value in row[:1]] + [*map(_cell, row[1:])])


def _cell(value: object) -> str:
    words = "–" if value is None else str(value)
    begins = words[:1].isdigit() or words[:1] in "+−–"
    number = begins and WORDS_OF_NUMBERS.issuperset(re.findall("[A-Za-z]+", words))
    return f"<td{' class=n' if number else ''}>{esc(words)}</td>"


def figure(svg: str, caption: str) -> str:
    """Return a picture with its caption."""
    return f"<figure>{svg}<figcaption>{esc(caption)}</figcaption></figure>"


def code(words: str) -> str:
    """Return text as it stands."""
    return f"<pre>{esc(words)}</pre>"


def folded(title: str, *parts: str) -> str:
    """Return parts behind a title to click."""
    return f"<details><summary>{esc(title)}</summary>{''.join(parts)}</details>"
