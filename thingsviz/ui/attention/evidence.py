"""Whether a map means anything, beside the map: faithfulness, sanity, the planted truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from thingsviz.analysis.maps.auc_gap import EVEN, above
from thingsviz.core.typography import minus
from thingsviz.explain.map_methods import METHODS
from thingsviz.figures.maps.faithfulness import curves_info, draw_curves, draw_sanity, sanity_info
from thingsviz.ui import actions
from thingsviz.ui.attention import make_maps as attention_make
from thingsviz.ui.attention.pickers import MapView
from thingsviz.ui.attention.summary import last_correlation
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext, guard, plain
from thingsviz.ui.shell.glossary import glossary

PLAIN_ORDERS = ("random order", "noise ceiling")


def show_trust(page: PageContext, look: MapView) -> None:
    """Show the tests of the chosen map: blocks taken away, and a decoder without knowledge."""
    facts, method = look.wanted.maps.facts(), look.wanted.method
    name = f"{look.wanted.maps.job.name}_{method}"
    st.markdown("**Does the decoder use it?**", help=glossary("faithfulness"))
    # another run may have judged other methods only
    if method not in (facts.get("faithfulness") or {}).get("deletion", {}):
        _say_unjudged(look)
        return
    curves = curves_info(facts["faithfulness"], method, METHODS[method].title, PLAIN_ORDERS)
    figure = draw_curves(curves, page.theme)
    alt = "Agreement with the decoder's own outputs as blocks are taken away or put back"
    charts.show(figure, page.theme, f"{name}_faithfulness", alt=alt, save_as=look.save_as)
    st.markdown("**Does it show what was learned?**", help=glossary("sanity"))
    steps = facts.get("sanity", {}).get(method)
    if steps:
        figure = draw_sanity(sanity_info(steps), page.theme)
        alt = "Correlation of the map with itself as the decoder loses what it learned"
        charts.show(figure, page.theme, f"{name}_sanity", alt=alt, save_as=look.save_as)
    else:
        st.info("Not judged yet.", icon=":material/info:")


def _say_unjudged(look: MapView) -> None:
    maps = look.wanted.maps
    if maps.part.startswith("row-"):
        st.info(
            "Maps are judged over many trials: choose 'All test trials'.", icon=":material/info:"
        )
        return
    words, n = "These maps are not judged yet.", len(maps.methods())
    if attention_make.was_stopped(attention_make.newest(maps)):
        words = f"Making the maps was stopped: {n} of them are there, and not judged yet."
    st.info(words, icon=":material/info:")
    attention_make.offer_button(maps, "Make them again and judge them")


def show_methods(look: MapView) -> None:
    """Show all methods of this set of maps in one table, the one to trust most named."""
    facts = look.wanted.maps.facts()
    if not facts.get("faithfulness"):
        return
    with st.expander("All methods side by side", expanded=True):
        rows = trust_table(facts)
        st.markdown(plain(best_words(rows)))
        rows = with_even(rows, facts)
        st.dataframe(rows, hide_index=True, column_config=_columns(), placeholder="–")
        _say_mark(facts)
        _offer_permuted(look)


def best_words(rows: pd.DataFrame) -> str:
    """Name the method whose order is farthest from random, or say that none is."""
    judged = rows[rows["95 %"].str.startswith("+")]
    if judged.empty:
        return "No method's map is told from random order: trust none of these pictures."
    best = judged.sort_values("Faithfulness", kind="stable").iloc[-1]
    n = f"{len(judged)} of {len(rows)} methods"
    area = minus(f"{best['Faithfulness']:+.2f}")
    return (
        f"{n} point to what the decoder uses; {best['Method']} does so most "
        f"(area {area}, 95\u00a0% {best['95 %']})."
    )


def _say_mark(facts: dict[str, Any]) -> None:
    truth = facts.get("truth", {})
    for words in (even_words(truth), mark_words(truth)):
        if words:
            st.caption(plain(words))


def even_words(truth: Mapping[str, Any]) -> str:
    """Say what the row of the even map means, and how many methods get no further."""
    if EVEN not in truth:
        return ""
    judged = [name for name in METHODS if "over_even" in truth.get(name, {})]
    n = sum(not above(truth[name]["over_even"]) for name in judged)
    return (
        f"'{EVEN.capitalize()}' is a map that is the same wherever the decoder reads. The choice "
        "of tokens or voxels points to planted places by itself, so only what is .01 or more "
        "above its AUC, and surely so (95 % over blocks of voxels), is the map's own: "
        f"{n} of {len(judged)} methods show no more than that choice."
    )


def mark_words(truth: Mapping[str, Any]) -> str:
    """Say what maps without any decoder's error reach: no row of the table can be much better."""
    marks = []
    for name in [name for name in truth if name not in {*METHODS, EVEN}]:
        row = truth[name]
        smooth = f" ({row['auc_smooth']:.2f} smoothed)" if "auc_smooth" in row else ""
        marks.append(f"{name} {row['auc']:.2f}{smooth}")
    if not marks:
        return ""
    return (
        f"AUC without any decoder's error: {'; '.join(marks)}. What is missing to 1 is hidden by "
        "the voxels' own noise, or lost by smoothing."
    )


def _offer_permuted(look: MapView) -> None:
    """Offer to train the network on permuted labels; say beforehand how long that takes."""
    maps = look.wanted.maps
    facts = maps.facts()
    seconds = facts.get("permuted_seconds")
    task = attention_make.newest(maps)
    compared = set(maps.methods()) <= set(facts.get("permuted") or {})
    if compared or not seconds or (task and task.state == "running"):
        return
    refused = plain(actions.refusal())
    least, most = max(1, round(seconds / 60)), max(2, round(3 * seconds / 60))
    clicked = st.button(
        f"Train it on permuted labels too (about {least} to {most} min)",
        icon=":material/shuffle:",
        disabled=bool(refused),
        help=refused
        or "The same recipe, 8 epochs at most, on ratings dealt out to other "
        "concepts: a map that stays the same shows the data, not what was learned.",
    )
    if clicked:
        with guard():
            attention_make.start_permuted(maps)
            st.rerun()


def trust_table(facts: dict[str, Any]) -> pd.DataFrame:
    """Return a row a method: areas, comprehensiveness, sanity, AUC, seconds."""
    rows = []
    for name in [m for m in METHODS if m in facts["faithfulness"]["areas"]]:
        area = facts["faithfulness"]["areas"][name]
        truth = facts.get("truth", {}).get(name, {})
        low, high = area["deletion"][1:]
        rows.append(
            {
                "Method": METHODS[name].title,
                "Sees": METHODS[name].resolution,
                "Faithfulness": area["deletion"][0],
                "95 %": minus(f"{low:+.2f} to {high:+.2f}"),
                "Sanity r": last_correlation(facts, name),
                "Permuted r": facts.get("permuted", {}).get(name),
                "AUC": truth.get("auc"),
                "AUC, smoothed": truth.get("auc_smooth"),
                "Above even": _above(truth.get("over_even")),
                "Insertion": area["insertion"][0],
                "Top 20 % removed": area["comprehensiveness"],
                "Seconds": facts["made"].get(name, {}).get("seconds"),
            }
        )
    return pd.DataFrame(rows)


def _above(over: Mapping[str, Any] | None) -> str | None:
    return None if over is None else " and ".join(above(over)) or "no"


def with_even(rows: pd.DataFrame, facts: dict[str, Any]) -> pd.DataFrame:
    """Add the row of the map that is even over what the decoder reads, where it is known."""
    truth = facts.get("truth", {}).get(EVEN)
    if truth is None:
        return rows
    row = {"Method": EVEN.capitalize(), "Sees": "a choice"}
    row |= {"AUC": truth["auc"], "AUC, smoothed": truth["auc_smooth"]}
    return pd.concat([rows, pd.DataFrame([row])], ignore_index=True)


def _columns() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "Sees": st.column_config.TextColumn(
            help="How near two things may be and still be told apart."
        ),
        "Faithfulness": number(format="%+.3f", help=glossary("faithfulness")),
        "Insertion": number(format="%+.3f"),
        "Top 20 % removed": number(
            format="%.3f", help="What the agreement loses when the map's best fifth is removed."
        ),
        "Sanity r": number(format="%+.2f", help=glossary("sanity")),
        "Permuted r": number(
            format="%+.2f", help="The map of the same network trained on permuted labels."
        ),
        "AUC": number(format="%.3f", help="Chance that a planted voxel is above an empty one."),
        "AUC, smoothed": number(format="%.3f", help="The same after smoothing by 12 mm."),
        "Above even": st.column_config.TextColumn(
            help="Whether the AUC is surely above that of the last row, a map that only shows "
            "what the decoder reads."
        ),
        "Seconds": number(format="%.1f"),
    }
