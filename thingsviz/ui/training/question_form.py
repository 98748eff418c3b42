"""The part of the training form that asks what is learned: ratings, their scale, the split."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import streamlit as st

from thingsviz.core.errors import ConfigError
from thingsviz.data.things.ratings import TARGETS_10, TARGETS_12
from thingsviz.data.trials.split_choice import LEAVE_ONE_OUT, MOST_FOLDS
from thingsviz.jobs.learned import LEARNED
from thingsviz.jobs.recipe import JobConfig
from thingsviz.ui.training.form_fields import form_key, prime

GROUP = "question"


class QuestionChoice(NamedTuple):
    """What an option is called, and one sentence on what it means."""

    title: str
    sentence: str


SPLITS = {
    "unseen_concepts": QuestionChoice(
        "Unseen concepts",
        "Trains without any picture of the test images' concepts: tells what the decoder makes of "
        "an object that it has never met.",
    ),
    "test_images": QuestionChoice(
        "Test images (the field's protocol)",
        "Trains on all train trials, tests on the repeated test images, single and averaged: "
        "other pictures of the same concepts were in the training.",
    ),
    "concept": QuestionChoice(
        "Concepts",
        "Draws concepts; all trials of a concept stay on one side.",
    ),
    "image": QuestionChoice(
        "Images",
        "Draws images; repeats of an image stay on one side, other pictures of the same concept "
        "may be on the other.",
    ),
    "session": QuestionChoice(
        "Sessions",
        "Draws whole sessions: tells whether the decoder carries over to another day, not whether "
        "it knows new objects.",
    ),
    "run": QuestionChoice(
        "Runs",
        "Draws whole runs of the scanner: what drifts within a run is not on both sides.",
    ),
    "trial": QuestionChoice(
        "Trials (the original study's)",
        "Draws trials one by one: the same concepts and even images stand on both sides, so a "
        "good score may be recognition.",
    ),
}
SCALES = {
    "unit": QuestionChoice(
        "0 to 1", "Each rating from 0 at its lowest answer to 1 at its highest."
    ),
    "raw": QuestionChoice(
        "As rated", "Ratings as people gave them: 1 to 7, 0 to 1, size 0 to 520."
    ),
    "z": QuestionChoice("z", "Mean 0 and spread 1 over the training concepts."),
}
LEARNS = {name: QuestionChoice(known.title, known.sentence) for name, known in LEARNED.items()}
SIZES = {"12": TARGETS_12, "10": TARGETS_10}
SHARES = ("0.8 / 0.1 / 0.1", "0.7 / 0.1 / 0.2", "0.6 / 0.2 / 0.2")
NO_FOLDS, EACH = "one split", "leave one out"
FOLD_COUNTS = ("3", "5", "10")
FOLDS_HELP = (
    "Cross-validation: a decoder that was trained on the other folds tests each fold's trials, so "
    "every trial is predicted once. **leave one out**: a fold for each session or run; a number "
    "(type your own): so many folds. Validation is drawn from what each fold trains on. The "
    "training takes as many times as long as there are folds."
)
# these two kinds take the test trials from the design; the fractions divide the rest
GIVEN_TEST = {"test_images", "unseen_concepts"}


def question_form(available: list[str], faults: list[str]) -> dict[str, Any]:
    """Show what is learned and the split; return those parts of a recipe. Faults are added up."""
    answers: dict[str, Any] = {}
    with st.container(horizontal=True, vertical_alignment="top", gap="small"):
        learns = _choice("learns", "The decoder learns", LEARNS, width=185)
        if LEARNED[learns].kind == "ratings":
            answers["targets"] = _targets(available, faults)
            answers["rating_scale"] = _choice("rating_scale", "Rating scale", SCALES, width=185)
        kind = _choice("kind", "Split", SPLITS, width=185)
        folds = _folds(kind, faults)
        fractions = _fractions(kind, faults)
    st.caption(f"**{SPLITS[kind].title}.** {SPLITS[kind].sentence}")
    split = {"kind": kind, "fractions": fractions, **({"folds": folds} if folds else {})}
    return {"learns": learns, **answers, "split": split}


def _targets(available: list[str], faults: list[str]) -> list[str]:
    sets = [n for n, targets in SIZES.items() if set(targets) <= set(available)]
    key = prime(form_key(GROUP, "targets"), (sets or ["own"])[0])
    if st.session_state[key] not in [*sets, "own"]:
        # a preset's twelve, of ratings that have only ten
        st.session_state[key] = (sets or ["own"])[0]
    size = st.segmented_control(
        "Properties to predict",
        [*sets, "own"],
        required=True,
        selection_mode="single",
        key=key,
        persist_state="session",
        help="12: the original twelve; 10: without nameability and consistency; own: your choice.",
        width=185,
    )
    if size != "own":
        return list(SIZES[str(size)])
    own = prime(form_key(GROUP, "own_targets"), available[:4])
    st.session_state[own] = [t for t in st.session_state[own] if t in available]
    chosen: list[str] = st.multiselect(
        "Own choice of properties",
        available,
        key=own,
        persist_state="session",
        width=420,
    )
    if not chosen:
        faults.append("No property is chosen: choose at least one to predict.")
    return chosen


def _choice(name: str, title: str, choices: Mapping[str, QuestionChoice], width: int) -> str:
    found = st.selectbox(
        title,
        list(choices),
        format_func={name: choice.title for name, choice in choices.items()}.__getitem__,
        key=prime(form_key(GROUP, name), next(iter(choices))),
        persist_state="session",
        help="\n".join(f"- **{c.title}**: {c.sentence}" for c in choices.values()),
        width=width,
    )
    return str(found)


def _folds(kind: str, faults: list[str]) -> int | str | None:
    """Ask for folds; None without, and where the test trials come from the design."""
    key = prime(form_key(GROUP, "folds"), NO_FOLDS)
    options = [NO_FOLDS, *([EACH] if kind in LEAVE_ONE_OUT else []), *FOLD_COUNTS]
    own = st.session_state[key]
    if kind in GIVEN_TEST or (own == EACH and kind not in LEAVE_ONE_OUT):
        st.session_state[key] = own = NO_FOLDS
    text = st.selectbox(
        "Folds",
        [*options, *([own] if own not in options else [])],
        key=key,
        persist_state="session",
        accept_new_options=True,
        disabled=kind in GIVEN_TEST,
        help=FOLDS_HELP,
        width=185,
    )
    try:
        return folds_of(str(text))
    except ConfigError as error:
        faults.append(str(error))
        return None


def folds_of(text: str) -> int | str | None:
    """Read what stands in the field of folds: a number, `leave one out` or `one split`."""
    words = text.strip()
    if words in {NO_FOLDS, EACH}:
        return None if words == NO_FOLDS else "each"
    if words.isdecimal() and 2 <= int(words) <= MOST_FOLDS:
        return int(words)
    msg = f"Folds {text[:40]!r} should be a number from 2 to {MOST_FOLDS}, or one of the list"
    raise ConfigError(msg)


def _fractions(kind: str, faults: list[str]) -> tuple[float, ...]:
    key = prime(form_key(GROUP, "fractions"), SHARES[0])
    own = st.session_state[key]
    text = st.selectbox(
        "Shares of the parts",
        [*SHARES, *([own] if own not in SHARES else [])],
        key=key,
        persist_state="session",
        accept_new_options=True,
        disabled=kind in GIVEN_TEST,
        help="Training / validation / test; type your own. With the two kinds of split whose test "
        "trials come from the design, only training and validation are drawn.",
        width=185,
    )
    try:
        return shares_of(str(text))
    except ConfigError as error:
        faults.append(str(error))
        return shares_of(SHARES[0])


def shares_of(text: str) -> tuple[float, ...]:
    """Read `0.8 / 0.1 / 0.1` or `7:1:2`; the shares are brought to a sum of 1."""
    parts = re.split(r"[/:,;\s]+", text.strip())
    try:
        shares = [float(part) for part in parts]
    except ValueError:
        shares = []
    if len(shares) != 3 or min(shares) < 0 or not 0 < sum(shares) < 1e6 or not shares[0]:
        msg = (
            f"Shares {text!r} should be three numbers for training, validation and test, "
            f"such as '{SHARES[0]}'"
        )
        raise ConfigError(msg)
    return tuple(round(share / sum(shares), 9) for share in shares)


def _folds_text(config: JobConfig) -> str:
    folds = config.split.folds
    return {None: NO_FOLDS, "each": EACH}.get(folds, str(folds))  # type: ignore[arg-type]


def fill_question(config: JobConfig) -> None:
    """Enter the targets, scale and split of a recipe into the form."""
    sets = {targets: name for name, targets in SIZES.items()}
    shares = " / ".join(f"{share:.9g}" for share in config.split.fractions)
    values = {
        "learns": config.learns,
        "targets": sets.get(config.targets, "own"),
        "own_targets": list(config.targets),
        "rating_scale": config.rating_scale,
        "kind": config.split.kind,
        "fractions": shares,
        "folds": _folds_text(config),
    }
    for name, value in values.items():
        st.session_state[form_key(GROUP, name)] = value
