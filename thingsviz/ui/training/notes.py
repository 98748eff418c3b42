"""Whether a network that began as a fitted decoder keeps that start, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.training.config import FitConfig
from thingsviz.core.typography import MINUS
from thingsviz.jobs.learned import VALIDATION


def start_text(rows: Sequence[Mapping[str, Any]], fit: FitConfig) -> str:
    """Say which epoch is kept and how surely it is above the start; '' where nothing was fitted.

    `rows` of metrics.jsonl; those of epochs after a fitted start have its gain and standard error.
    """
    epochs = [row for row in rows if row.get("kind") == "epoch"]
    judged = [row for row in epochs if row.get("gain") is not None]
    if not judged:
        return ""
    kept = next((row for row in reversed(epochs) if row.get("best")), epochs[0])
    ask = f"{fit.start_margin:g} standard error" + ("s" if fit.start_margin != 1 else "")
    top = kept if kept in judged else max(judged, key=lambda row: float(row["gain"]))
    unit = VALIDATION[fit.best_by].replace("V", "v")
    gain = f"a gain of {_signed(top['gain'])} ± {_short(top['gain_se'])} in {unit}"
    if kept in judged:
        return (
            f"Epoch {kept['epoch']} is kept: {gain} against the fitted start, which is more than "
            f"{ask}."
        )
    return (
        f"The fitted start is kept: the best epoch ({top['epoch']}) has {gain} against it, and "
        f"only a gain of more than {ask} is not taken for luck."
    )


def _signed(value: float) -> str:
    return ("+" if value >= 0 else MINUS) + _short(abs(value))


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1) if value < 1 else f"{value:.2f}"
