"""Single trials of a job: the best and the worst read, and one of them with brain and bars."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from thingsviz.analysis.scores.ranking import Ranking, chance_of_profiles, rank_trials
from thingsviz.core.errors import DataError
from thingsviz.core.trial_key import TrialKey
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.ratings import mean_column, sd_column
from thingsviz.figures.brain.slices import draw_slices, slices_info
from thingsviz.figures.scores.ratings import draw_ratings, ratings_info, readable
from thingsviz.figures.scores.scatter import ScatterTrial, trial_of
from thingsviz.ui.brain.slices import regions, start_of
from thingsviz.ui.job_choice.score_strip import value_text
from thingsviz.ui.scores.predictions_view import PredictionsView
from thingsviz.ui.shell import charts
from thingsviz.ui.shell.frame import PageContext, guard, plain
from thingsviz.ui.shell.trial_link import link_to_trial

N_SHOWN = 5
EXPLAINED = {
    "profile r": "Ordered by profile r: how alike the true and the predicted profile over all "
    "properties of a trial are, each property z-scored over the trials shown. Picked from many: "
    "the best look better and the worst worse than the decoder is.",
    "−error": "Ordered by the mean error in units of each property's spread. Picked from many: "
    "the best look better and the worst worse than the decoder is.",
}


def ranking_of(view: PredictionsView) -> Ranking:
    """Order the trials of a view, best first."""
    targets = view.config.targets
    true = view.rows[[f"true_{t}" for t in targets]].to_numpy(float)
    predicted = view.rows[[f"pred_{t}" for t in targets]].to_numpy(float)
    return rank_trials(true, predicted)


def show_best_and_worst(view: PredictionsView, page: PageContext) -> None:
    """List the best and the worst trials, each a click away on the Trials page."""
    ranking = ranking_of(view)
    n = min(N_SHOWN, len(ranking.order) // 2)
    best, worst = st.columns(2)
    with best:
        st.markdown("**Read best**")
        _list(view, page, ranking, ranking.order[:n])
    with worst:
        st.markdown("**Read worst**")
        _list(view, page, ranking, ranking.order[::-1][:n])
    st.caption(f"{EXPLAINED[ranking.kind]} {in_all(view, ranking.kind)}".strip())


def in_all(view: PredictionsView, kind: str) -> str:
    """Say what the mean over all trials is, with its chance, where trials have a profile."""
    if kind != "profile r":
        return ""
    targets = view.config.targets
    true, predicted = (
        view.rows[[f"{prefix}_{t}" for t in targets]].to_numpy(float)
        for prefix in ("true", "pred")
    )
    concepts = view.rows["concept"].to_numpy(str)
    mean, chance, low, high = map(value_text, chance_of_profiles(true, predicted, concepts))
    return (
        f"Over all {len(true):,} trials the mean profile r is {mean}; with the ratings of other "
        f"concepts it is {chance} (95 % of shufflings: {low} to {high})."
    )


def _list(
    view: PredictionsView, page: PageContext, ranking: Ranking, rows: NDArray[np.intp]
) -> None:
    trials = [trial_of(row) for row in view.rows.iloc[rows].itertuples(index=False)]
    for row, trial in zip(rows, trials, strict=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            picture = page.dataset.image_file(trial.image_filename)
            if picture is not None:
                st.image(str(picture), width=44, alt=f"Picture of {readable(trial.concept)}")
            with st.container(width="stretch", gap="xxsmall"):
                link_to_trial(page, trial, view.job.name)
                st.caption(f"{ranking.kind} {value_text(float(ranking.score[row]))}")


def show_one_trial(view: PredictionsView, page: PageContext, clicked: int | None) -> None:
    """Show a chosen trial: picture, slices of the response, true and predicted ratings."""
    ranking = ranking_of(view)
    order = [int(row) for row in ranking.order]
    labels = {row: _label(view.rows.iloc[row], rank) for rank, row in enumerate(order, 1)}
    start = order.index(clicked) if clicked is not None and clicked in labels else 0
    row = st.selectbox(
        "Trial, best first",
        order,
        index=start,
        format_func=labels.__getitem__,
        help="A click on a dot of the scatter above chooses its trial here.",
    )
    chosen = view.rows.iloc[int(row or 0)]
    trial = trial_of(next(chosen.to_frame().T.itertuples(index=False)))
    with guard():
        picture, bars = st.columns([1, 2])
        with picture:
            _picture(view, page, trial)
        with bars:
            _bars(view, page, chosen, trial)
        if page.kept is not None:
            _slices(view, page, trial)


def _label(row: pd.Series, rank: int) -> str:
    where = f"session {row['session']} run {row['run']} trial {row['trial']}"
    return f"{rank}. {readable(str(row['concept']))}, {where}"


def _picture(view: PredictionsView, page: PageContext, trial: ScatterTrial) -> None:
    picture = page.dataset.image_file(trial.image_filename)
    if picture is not None:
        st.image(str(picture), width=220, alt=f"Picture of {readable(trial.concept)}")
    else:
        st.caption(f"The picture {plain(trial.image_filename)} is not in this dataset.")
    link_to_trial(page, trial, view.job.name)


def _slices(view: PredictionsView, page: PageContext, trial: ScatterTrial) -> None:
    volume = response(page.store, trial)
    named = regions(page.store)
    info = slices_info(volume, page.store.mask, page.store.grid, start_of(page.store), named)
    averaged = f", mean of {trial.n_averaged}" if trial.n_averaged > 1 else ""
    simulated = " (SIMULATED)" if page.simulated else ""
    title = f"Response to {readable(trial.concept)}{averaged}{simulated}"
    figure = draw_slices(info, page.theme, title)
    charts.show(
        figure, page.theme, "trial_slices", alt=f"Three slices: {title}", save_as=view.save_as
    )


def response(store: BetaStore, trial: ScatterTrial) -> NDArray[np.float32]:
    """Return the response (X, Y, Z), % signal change; of an average, over the repeats."""
    if trial.n_averaged == 1:
        return store.volume(store.row(TrialKey(trial.session, trial.run, trial.trial)))
    rows = np.flatnonzero(store.trials["image_filename"].eq(trial.image_filename).to_numpy())
    if not len(rows):
        msg = (
            f"the store has no trial of {trial.image_filename!r}: was it prepared from other data?"
        )
        raise DataError(msg)
    volumes = np.stack([store.volume(int(row)) for row in rows])
    return np.asarray(volumes.mean(0), np.float32)


def _bars(
    view: PredictionsView, page: PageContext, chosen: pd.Series, trial: ScatterTrial
) -> None:
    known = _ratings_of(view, page, chosen, trial)
    predicted = {target: float(chosen[f"pred_{target}"]) for target in view.config.targets}
    info = ratings_info({"concept": trial.concept} | known, predicted, view.model)
    charts.show(
        draw_ratings(info, page.theme),
        page.theme,
        "trial_bars",
        alt=f"True and predicted ratings of {readable(trial.concept)}",
        save_as=view.save_as,
    )


def _ratings_of(
    view: PredictionsView, page: PageContext, chosen: pd.Series, trial: ScatterTrial
) -> dict[str, object]:
    """Return all ratings of a trial's concept, or those that the job has predicted."""
    if page.kept is None:
        pairs = (("true", mean_column), ("sd", sd_column))
        found = {
            column(t): chosen.get(f"{prefix}_{t}")
            for prefix, column in pairs
            for t in view.config.targets
        }
        return {name: value for name, value in found.items() if value is not None}
    rows = page.store.trials
    same = rows["image_filename"].eq(trial.image_filename)
    return {str(k): v for k, v in rows[same].iloc[0].items()} if same.any() else {}
