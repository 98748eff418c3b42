"""What 'confidence' says: the constant predictor's own value beside the model's."""

from __future__ import annotations

import numpy as np
import streamlit as st

from thingsviz.analysis.scores.metrics import constant_confidence, spread_ratio
from thingsviz.figures.scores.confidence import (
    RATIO,
    REPORT,
    ConfidenceInfo,
    confidence_info,
    draw_confidence,
)
from thingsviz.figures.scores.scores import score_info
from thingsviz.ui.caches import job_cache
from thingsviz.ui.job_choice.score_strip import sentence_of, value_text, whole_text
from thingsviz.ui.scores.predictions_view import PredictionsView
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.glossary import glossary


def show_confidence(view: PredictionsView, page: PageContext) -> None:
    """Put the model's confidence beside what predicting the mean has without looking."""
    question = view.question._replace(metric="confidence")
    info = score_info(view.scores, view.model, question)
    if info is None:
        st.caption("The ratings of these properties have no SD: confidence cannot be computed.")
        return
    whole = whole_text(info, job_cache.could_not_show(view.job))
    constant = constant_of(view)
    with st.container(horizontal=True, gap="large"):
        _value(f"{view.model}", info.value, whole)
        _value(
            "predicting the mean, scored",
            info.reference("mean"),
            f"The mean predictor's own, beside the model:\n\n{whole}",
        )
        _value(
            "predicting the mean, in theory",
            constant,
            "(2/π)·arctan(1/ρ), averaged over the properties; ρ: spread between the concepts' "
            f"ratings over the raters' SD, on the trials shown. Beside the model:\n\n{whole}",
        )
        _value(
            "the original study",
            REPORT,
            "Its mean confidence on the test set of its section 3, which came with no interval, "
            f"no reference and no count. Beside the model here:\n\n{whole}",
        )
    st.caption(plain(sentence_of(info)), help=whole)
    placed = placed_of(view)
    alt = f"Curve of a constant's confidence over rho with {len(placed.standings)} properties"
    figure = draw_confidence(placed, page.theme)
    charts.show(figure, page.theme, "confidence", alt=alt, save_as=view.save_as)
    st.markdown(
        "The original study reads 54.65 % as how sure its model is. But 'confidence' is the "
        "chance that a single rater answers further from the mean rating than the prediction is, "
        "and raters differ a lot: a constant reaches (2/π)·arctan(1/ρ), which is 54.65 % at ρ = "
        f"{RATIO}, without looking at any brain. Only what a model has above the constant is its "
        "own. The curve is exact for normally spread concepts predicted at their own middle; "
        "two-peaked ratings, and few test concepts away from the training's mean, fall below it.",
        help=f"{glossary('confidence')}\n\n{whole}",
    )


def placed_of(view: PredictionsView) -> ConfidenceInfo:
    """Place each property of a view on the constant's curve, the model's own value beside."""
    question = view.question._replace(metric="confidence")
    found = {
        t: score_info(view.scores, view.model, question._replace(target=t)) for t in _rho(view)
    }
    model = {t: info.value for t, info in found.items() if info}
    mean = {t: v for t, info in found.items() if info and (v := info.reference("mean"))}
    return confidence_info(view.model, _rho(view), model, mean)


def constant_of(view: PredictionsView) -> float | None:
    """Return the expected confidence of a constant prediction, mean over the rated properties."""
    rho = [value for value in _rho(view).values() if np.isfinite(value)]
    return float(np.mean(constant_confidence(rho))) if rho else None


def _rho(view: PredictionsView) -> dict[str, float]:
    """Return ρ of each property that has SDs, on the trials shown."""
    targets = [t for t in view.config.targets if f"sd_{t}" in view.rows]
    true = view.rows[[f"true_{t}" for t in targets]].to_numpy(float)
    sd = view.rows[[f"sd_{t}" for t in targets]].to_numpy(float)
    if not len(sd) or not targets:
        return {}
    return dict(zip(targets, map(float, spread_ratio(true, sd)), strict=True))


def _value(label: str, value: float | None, why: str) -> None:
    st.metric(label, value_text(value, "confidence"), help=why, width="content")
