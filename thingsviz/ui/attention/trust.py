"""Whether a map means anything, beside the map: faithfulness, sanity, the planted truth."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from thingsviz.figures.faithfulness import curves_info, draw_curves, draw_sanity, sanity_info
from thingsviz.inference.method_list import METHODS
from thingsviz.ui import actions, charts
from thingsviz.ui.attention import make as attention_make
from thingsviz.ui.attention.pick import Look
from thingsviz.ui.frame import PageContext, guard, plain
from thingsviz.ui.help import glossary

PLAIN_ORDERS = ("random order", "noise ceiling")


def show_trust(page: PageContext, look: Look) -> None:
    """Show what speaks for and against the chosen map, and all methods in one table."""
    facts, method = look.wanted.maps.facts(), look.wanted.method
    st.subheader("Does the map mean anything?", anchor=False, help=glossary("faithfulness"))
    if not facts.get("faithfulness"):
        st.info(
            "Maps are judged over many trials: choose 'All test trials' to see how faithful this "
            "method is.",
            icon=":material/info:",
        )
        return
    st.markdown(plain(verdict(facts, method)))
    left, right = st.columns(2)
    with left:
        st.caption("Blocks of voxels taken away, and put back", help=glossary("faithfulness"))
        curves = curves_info(facts["faithfulness"], method, METHODS[method].title, PLAIN_ORDERS)
        name = f"{look.wanted.maps.job.name}_{method}"
        charts.show(
            draw_curves(curves, page.theme),
            page.theme,
            f"{name}_faithfulness",
            alt="Agreement with the decoder's own outputs as blocks are taken away or put back",
            save_as=look.save_as,
        )
    with right:
        st.caption("The decoder's weights destroyed", help=glossary("sanity"))
        steps = facts.get("sanity", {}).get(method)
        if steps:
            figure = draw_sanity(sanity_info(steps), page.theme)
            alt = "Correlation of the map with itself as weights are lost"
            charts.show(figure, page.theme, f"{name}_sanity", alt=alt, save_as=look.save_as)
        else:
            st.info("Not judged yet.", icon=":material/info:")
    st.dataframe(trust_table(facts), hide_index=True, column_config=_columns())
    _say_mark(facts)
    _offer_permuted(look)


def _say_mark(facts: dict[str, Any]) -> None:
    mark = facts.get("truth", {}).get("true ratings")
    if mark:
        st.caption(
            f"AUC: a pattern of the true ratings themselves, without any decoder, reaches "
            f"{mark['auc']:.2f} voxel by voxel: the rest is hidden by the voxels' own noise."
        )


def _offer_permuted(look: Look) -> None:
    """Offer to train the network on permuted labels; say beforehand how long that takes."""
    maps = look.wanted.maps
    facts = maps.facts()
    seconds = facts.get("permuted_seconds")
    task = attention_make.newest(maps)
    if facts.get("permuted") or not seconds or (task and task.state == "running"):
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
            attention_make.start(maps, "--permuted")
            st.rerun()


def verdict(facts: dict[str, Any], method: str) -> str:
    """Say in two or three sentences what the tests say of a method's map."""
    words = [METHODS[method].sentence]
    area = facts["faithfulness"]["areas"].get(method)
    if area:
        value, low, high = area["deletion"]
        gap = f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"
        if low > 0:
            words.append(
                f"The decoder uses what this map points to: outputs fall apart sooner than in "
                f"random order (area {gap})."
            )
        elif high < 0:
            words.append(f"The map is worse than random order (area {gap}): do not trust it.")
        else:
            words.append(f"The map is not told from random order (area {gap}).")
    last = last_correlation(facts, method)
    if last is not None:
        fit = (
            "it shows what was learned"
            if abs(last) < 0.5
            else ("much of it shows the architecture or the data, not what was learned")
        )
        words.append(f"With all weights lost the map correlates {last:+.2f} with itself: {fit}.")
    permuted = facts.get("permuted", {}).get(method)
    if permuted is not None:
        words.append(f"Trained on permuted labels, the model's map correlates {permuted:+.2f}.")
    truth = facts.get("truth", {}).get(method)
    if truth:
        words.append(
            f"It finds the planted voxels with an AUC of {truth['auc']:.2f} "
            f"({truth['auc_smooth']:.2f} smoothed to a patch's size; .5 is chance)."
        )
    return " ".join(words)


def last_correlation(facts: dict[str, Any], method: str) -> float | None:
    """Return how alike a map is to itself when all weights are lost."""
    steps = facts.get("sanity", {}).get(method) or [{"correlation": None}]
    value = steps[-1]["correlation"]
    return None if value is None else float(value)


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
                "Faithfulness": area["deletion"][0],
                "95 %": f"{low:+.2f} to {high:+.2f}",
                "Insertion": area["insertion"][0],
                "Top 20 % removed": area["comprehensiveness"],
                "Sanity r": last_correlation(facts, name),
                "Permuted r": facts.get("permuted", {}).get(name),
                "AUC": truth.get("auc"),
                "AUC, smoothed": truth.get("auc_smooth"),
                "Seconds": facts["made"].get(name, {}).get("seconds"),
            }
        )
    return pd.DataFrame(rows)


def _columns() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
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
        "AUC, smoothed": number(format="%.3f"),
        "Seconds": number(format="%.1f"),
    }
