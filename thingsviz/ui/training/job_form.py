"""The training form: which decoder, learning what, how; from a click to a job that runs."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import streamlit as st

from models.base.errors import ModelError
from models.base.settings import Settings
from models.catalog.config import CONFIGS, parse_model
from models.catalog.registry import MODELS
from models.presets.presets import PRESETS
from models.training.config import FitConfig, parse_fit
from thingsviz.core.errors import ConfigError, ThingsvizError
from thingsviz.data.things.ratings import available
from thingsviz.jobs.learned import LEARNED
from thingsviz.jobs.recipe import JobConfig, dump_config, parse_config
from thingsviz.ui import actions
from thingsviz.ui.caches import dataset_cache
from thingsviz.ui.job_choice import job_list as jobs_list
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.training.estimates import show_estimate
from thingsviz.ui.training.form_fields import Field, fields_of, fill, form_key, prime, widget
from thingsviz.ui.training.presets import preset_choice, recipe_from
from thingsviz.ui.training.question_form import fill_question, question_form
from thingsviz.ui.training.split_audit import show_audit
from thingsviz.ui.training.start_button import start_button

# a setting that means something only beside another: (group, name) of that one and its value
DEPENDS = {
    "huber_delta": ("loss", "huber"),
    "n_selected_tokens": ("tokens", "brain"),
    "first_patch_size": ("scales", "both"),
    "start_from": ("start", "linear"),
}
# settings that mean nothing where classes are learned: cross-entropy has no scale and no target
OF_RATINGS = frozenset({"loss", "huber_delta", "target_scaling", "target_weights"})
# options that the recipe would refuse, by what is learned and the setting
REFUSED = {
    ("ratings", "loss"): "cross_entropy",
    ("ratings", "best_by"): "validation_top10",
    ("classes", "best_by"): "validation_r",
}
# the recipe has one seed for split, weights and batches
ONE_SEED = {("fit", "seed")}
# four beside each other at a window of 1280 pixels, three at 768
WIDTH = 185
# settings whose help is worth a line of its own
EXPLAINED = ("tokens", "patch_embedding")


def job_form(page: PageContext) -> None:
    """Show the form, what the training would cost, and the button that starts it."""
    if page.kept is None:
        return  # nothing can be trained here; the page has said why
    faults: list[str] = []
    if form_key("model") not in st.session_state:
        fill_form(recipe_from(page, next(iter(PRESETS))), page.store.grid.shape)
    preset_choice(page, fill_form)
    with st.container(border=True):
        st.subheader("What is learned", anchor=False)
        question = question_form(available(page.store.trials.columns), faults)
        show_audit(page, question)
    with st.container(border=True):
        st.subheader("Decoder", anchor=False)
        name = _model_choice(LEARNED[question["learns"]].kind)
        model = {"name": name} | _settings(CONFIGS[name], f"model.{name}", page, faults)
    fit: dict[str, Any] = {}
    if MODELS[name].kind == "network":
        with st.container(border=True):
            st.subheader("Training", anchor=False)
            learned = LEARNED[question["learns"]]
            fit = _settings(FitConfig, "fit", page, faults, learned.kind)
            fit |= {"loss": learned.loss} if learned.loss else {}
    title, seed = _name_and_seed(name)
    data = {"name": title, "dataset": page.dataset.name, "subject": page.subject, "seed": seed}
    _start_row(page, data | question | {"model": model, "fit": fit}, faults)


def fill_form(config: JobConfig, shape: tuple[int, int, int]) -> None:
    """Enter a recipe into the form; a patch that does not divide the grid moves to the next."""
    model = config.model.model_dump(exclude={"name"})
    for name, value in model.items():
        sides = config.model.patch_sides(name, shape)
        if sides is not None and not model["pad"]:
            model[name] = dividing(value, sides)
    st.session_state[form_key("model")] = config.model.name
    fill(f"model.{config.model.name}", model)
    fill("fit", config.fit.model_dump())
    st.session_state[form_key("seed")] = config.seed
    fill_question(config)


def dividing(patch: tuple[int, int, int], shape: tuple[int, int, int]) -> tuple[int, ...]:
    """Return the divisors of the grid's sides that are nearest to a patch's."""
    return tuple(
        min((d for d in range(1, n + 1) if n % d == 0), key=lambda d: abs(np.log(d / p)))
        for p, n in zip(patch, shape, strict=True)
    )


def _model_choice(kind: str) -> str:
    able = {m: f"{m}: {spec.summary}" for m, spec in MODELS.items() if spec.can_learn(kind)}
    key = prime(form_key("model"), "vit3d")
    if st.session_state[key] not in able:
        # a decoder of ratings, once classes are learned, or the other way round
        st.session_state[key] = next(iter(able))
    name = st.selectbox(
        "Model",
        list(able),
        format_func=able.__getitem__,
        key=key,
        persist_state="session",
    )
    return str(name)


def _settings(
    config: type[Settings],
    group: str,
    page: PageContext,
    faults: list[str],
    learned: str = "",
) -> dict[str, Any]:
    """Show the settings of a class, the rarer ones folded away; return what stands in them."""
    fields = [f for f in fields_of(config) if (group, f.name) not in ONE_SEED]
    fields = [
        meant(f, learned) for f in fields if learned != "classes" or f.name not in OF_RATINGS
    ]
    values: dict[str, Any] = {}
    with st.container(horizontal=True, vertical_alignment="top", gap="small"):
        _row([f for f in fields if not f.more], group, page, values, faults)
    for field in fields:
        if field.name in EXPLAINED:
            st.caption(f"**{field.title}.** {field.help}")
    rare = [f for f in fields if f.more]
    if rare:
        with st.expander("More settings"), st.container(horizontal=True, gap="small"):
            _row(rare, group, page, values, faults)
    return values


def meant(field: Field, learned: str) -> Field:
    """Leave out the option of a field that what is learned would refuse."""
    refused = REFUSED.get((learned, field.name))
    return field._replace(options=tuple(o for o in field.options if o != refused))


def _row(
    fields: list[Field],
    group: str,
    page: PageContext,
    values: dict[str, Any],
    faults: list[str],
) -> None:
    for field in fields:
        other, wanted = DEPENDS.get(field.name, ("", ""))
        if other and values.get(other) != wanted:
            continue
        try:
            with st.container(width=WIDTH):
                values[field.name] = widget(field, group, _suggestions(field, group, page))
        except ConfigError as error:
            faults.append(str(error))


def _suggestions(field: Field, group: str, page: PageContext) -> list[str]:
    model = CONFIGS.get(group.removeprefix("model."))
    sides = model.patch_sides(field.name, page.store.grid.shape) if model else None
    if model is None or sides is None:
        return []
    sizes = [dividing(patch, sides) for patch in model.usual_patches()]
    return [" × ".join(map(str, size)) for size in dict.fromkeys(sizes)]


def _name_and_seed(model: str) -> tuple[str, int]:
    with st.container(horizontal=True, gap="small"):
        title = st.text_input(
            "Name",
            key=form_key("name"),
            placeholder=f"{model}-date-time",
            persist_state="session",
            help="The job's folder. Empty: the model, the date and the time.",
            max_chars=80,
            width=2 * WIDTH,
        )
        seed = st.number_input(
            "Seed",
            min_value=0,
            max_value=2**31 - 1,
            step=1,
            key=prime(form_key("seed"), 0),
            persist_state="session",
            help="Draws the split, the first weights and the order of the batches: the same seed "
            "gives the same training.",
            width=WIDTH,
        )
    return (title or "").strip() or f"{model}-{time.strftime('%Y%m%d-%H%M%S')}", int(seed)


def _start_row(page: PageContext, data: dict[str, Any], faults: list[str]) -> None:
    """Check the recipe; show its cost and the button, or the one sentence that is in the way."""
    config = None
    try:
        if faults:
            raise ConfigError(faults[0])
        config = recipe_of(data)
        show_estimate(page, config)
    except (ThingsvizError, ModelError) as error:
        st.error(plain(str(error)), icon=":material/error:")
        config = None
    if start_button("Start training", ready=config is not None) and config is not None:
        begin(page, config)


def recipe_of(data: dict[str, Any]) -> JobConfig:
    """Turn what stands in the form into a recipe, or raise one sentence."""
    data = data | {"model": parse_model(data["model"]).model_dump(mode="json")}
    if data["fit"]:
        data["fit"] = parse_fit(data["fit"]).model_dump(mode="json", exclude={"seed"})
    return parse_config(data, "the form")


def begin(page: PageContext, config: JobConfig) -> None:
    """Make the job's folder, start its process, and show the job."""
    try:
        job = actions.begin_training(config)
    except ThingsvizError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    dataset_cache.forget_folders()
    jobs_list.choose(page, job.name)


def repeat(config: JobConfig, shape: tuple[int, int, int]) -> None:
    """Enter an earlier job's recipe into the form, for a variant of it."""
    fill_form(parse_config(dump_config(config)), shape)
