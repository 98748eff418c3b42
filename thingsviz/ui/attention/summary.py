"""What a map says in four or five plain answers: where, more than chance, used, learned, true."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import pandas as pd
import streamlit as st

from thingsviz.analysis.maps.auc_gap import EVEN, above
from thingsviz.analysis.maps.by_region import BACKGROUND, NO_REGION, Amount
from thingsviz.analysis.regions.regions import Regions
from thingsviz.core.typography import minus
from thingsviz.explain.map_methods import METHODS
from thingsviz.figures.maps.map_regions import short
from thingsviz.ui.attention.data import ShownMaps, shown, table
from thingsviz.ui.attention.pickers import MapView
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.glossary import glossary

SPREAD = 0.9  # of the tokens: a head that spreads over more hardly chooses
LIKE = 0.5  # rank correlation of a map with that of a decoder that knows nothing
FOUND, HARDLY = 0.75, 0.6  # AUC from which a map finds what was planted, or a part of it
TERMS = ("uniform attention", "turned regions", "faithfulness", "sanity")
ICONS = {
    "good": ":green[:material/check_circle:]",
    "bad": ":orange[:material/cancel:]",
    "open": ":gray[:material/help:]",
}


class MapAnswer(NamedTuple):
    """A question that a reader of a map has, the answer in a word or two, and its numbers."""

    question: str
    short: str
    why: str
    mood: Literal["good", "bad", "open"]


def show_story(page: PageContext, look: MapView, named: Regions) -> None:
    """Show the answers of the chosen map, one line each."""
    found = shown(look.wanted)
    head = min(look.head, len(found.names) - 1)
    rows = table(look.wanted, head, Amount(), named)
    facts, method = look.wanted.maps.facts(), look.wanted.method
    several = answers(found, head, rows, facts, method)
    lines = [f"{ICONS[a.mood]} **{a.question}** {plain(f'{a.short}: {a.why}')}" for a in several]
    with st.container(border=True, gap=None):
        st.markdown("  \n".join(lines), help="\n\n".join(glossary(term) for term in TERMS))


def answers(
    found: ShownMaps, head: int, rows: pd.DataFrame, facts: dict[str, Any], method: str
) -> tuple[MapAnswer, ...]:
    """Return what the numbers say of one head's map over regions (`rows`) and of its method."""
    inside = rows[~rows["region"].isin([NO_REGION, BACKGROUND])]
    several = [
        where(found, head, inside, facts, method),
        chance(inside),
        used(facts, method),
        learned(facts, method),
        planted(facts, method),
    ]
    return tuple(answer for answer in several if answer is not None)


def where(
    found: ShownMaps, head: int, inside: pd.DataFrame, facts: dict[str, Any], method: str
) -> MapAnswer:
    """Say in which region most of the map lies, or that a head does not choose."""
    question, even = "Where is the map strongest?", float(found.evenness[head])
    if METHODS[method].by_head:
        question = f"Where does {found.names[head].lower()} look?"
    if METHODS[method].needs == "attention" and even > SPREAD:
        n = int(facts.get("n_tokens") or 0)
        why = f"it spreads over {100 * even:.0f} % of the {n:,} tokens, hardly any choice"
        return MapAnswer(question, "Everywhere alike", why, "open")
    if not len(inside) or not float(inside["share"].sum()):
        return MapAnswer(question, "Not known", "none of it lies in a named region", "open")
    sure = inside[inside["q"] < 0.05]
    first = (sure if len(sure) else inside).sort_values("share", kind="stable").iloc[-1]
    share, flat = percent(first["share"]), percent(first["uniform"])
    why = f"{share} of it; even attention would put {flat} there"
    return MapAnswer(question, short(str(first["region"])), why, "good" if len(sure) else "open")


def percent(share: float) -> str:
    """Write a share in whole per cent, a small one with a decimal."""
    return f"{100 * share:.0f} %" if share >= 0.095 else f"{100 * share:.1f} %"


def chance(inside: pd.DataFrame) -> MapAnswer:
    """Say whether any region gets more than chance."""
    question, n = "Is that more than chance?", int((inside["q"] < 0.05).sum())
    if not len(inside) or inside["q"].isna().all():
        return MapAnswer(question, "Not known", "these data name no regions", "open")
    why = f"{n} of {len(inside)} regions get more than regions turned at random do (q < .05)"
    return MapAnswer(question, "Yes" if n else "No", why, "good" if n else "bad")


def used(facts: dict[str, Any], method: str) -> MapAnswer:
    """Say whether the decoder uses what the map points to."""
    question = "Does the decoder use it?"
    area = (facts.get("faithfulness") or {}).get("areas", {}).get(method)
    if not area:
        return MapAnswer(question, "Not judged", "no test was made; it takes many trials", "open")
    value, low, high = area["deletion"]
    gap = minus(f"(area {value:+.2f}, 95\u00a0% {low:+.2f} to {high:+.2f})")
    if low > 0:
        why = f"outputs fall apart sooner than in random order {gap}"
        return MapAnswer(question, "Yes", why, "good")
    if high < 0:
        why = f"worse than taking voxels away in random order {gap}, do not trust it"
        return MapAnswer(question, "No", why, "bad")
    return MapAnswer(question, "Not shown", f"no better than random order {gap}", "open")


def learned(facts: dict[str, Any], method: str) -> MapAnswer:
    """Say whether the map shows what was learned, not the architecture or the data."""
    question = "Does it show what was learned?"
    last = last_correlation(facts, method)
    if last is None:
        return MapAnswer(
            question, "Not judged", "no decoder without knowledge was asked yet", "open"
        )
    whose = "a decoder whose weights are random"
    if facts["sanity"][method][-1]["what"] == "the ratings' order":
        whose = "a decoder trained on ratings in another order"
    why = f"its correlation with the map of {whose} is {minus(f'{last:+.2f}')}"
    permuted = (facts.get("permuted") or {}).get(method)
    if permuted is not None:
        why += f", with that of one trained on permuted labels {minus(f'{permuted:+.2f}')}"
    if max(abs(last), abs(permuted or 0.0)) < LIKE:
        return MapAnswer(question, "Yes", why, "good")
    return MapAnswer(question, "Little", f"{why}: it shows the architecture or the data", "bad")


def last_correlation(facts: dict[str, Any], method: str) -> float | None:
    """Return how alike a map is to that of a decoder which has lost all it learned."""
    steps = (facts.get("sanity") or {}).get(method) or [{"correlation": None}]
    value = steps[-1]["correlation"]
    return None if value is None else float(value)


def planted(facts: dict[str, Any], method: str) -> MapAnswer | None:
    """Say whether the map finds what was planted; None for data that were measured."""
    truth, even = ((facts.get("truth") or {}).get(name) for name in (method, EVEN))
    if not truth:
        return None
    auc = max(float(truth["auc"]), float(truth["auc_smooth"]))
    question, why = "Does it find what was planted?", f"AUC {_aucs(truth)}; .5 is chance"
    if even and "over_even" in truth:
        why += f", and a map even over all that the decoder reads has {_aucs(even)}"
        if not above(truth["over_even"]):
            return MapAnswer(question, "No more than the choice of what is read", why, "bad")
    if auc >= FOUND:
        return MapAnswer(question, "Yes", why, "good")
    hardly = auc < HARDLY
    return MapAnswer(question, "Hardly" if hardly else "In part", why, "bad" if hardly else "open")


def _aucs(row: dict[str, Any]) -> str:
    return f"{row['auc']:.2f} by voxel, {row['auc_smooth']:.2f} smoothed to a patch"
