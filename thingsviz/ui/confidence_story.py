"""What the report's 'confidence' says: the constant predictor's own value beside the model's."""

from __future__ import annotations

import numpy as np
import streamlit as st

from thingsviz.analysis.scoring import constant_confidence, spread_ratio
from thingsviz.figures.scores import score_info
from thingsviz.ui.help import glossary
from thingsviz.ui.predictions_view import View
from thingsviz.ui.scores import value_text

# the report's own result, and the ratio of spreads at which a constant reaches it
REPORT, RATIO = 0.5465, 0.864


def show_confidence(view: View) -> None:
    """Put the model's confidence beside what predicting the mean has without looking."""
    info = score_info(view.scores, view.model, view.question._replace(metric="confidence"))
    if info is None:
        st.caption("The ratings of these properties have no SD: confidence cannot be computed.")
        return
    constant = constant_of(view)
    with st.container(horizontal=True, gap="large"):
        _value(f"{view.model}", info.value, "")
        _value("predicting the mean, scored", info.reference("mean"), "The mean predictor's own.")
        _value(
            "predicting the mean, in theory",
            constant,
            "(2/π)·arctan(1/ρ), averaged over the properties; ρ: spread between the concepts' "
            "ratings over the raters' SD, on the trials shown.",
        )
        _value("the report", REPORT, "Its mean confidence on the test set of its section 3.")
    st.markdown(
        "The report reads 54.65 % as how sure its model is. But 'confidence' is the chance that a "
        "single rater answers further from the mean rating than the prediction is, and raters "
        f"differ a lot: a constant reaches (2/π)·arctan(1/ρ), which is 54.65 % at ρ = {RATIO}, "
        "without looking at any brain. Only what a model has above the constant is its own.",
        help=glossary("confidence"),
    )


def constant_of(view: View) -> float | None:
    """Return the expected confidence of a constant prediction, mean over the rated properties."""
    targets = [t for t in view.config.targets if f"sd_{t}" in view.rows]
    true = view.rows[[f"true_{t}" for t in targets]].to_numpy(float)
    sd = view.rows[[f"sd_{t}" for t in targets]].to_numpy(float)
    known = np.isfinite(sd).all(0) if len(sd) else np.zeros(len(targets), bool)
    if not known.any():
        return None
    return float(np.mean(constant_confidence(spread_ratio(true[:, known], sd[:, known]))))


def _value(label: str, value: float | None, why: str) -> None:
    st.metric(label, value_text(value, "confidence"), help=why or None, width="content")
