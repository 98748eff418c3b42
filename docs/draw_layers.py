"""Draw the layers of the code as one picture a contract, from what import-linter enforces.

    python docs/draw_layers.py layers.svg             the first contract of layers
    python docs/draw_layers.py models.svg --name models

A row is a layer; its boxes are siblings. A bar between them in pyproject.toml says that they may
not import each other, a colon that they may: the colon is drawn as a double arrow. Every layer may
import those below it, never those above.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
WIDTH, LEFT, BOX, GAP, ROW = 760, 44, 34, 12, 48
CHARACTER = 7.6  # pixels of 13 px text, about
STYLE = (
    "<style>text{font:13px system-ui,sans-serif;fill:#1b2733}.box{fill:#f2f5f8;stroke:#8795a3}"
    ".arrow{stroke:#8795a3;fill:none}.head,.note{fill:#5b6b7a}</style>"
)


class Layer(NamedTuple):
    """Siblings of one height; `independent`: they may not import each other."""

    modules: tuple[str, ...]
    independent: bool


class Contract(NamedTuple):
    """A contract of layers, the highest first."""

    name: str
    layers: tuple[Layer, ...]


def read_contracts(path: Path) -> list[Contract]:
    """Return the contracts of layers in a pyproject.toml."""
    tool: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))["tool"]
    found = tool["importlinter"]["contracts"]
    return [
        Contract(one["name"], tuple(map(read_layer, one["layers"])))
        for one in found
        if one["type"] == "layers"
    ]


def read_layer(text: str | list[str] | dict[str, Any]) -> Layer:
    """Read a layer as import-linter writes it: 'a | b', 'a : b', or a table."""
    if isinstance(text, dict):
        return Layer(tuple(text["modules"]), bool(text.get("independent", True)))
    line = text if isinstance(text, str) else " | ".join(text)
    names = [part.strip().strip("()") for part in re.split(r"[|:]", line)]
    return Layer(tuple(names), ":" not in line)


def draw(contract: Contract, *, styled: bool = False) -> str:
    """Return a contract as SVG; unstyled, it takes its colours from the page around it."""
    rows = [line for layer in contract.layers for line in broken(layer)]
    height = GAP + ROW * len(rows)
    words = [part for layer in contract.layers for part in layer.modules]
    prefix = common_prefix(words)
    title = f"Layers, the highest first: {'; '.join(', '.join(r.modules) for r in rows)}"
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        *([STYLE] if styled else []),
        f'<path class="arrow" d="M20 {GAP} V{height - GAP}"/>',
        f'<path class="head" d="M20 {height - 4} l-5 -10 h10 z"/>',
    ]
    for number, layer in enumerate(rows):
        out += draw_row(layer, GAP + ROW * number, prefix)
    return "".join([*out, "</svg>"])


def broken(layer: Layer) -> list[Layer]:
    """Break a layer with many siblings into rows that fit."""
    rows: list[list[str]] = [[]]
    room = WIDTH - LEFT
    for name in layer.modules:
        used = sum(width_of(one) + GAP for one in rows[-1])
        if rows[-1] and used + width_of(name) > room:
            rows.append([])
        rows[-1].append(name)
    return [Layer(tuple(row), layer.independent) for row in rows]


def width_of(name: str) -> float:
    """Return how wide a name's box is at least."""
    return len(name.rpartition(".")[2]) * CHARACTER + 28


def draw_row(layer: Layer, y: float, prefix: str) -> list[str]:
    """Return the boxes of one row, which share its width."""
    n = len(layer.modules)
    least = [width_of(name) for name in layer.modules]
    spare = (WIDTH - LEFT - 4 - GAP * (n - 1) - sum(least)) / n
    out, x = [], float(LEFT)
    for number, (name, own) in enumerate(zip(layer.modules, least, strict=True)):
        width = own + spare
        if number:
            sign = "" if layer.independent else "↔"
            out.append(
                f'<text class="note" x="{x - GAP / 2:.1f}" y="{y + 22:.0f}" '
                f'text-anchor="middle">{sign}</text>'
            )
        out.append(
            f'<rect class="box" x="{x:.1f}" y="{y:.0f}" width="{width:.1f}" '
            f'height="{BOX}" rx="5"/>'
            f'<text x="{x + width / 2:.1f}" y="{y + 22:.0f}" text-anchor="middle">'
            f"{escape(name.removeprefix(prefix))}</text>"
        )
        x += width + GAP
    return out


def common_prefix(names: list[str]) -> str:
    """Return the package that all names begin with, with its dot, or ''."""
    first = {name.rpartition(".")[0] for name in names}
    return f"{first.pop()}." if len(first) == 1 and "" not in first else ""


def main(argv: list[str] | None = None) -> int:
    """Write one contract's picture."""
    parser = argparse.ArgumentParser(description="Draw the layers of the code.")
    parser.add_argument("out", type=Path, help="the SVG to write")
    parser.add_argument("--name", default="", help="how the contract's name begins")
    options = parser.parse_args(argv)
    found = read_contracts(ROOT / "pyproject.toml")
    chosen = [one for one in found if one.name.startswith(options.name)]
    if not chosen:
        parser.error(f"no contract begins with {options.name!r}: {[one.name for one in found]}")
    options.out.write_text(draw(chosen[0], styled=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
