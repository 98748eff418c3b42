"""The honesty strip: no page shows a score without its interval, references, limits and n."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from thingsviz.figures import style
from thingsviz.figures.scores import (
    METRICS,
    REFERENCES,
    Question,
    ScoreInfo,
    draw_score,
)
from thingsviz.ui import charts
from thingsviz.ui.frame import plain
from thingsviz.ui.help import glossary

# how a job's sentence names the part of the test that it is about
OF_PART = re.compile(r"\((\w+), (single|mean of [^)]+)\)")
METRIC_TERMS = {
    "r": "pearson r",
    "mse": "mse",
    "mae": "mae",
    "mse_unit": "mse",
    "mae_unit": "mae",
    "confidence": "confidence",
}
REFERENCE_TERMS = {
    "chance": "chance",
    "mean": "mean",
    "ridge": "ridge",
    "ceiling": "noise ceiling",
    "oracle": "oracle",
}


def value_text(value: float | None, metric: str = "r") -> str:
    """Write a score: two decimals for r, three significant digits for errors, % for confidence."""
    if value is None:
        return "–"
    if metric == "confidence":
        return f"{100 * value:.2f} %"
    # + 0.0: no −0.00
    text = f"{round(value, 2) + 0.0:.2f}" if metric == "r" else f"{value:.3g}"
    return text.replace("-", "−")


def interval_text(info: ScoreInfo) -> str:
    """Write the bootstrap interval."""
    if info.low is None or info.high is None:
        return "no interval"
    low, high = (value_text(v, info.question.metric) for v in (info.low, info.high))
    return f"95 % interval {low} to {high}"


def p_text(p: float | None) -> str:
    """Write a permutation p; it can be no smaller than one over the permutations."""
    if p is None:
        return "no permutation p"
    return "permutation p < 0.001" if p < 0.0005 else f"permutation p = {p:.3f}"


def n_text(info: ScoreInfo) -> str:
    """Write how much the score rests on."""
    what = "trials" if info.question.n_averaged == "single" else "averaged test images"
    return f"{info.n_trials:,} {what} of {info.n_concepts:,} concepts"


def target_text(question: Question) -> str:
    """Write which property the score is of."""
    return "mean over properties" if question.target == "mean" else question.target


def sentence_of(info: ScoreInfo) -> str:
    """Return the score with all that belongs to it in one line of plain text."""
    metric = info.question.metric
    beside = ", ".join(f"{r.label} {value_text(r.value, metric)}" for r in info.references)
    own = f"{METRICS[metric]} {value_text(info.value, metric)} ({interval_text(info)})"
    return f"{own}; {beside}; {p_text(info.p)}; {n_text(info)}."


def score_strip(
    info: ScoreInfo,
    theme: style.Theme,
    key: str,
    *,
    save_as: str = "png",
    could_not_show: Sequence[str] = (),
) -> None:
    """Show one score in full: numbers, the picture, and what it could not show."""
    with st.container(border=True):
        numbers, picture = st.columns([2, 3], vertical_alignment="center")
        with numbers:
            _numbers(info)
        with picture:
            figure = draw_score(info, theme)
            charts.show(figure, theme, f"score_{key}", alt=sentence_of(info), save_as=save_as)
        if could_not_show:
            lines = "\n".join(f"- {plain(sentence)}" for sentence in could_not_show)
            st.caption(f"**What this could not show**\n{lines}")


def limits_of(sentences: Sequence[str], info: ScoreInfo) -> list[str]:
    """Add what the interval itself says to what the job says of this part of its test."""
    wanted = (info.question.part, info.question.n_averaged)
    told = [(sentence, OF_PART.search(sentence)) for sentence in sentences]
    own = [sentence for sentence, found in told if not found or found.groups() == wanted]
    if info.question.metric == "r" and info.low is not None and info.low <= 0:
        return ["That the decoder reads anything at all: the interval reaches zero.", *own]
    return own


def _numbers(info: ScoreInfo) -> None:
    metric = info.question.metric
    st.metric(
        f"{METRICS[metric]}, {target_text(info.question)}",
        value_text(info.value, metric),
        help=glossary(METRIC_TERMS[metric]),
    )
    with st.container(gap="xxsmall"):
        st.markdown(interval_text(info), help=glossary("confidence interval"))
        st.markdown(p_text(info.p), help=glossary("permutation p"))
        st.markdown(n_text(info))
        with st.container(horizontal=True, gap="xsmall"):
            for name, (label, _) in REFERENCES.items():
                if name != info.model:
                    text = f"{label} **{value_text(info.reference(name), metric)}**"
                    st.markdown(text, help=_reference_help(info, name), width="content")


def _reference_help(info: ScoreInfo, name: str) -> str:
    if info.reference(name) is not None:
        return glossary(REFERENCE_TERMS[name])
    why = {
        "mean": "A constant prediction has no correlation with anything.",
        "oracle": "Only planted data have an oracle: somebody must know the truth.",
    }.get(name, "This job has no such reference for this score.")
    return f"{glossary(REFERENCE_TERMS[name])} {why}"
