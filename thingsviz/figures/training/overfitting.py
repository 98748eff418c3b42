"""An overfitting study: losses and hits epoch by epoch, a panel a classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from thingsviz.analysis.curves.overfitting import MARKS, best_epoch, guessing_loss
from thingsviz.figures.base import style

NAMES = {"logistic": "Logistic", "mlp": "MLP", "cnn3d": "3D CNN"}


class TrainingCurves(NamedTuple):
    """One training: what set it apart, and its curves over epochs."""

    label: str
    train: tuple[float, ...]
    validation: tuple[float, ...]
    hits: tuple[float, ...]
    best: int


class StudyInfo(NamedTuple):
    """All trainings of a study by classifier, and what guessing gets."""

    models: dict[str, tuple[TrainingCurves, ...]]
    labels: tuple[str, ...]
    n_classes: int
    n_validation: int


def study_info(rows: Sequence[Mapping[str, Any]]) -> StudyInfo | None:
    """Take the rows of a study; None before its first training ended."""
    if not rows:
        return None
    models: dict[str, tuple[TrainingCurves, ...]] = {}
    for row in rows:
        name = str(row["model"])
        models[name] = (*models.get(name, ()), _run(row))
    labels = tuple(dict.fromkeys(run.label for runs in models.values() for run in runs))
    return StudyInfo(models, labels, int(rows[0]["n_classes"]), int(rows[0]["n_validation"]))


def _run(row: Mapping[str, Any]) -> TrainingCurves:
    decay = f", L2 {row['l2']:g}" if row["l2"] else ""
    return TrainingCurves(
        f"{row['n_train']:,} trials{decay}",
        tuple(row["train_loss"]),
        tuple(row["validation_loss"]),
        tuple(row["validation_top10"]),
        best_epoch(row["validation_loss"]),
    )


def draw_study(info: StudyInfo, theme: style.Theme) -> go.Figure:
    """Draw losses above and validation hits below; the best epoch of each training is a star."""
    p = style.palette(theme)
    n = len(info.models)
    figure = make_subplots(
        rows=2,
        cols=n,
        shared_xaxes=True,
        shared_yaxes=True,
        vertical_spacing=0.09,
        horizontal_spacing=0.03,
        row_heights=[0.62, 0.38],
        subplot_titles=[NAMES.get(name, name) for name in info.models],
    )
    for column, runs in enumerate(info.models.values(), 1):
        for run in runs:
            colour = p.series[info.labels.index(run.label) % len(p.series)]
            for trace, row in _traces(run, colour, first=column == 1):
                figure.add_trace(trace, row, column)
    _references(figure, info, p)
    title = "Loss and Top-10 epoch by epoch; full lines: validation, dotted: training"
    figure.update_layout(
        style.layout(
            theme,
            height=680,
            title={"text": title, "y": 0.98},
            legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.16, "yanchor": "top"},
            margin={"l": 70, "r": 20, "t": 80, "b": 110},
        )
    )
    axis = {"gridcolor": p.grid, "linecolor": p.grid, "zerolinecolor": p.grid}
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    figure.update_xaxes(title_text="Epoch", row=2)
    figure.update_yaxes(row=1, range=_loss_range(info))
    figure.update_yaxes(row=2, range=_hits_range(info), tickformat=".0%")
    figure.update_yaxes(title_text="Cross-entropy", row=1, col=1)
    figure.update_yaxes(title_text="Validation Top-10", row=2, col=1)
    figure.update_annotations(font={"color": p.text, "size": 14})
    return figure


def _loss_range(info: StudyInfo) -> list[float]:
    """Return an axis with twice guessing's loss and all stars: a diverging run leaves it."""
    runs = [run for runs in info.models.values() for run in runs]
    top = max(max(*run.train, *run.validation) for run in runs) * 1.05
    stars = max(run.validation[run.best - 1] for run in runs) * 1.15
    return [0, min(top, max(2 * guessing_loss(info.n_classes), stars))]


def _hits_range(info: StudyInfo) -> list[float]:
    runs = [run for runs in info.models.values() for run in runs]
    top = max(10 / info.n_classes, *(max(run.hits) for run in runs))
    return [0, min(1.15 * top, 1.02)]


def _traces(run: TrainingCurves, colour: str, *, first: bool) -> list[tuple[go.Scatter, int]]:
    epochs = tuple(range(1, len(run.train) + 1))
    common = {"x": epochs, "mode": "lines", "legendgroup": run.label}
    line = {"color": colour, "width": 2}
    star = go.Scatter(
        x=[run.best],
        y=[run.validation[run.best - 1]],
        mode="markers",
        legendgroup=run.label,
        marker={"symbol": "star", "size": 12, "color": colour},
        hovertemplate=f"{run.label}, best epoch %{{x}}: %{{y:.3f}}<extra></extra>",
        showlegend=False,
    )
    return [
        (
            go.Scatter(
                **common,
                y=run.validation,
                name=run.label,
                line=line,
                showlegend=first,
                hovertemplate=f"{run.label}, validation %{{y:.3f}}<extra></extra>",
            ),
            1,
        ),
        (
            go.Scatter(
                **common,
                y=run.train,
                line={**line, "dash": "dot"},
                showlegend=False,
                hovertemplate=f"{run.label}, training %{{y:.3f}}<extra></extra>",
            ),
            1,
        ),
        (star, 1),
        (
            go.Scatter(
                **common,
                y=run.hits,
                line=line,
                showlegend=False,
                hovertemplate=f"{run.label}, Top-10 %{{y:.1%}}<extra></extra>",
            ),
            2,
        ),
    ]


def _references(figure: go.Figure, info: StudyInfo, p: style.Palette) -> None:
    """Mark what guessing gets, and the original study's epochs."""
    look = {"line": {"color": p.muted, "dash": "dash", "width": 1.5}}
    chance = min(10 / info.n_classes, 1)
    for column in range(1, len(info.models) + 1):
        text = {"font": {"color": p.muted, "size": 12}}
        guess, hits = ({**text, "text": words} for words in ("guessing", "chance"))
        words = {"annotation": guess} if column == 1 else {}
        figure.add_hline(guessing_loss(info.n_classes), row=1, col=column, **look, **words)
        words = {"annotation": hits} if column == 1 else {}
        figure.add_hline(chance, row=2, col=column, **look, **words)
        for mark in MARKS:
            line = {"color": p.grid, "width": 1.5}
            figure.add_vline(mark, row="all", col=column, line=line, layer="below")
