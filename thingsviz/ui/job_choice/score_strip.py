"""The honesty strip: no page shows a score without its interval, references, limits and n."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from thingsviz.analysis.scores.reference_rows import REFERENCE_ROWS
from thingsviz.core.typography import PERCENT, minus
from thingsviz.figures.base import style
from thingsviz.figures.scores.scores import (
    ScoreInfo,
    ScoreQuestion,
    draw_score,
    is_share,
    metric_name,
    references_of,
)
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import plain
from thingsviz.ui.shell.glossary import glossary

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
REFERENCE_TERMS = {row.name: row.term for row in REFERENCE_ROWS}
ABSENT = {
    "mean": "A constant prediction has no correlation with anything.",
    "oracle": "Only planted data have an oracle: somebody must know the truth.",
    "ceiling": "No ceiling is known for this score.",
}
COULD_NOT = "What this could not show"


def metric_help(metric: str) -> str:
    """Explain a score."""
    return glossary("top-k" if is_share(metric) else METRIC_TERMS[metric])


def value_text(value: float | None, metric: str = "r") -> str:
    """Write a score: two decimals for r, three significant digits for errors, % for shares."""
    if value is None:
        return "–"
    if metric == "confidence" or is_share(metric):
        return f"{100 * value:.2f}{PERCENT}"
    # + 0.0: no −0.00
    text = f"{round(value, 2) + 0.0:.2f}" if metric == "r" else f"{value:.3g}"
    return minus(text)


def own_text(info: ScoreInfo) -> str:
    """Write the score itself; of classes also how many trials it counts."""
    text = value_text(info.value, info.question.metric)
    return text if info.hits is None else f"{text} ({info.hits:,} of {info.n_trials:,})"


def interval_text(info: ScoreInfo) -> str:
    """Write the interval, of which the job's record says how it was found."""
    if info.low is None or info.high is None:
        return "no interval"
    low, high = (value_text(v, info.question.metric) for v in (info.low, info.high))
    over = f" over {info.n_folds} folds" if info.n_folds else ""
    return f"95 % interval {low} to {high}{over}"


def p_text(p: float | None, n_folds: int = 0) -> str:
    """Write a permutation p, which is at least one over the permutations, or that over folds."""
    if n_folds:
        by = f"by the corrected t over {n_folds} folds"
        if p is None:
            return f"no p {by}"
        return f"p < 0.001 {by}" if p < 0.0005 else f"p = {p:.3f} {by}"
    if p is None:
        return "no permutation p"
    return "permutation p < 0.001" if p < 0.0005 else f"permutation p = {p:.3f}"


def n_text(info: ScoreInfo) -> str:
    """Write how much the score rests on."""
    what = "trials" if info.question.n_averaged == "single" else "averaged test images"
    return f"{info.n_trials:,} {what} of {info.n_concepts:,} concepts"


def target_text(question: ScoreQuestion) -> str:
    """Write which property the score is of."""
    if is_share(question.metric):
        return "of the classes"
    return "mean over properties" if question.target == "mean" else question.target


def sentence_of(info: ScoreInfo) -> str:
    """Return the score with all that belongs to it in one line of plain text."""
    metric = info.question.metric
    beside = ", ".join(f"{r.label} {value_text(r.value, metric)}" for r in info.references)
    own = f"{metric_name(metric)} {own_text(info)} ({interval_text(info)})"
    return f"{own}; {beside}; {p_text(info.p, info.n_folds)}; {n_text(info)}."


def short_text(info: ScoreInfo) -> str:
    """Write the score in the fewest words that are honest: interval and references beside it."""
    metric = info.question.metric
    name = "r" if metric == "r" else metric_name(metric)
    text = f"{name} {own_text(info)}"
    if info.low is not None and info.high is not None:
        text += f", {interval_text(info)}"
    return ", ".join(
        [text, *(f"{r.label} {value_text(r.value, metric)}" for r in info.references)]
    )


def whole_text(info: ScoreInfo, could_not_show: Sequence[str] = ()) -> str:
    """Return all of the strip as Markdown, for the hover text of a score's small form."""
    metric = info.question.metric
    lines = [f"**{metric_name(metric)}, {target_text(info.question)}: {own_text(info)}**"]
    lines += [f"- {interval_text(info)}"]
    for name, (label, _) in references_of(metric).items():
        if name != info.model:
            value = info.reference(name)
            why = f" ({absence(name)})" if value is None else ""
            lines.append(f"- {label} {value_text(value, metric)}{why}")
    lines += [
        f"- {plain(p_text(info.p, info.n_folds))}",
        f"- {n_text(info)}",
        "",
        f"**{COULD_NOT}**",
    ]
    limits = limits_of(could_not_show, info) or ["Nothing is recorded with this training."]
    return "\n".join([*lines, *(f"- {plain(sentence)}" for sentence in limits)])


def score_line(
    info: ScoreInfo, could_not_show: Sequence[str] = (), before: Sequence[str] = ()
) -> None:
    """Show one score small: a line, and on hover all that the strip says."""
    words = plain(" · ".join([*before, short_text(info)]))
    st.caption(words, width="content", help=whole_text(info, could_not_show))


def score_strip(
    info: ScoreInfo,
    theme: style.Theme,
    key: str,
    *,
    save_as: str = "png",
    could_not_show: Sequence[str] = (),
) -> None:
    """Show one score in full: numbers, the picture, and what it could not show."""
    limits = limits_of(could_not_show, info)
    with st.container(border=True):
        numbers, picture = st.columns([2, 3], vertical_alignment="center")
        with numbers:
            _numbers(info, could_not_show)
        with picture:
            figure = draw_score(info, theme)
            charts.show(figure, theme, f"score_{key}", alt=sentence_of(info), save_as=save_as)
        if limits:
            lines = "\n".join(f"- {plain(sentence)}" for sentence in limits)
            st.caption(f"**{COULD_NOT}**\n{lines}")


def limits_of(sentences: Sequence[str], info: ScoreInfo) -> list[str]:
    """Add what the interval itself says to what the job says of this part of its test."""
    wanted = (info.question.part, info.question.n_averaged)
    told = [(sentence, OF_PART.search(sentence)) for sentence in sentences]
    own = [sentence for sentence, found in told if not found or found.groups() == wanted]
    nothing = "That the decoder reads anything at all: the interval reaches "
    metric, chance = info.question.metric, info.reference("chance")
    if metric == "r" and info.low is not None and info.low <= 0:
        return _with_first(f"{nothing}zero.", own)
    if is_share(metric) and None not in (info.low, chance) and info.low <= chance:  # type: ignore[operator]
        return _with_first(f"{nothing}chance.", own)
    return own


def _with_first(sentence: str, others: list[str]) -> list[str]:
    return [sentence, *(other for other in others if other != sentence)]


def _numbers(info: ScoreInfo, could_not_show: Sequence[str]) -> None:
    metric = info.question.metric
    st.metric(
        f"{metric_name(metric)}, {target_text(info.question)}",
        own_text(info),
        help=f"{metric_help(metric)}\n\n{whole_text(info, could_not_show)}",
    )
    with st.container(gap="xxsmall"):
        st.markdown(interval_text(info), help=glossary("confidence interval"))
        st.markdown(p_text(info.p, info.n_folds), help=glossary("permutation p"))
        st.markdown(n_text(info))
        with st.container(horizontal=True, gap="xsmall"):
            for name, (label, _) in references_of(metric).items():
                if name != info.model:
                    text = f"{label} **{value_text(info.reference(name), metric)}**"
                    st.markdown(text, help=_reference_help(info, name), width="content")


def absence(name: str) -> str:
    """Say why a job has no such reference."""
    return ABSENT.get(name, "This job has no such reference for this score.")


def _reference_help(info: ScoreInfo, name: str) -> str:
    term = glossary(REFERENCE_TERMS[name])
    return term if info.reference(name) is not None else f"{term} {absence(name)}"
