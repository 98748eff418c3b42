"""The pictures of the layers, drawn from pyproject.toml whenever the pages are built."""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from draw_layers import ROOT, draw, read_contracts

MARK = "<!-- layers -->"


def on_page_markdown(markdown: str, **_: Any) -> str:  # noqa: ANN401
    """Replace the mark by one figure for each contract of layers."""
    if MARK not in markdown:
        return markdown
    figures = [
        f'<figure class="layers">{draw(contract)}'
        f"<figcaption>{escape(contract.name)}</figcaption></figure>"
        for contract in read_contracts(ROOT / "pyproject.toml")
    ]
    return markdown.replace(MARK, "\n\n".join(figures))
