"""Formulas as MathML, made when the pages are built: reading one loads no script and no font."""

from __future__ import annotations

import html
import re
from typing import Any

from math_core import LatexToMathML

FORMULA = re.compile(r'<(span|div) class="arithmatex">\s*\\([(\[])(.*?)\\[)\]]\s*</\1>', re.DOTALL)
TO_MATHML = LatexToMathML()


def on_page_content(content: str, **_: Any) -> str:  # noqa: ANN401
    """Put MathML in the place of LaTeX; a formula with an error stops the build."""
    return FORMULA.sub(_written, content)


def _written(found: re.Match[str]) -> str:
    latex = html.unescape(found[3]).strip()
    block = found[2] == "["
    mathml: str = TO_MATHML.convert_with_local_state(latex, displaystyle=block)
    return f"<p>{mathml}</p>" if found[1] == "div" else mathml
