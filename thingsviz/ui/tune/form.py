"""The form of a new study: what to tune, over which space, how, and what that will cost."""

from __future__ import annotations

import random
import time
from typing import Any

import streamlit as st

from models.base.errors import ModelError
from models.catalog.registry import MODELS
from models.cost.estimate import Size, estimate
from models.linear.config import RidgeConfig
from models.presets.presets import PRESETS
from thingsviz.core.errors import ConfigError, ThingsvizError
from thingsviz.core.typography import duration
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.trials.folds import make_chosen
from thingsviz.data.trials.split_choice import SplitChoice
from thingsviz.jobs.learned import VALIDATION
from thingsviz.jobs.recipe import JobConfig, parse_config
from thingsviz.studies.config import StudyConfig, parse_study
from thingsviz.studies.space import (
    ChoiceRange,
    IntegerRange,
    Range,
    Value,
    suggested_space,
    with_values,
)
from thingsviz.ui import actions
from thingsviz.ui.caches import dataset_cache
from thingsviz.ui.shell import ui_state
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.shell.ui_state import Key
from thingsviz.ui.training import job_form
from thingsviz.ui.training.form_fields import form_key, prime
from thingsviz.ui.training.presets import recipe_from
from thingsviz.ui.training.start_button import start_button
from thingsviz.ui.tune import space as tune_space

RIDGE = "ridge"
JOB = "job:"
SAMPLERS = {"tpe": "TPE (learns)", "random": "random"}
PRUNERS = {
    "none": "none",
    "median": "median of the earlier",
    "successive_halving": "successive halving",
    "hyperband": "hyperband",
}
CONTROLS_HELP = (
    "A study is only worth its cost if it finds better settings than as many random ones, and "
    "than the settings it began with. Both are trained beside it and scored on the same test "
    "trials. The random search takes as many candidates again."
)
DRAWS = 8
MOST_JOBS = 30


def study_form(page: PageContext, choose: Any) -> None:  # noqa: ANN401
    """Show the form; `choose(name)` turns the page to the study that was started."""
    fault = ""
    data: dict[str, Any] = {}
    base = _base(page)
    with st.container(border=True):
        st.subheader("What may vary", anchor=False)
        st.caption("Everything else stays as the base has it.")
        try:
            data["space"] = tune_space.space_editor(base)
        except ThingsvizError as error:
            fault = str(error)
    with st.container(border=True):
        st.subheader("How to search", anchor=False)
        data |= _search(base)
    data |= {"base": base.model_dump(mode="json")}
    _start_row(page, data, fault, choose)


def _base(page: PageContext) -> JobConfig:
    """Let the visitor choose a preset or an earlier training; fill the editor when it changes."""
    titles = {key: f"preset: {preset.title}" for key, preset in PRESETS.items()}
    titles[RIDGE] = f"preset: {MODELS['ridge'].summary.split(':')[0]}"
    for job in dataset_cache.jobs()[:MOST_JOBS]:
        if (dataset_cache.job_subject(job) or ("", ""))[1] == page.subject and _is_here(page, job):
            titles[f"{JOB}{job.name}"] = f"training {job.name}"
    key = prime(form_key("tune", "base"), next(iter(titles)))
    if st.session_state[key] not in titles:
        st.session_state[key] = next(iter(titles))
    chosen = st.selectbox(
        "Base",
        list(titles),
        format_func=titles.__getitem__,
        key=key,
        persist_state="session",
        help="The settings that the study begins with: a preset, or an earlier training.",
    )
    base = with_one_split(base_of(page, str(chosen)))
    if ui_state.get(Key.TUNE_BASE) != (chosen, page.dataset.name):
        ui_state.put(Key.TUNE_BASE, (chosen, page.dataset.name))
        tune_space.fill_space(suggested_space(base))
    return base


def _is_here(page: PageContext, job: Any) -> bool:  # noqa: ANN401
    whose = dataset_cache.job_subject(job)
    return whose is not None and whose[0].rstrip("/").rsplit("/", 1)[-1] == page.dataset.name


def base_of(page: PageContext, chosen: str) -> JobConfig:
    """Return the recipe of a choice; a patch that does not divide the grid moves to the next."""
    if chosen.startswith(JOB):
        found = {job.name: job for job in dataset_cache.jobs()}
        config = found[chosen.removeprefix(JOB)].config()
        return config.model_copy(update={"role": "training", "study": None})
    if chosen == RIDGE:
        return parse_config({"dataset": page.dataset.name, "subject": page.subject})
    config = recipe_from(page, chosen).model_copy(update={"subject": page.subject})
    patch = getattr(config.model, "patch_size", None)
    if patch is None or getattr(config.model, "pad", False):
        return config
    sizes = job_form.dividing(patch, page.store.grid.shape)
    return with_values(config, {"model.patch_size": sizes})


def with_one_split(config: JobConfig) -> JobConfig:
    """Return a recipe whose candidates share one validation part: the first fold's, of folds."""
    if not config.split.is_cross_validation:
        return config
    return config.model_copy(update={"split": config.split.model_copy(update={"fold": 1})})


def _search(base: JobConfig) -> dict[str, Any]:
    network = MODELS[base.model.name].kind == "network"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        sampler = _select("Sampler", SAMPLERS, "sampler", "Who proposes the next candidate.")
        pruner = "none"
        if network:
            words = "Ends candidates early that do worse than others did at the same epoch."
            pruner = _select("Pruner", PRUNERS, "pruner", words)
        words = "Candidates are compared on the validation trials only; never on the test."
        fitting = {name: VALIDATION[name] for name in base.learned.objectives}
        objective = _select(
            "Compare by", fitting, f"objective_{len(fitting)}_{base.learns}", words
        )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        n = _whole("Candidates", "n", 12, 1, 10_000, "How many settings are tried.")
        workers = _whole("Workers", "workers", 1, 1, 64, "Candidates trained at the same time.")
        seed = _whole("Seed", "seed", 0, 0, 2**31 - 1, "The same seed draws the same candidates.")
        name = st.text_input(
            "Name",
            key=form_key("tune", "name"),
            placeholder="study-date-time",
            persist_state="session",
            max_chars=60,
            width=230,
        )
    controls = st.checkbox(
        "Also train an equal-cost random search and the default settings",
        key=prime(form_key("tune", "controls"), True),
        persist_state="session",
        help=CONTROLS_HELP,
    )
    return {
        "name": (name or "").strip() or f"study-{time.strftime('%Y%m%d-%H%M%S')}",
        "sampler": sampler,
        "pruner": pruner,
        "objective": objective,
        "n_candidates": n,
        "workers": workers,
        "seed": seed,
        "controls": ["random", "default"] if controls else [],
    }


def _select(label: str, options: dict[str, str], key: str, words: str) -> str:
    first = next(iter(options))
    found = st.selectbox(
        label,
        list(options),
        format_func=options.__getitem__,
        key=prime(form_key("tune", key), first),
        persist_state="session",
        help=words,
        width=230,
    )
    return str(found)


def _whole(label: str, key: str, start: int, low: int, high: int, words: str) -> int:
    found = st.number_input(
        label,
        low,
        high,
        step=1,
        key=prime(form_key("tune", key), start),
        persist_state="session",
        help=words,
        width=130,
    )
    return int(found)


def _start_row(page: PageContext, data: dict[str, Any], fault: str, choose: Any) -> None:  # noqa: ANN401
    config = None
    try:
        if fault:
            raise ConfigError(fault)
        config = parse_study(data, "the form")
        st.markdown(cost_text(config, seconds_of(page, config)))
    except (ThingsvizError, ModelError) as error:
        st.error(plain(str(error)), icon=":material/error:")
        config = None
    if start_button("Start study", ready=config is not None) and config is not None:
        try:
            folder = actions.begin_study(config)
        except ThingsvizError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return
        choose(folder.name)


def cost_text(config: StudyConfig, seconds: tuple[float, float]) -> str:
    """Say how many trainings a study takes, and about how long."""
    n, (candidate, final) = config.n_candidates, seconds
    parts = [f"**{n}** candidates"]
    if "random" in config.controls:
        parts.append(f"**{n}** of the random search")
    finals = 1 + len(config.controls)
    parts.append(f"**{finals}** final training{'s' if finals > 1 else ''}")
    searches = 1 + ("random" in config.controls)
    whole = searches * n * candidate / config.workers + finals * final
    pruned = "; pruning makes it shorter" if config.pruner != "none" else ""
    return (
        f"{', '.join(parts)}: about **{duration(whole)}** on this machine when nothing else runs "
        f"(about {duration(candidate)} a candidate{pruned}). It goes on when you leave, and can "
        "be stopped and resumed."
    )


def seconds_of(page: PageContext, config: StudyConfig) -> tuple[float, float]:
    """Return the estimated seconds of a candidate and of a final training.

    The mean over a few draws from the space; combinations that cannot work are left out.
    """
    sizes = _sizes(page.store.fingerprint, config.base.split.choice, _s=page.store)
    size = Size(*sizes, len(config.base.targets))
    rng = random.Random(0)
    found = []
    for _ in range(DRAWS):
        values = {name: _draw(rng, values) for name, values in config.space.items()}
        try:
            recipe = with_values(config.base, values)
        except ThingsvizError:
            continue
        found.append(estimate(recipe.model, page.store.mask, recipe.fit, size).seconds)
    if not found:
        msg = "no combination of these values can work: look at what divides what"
        raise ConfigError(msg)
    mean = sum(found) / len(found)
    ridge = estimate(RidgeConfig(), page.store.mask, config.base.fit, size).seconds
    return mean, mean + ridge


def _draw(rng: random.Random, values: Range) -> Value:
    if isinstance(values, ChoiceRange):
        return rng.choice(values.options)
    low, high, share = values.low, values.high, rng.random()
    found = low * (high / low) ** share if values.log else low + (high - low) * share
    return round(found) if isinstance(values, IntegerRange) else float(found)


@st.cache_data(max_entries=64, show_spinner=False)
def _sizes(fingerprint: str, choice: SplitChoice, _s: BetaStore) -> tuple[int, int]:
    split = make_chosen(_s.trials, choice)
    return len(split.train), len(split.validation)
