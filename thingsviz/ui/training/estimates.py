"""What a training would rest on and cost, said before it starts: trials, memory, time."""

from __future__ import annotations

from typing import NamedTuple

import psutil
import streamlit as st

from models.cost.estimate import Cost, Size, estimate
from models.linear.config import RidgeConfig
from thingsviz.core.typography import duration
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.trials.folds import fold_names, make_chosen
from thingsviz.data.trials.labels import concepts_shown
from thingsviz.data.trials.split_choice import SplitChoice
from thingsviz.data.trials.splits import Audit, audit
from thingsviz.jobs.recipe import JobConfig
from thingsviz.ui.shell.frame import PageContext

# Python, torch and the data's tables before the first weight [measured by the models' authors]
BASE_BYTES = 0.6e9
LONG_S = 1800


class Parts(NamedTuple):
    """How many trials each part of a split has, and what the test shares with the training."""

    train: int
    validation: int
    test: int
    audit: Audit
    n_folds: int = 1
    """With folds the other numbers are those of the first."""


class Estimate(NamedTuple):
    """What a training takes: `cost` of its own, `references_s` for the ridge beside it."""

    cost: Cost
    references_s: float
    n_bytes: float
    n_folds: int = 1

    @property
    def seconds(self) -> float:
        """The whole, references and all folds included."""
        return self.n_folds * (self.cost.seconds + self.references_s)


def show_estimate(page: PageContext, config: JobConfig) -> None:
    """Show the parts of the split with what they share, and the cost of the training."""
    found = parts_of(page, config)
    need = estimate_of(config, page.store, found)
    st.markdown(f"{parts_text(found)}  \n{cost_text(need)}")
    for sentence in worries(need, psutil.virtual_memory().available):
        st.warning(sentence, icon=":material/hourglass:")


def parts_of(page: PageContext, config: JobConfig) -> Parts:
    """Count the parts of a recipe's split."""
    return _parts(page.store.fingerprint, config.split.choice, _store=page.store)


def whole_estimate(page: PageContext, config: JobConfig) -> Estimate:
    """Estimate a recipe's training on the subject shown."""
    return estimate_of(config, page.store, parts_of(page, config))


@st.cache_data(max_entries=64, show_spinner=False)
def _parts(fingerprint: str, choice: SplitChoice, _store: BetaStore) -> Parts:
    """Draw the split as the job will, and count it."""
    split = make_chosen(_store.trials, choice)
    found = audit(_store.trials, split)
    whole = choice.folds is not None and choice.fold is None
    n_folds = len(fold_names(_store.trials, choice)) if whole else 1
    return Parts(len(split.train), len(split.validation), len(split.test), found, n_folds)


def estimate_of(config: JobConfig, store: BetaStore, parts: Parts) -> Estimate:
    """Estimate a training and the reference rows that are computed beside it, once."""
    size = Size(parts.train, parts.validation, n_outputs(config, store))
    own = estimate(config.model, store.mask, config.fit, size)
    ridge = estimate(RidgeConfig(), store.mask, config.fit, size)
    held = BASE_BYTES + max(own.bytes, ridge.bytes)
    return Estimate(own, ridge.seconds, held, parts.n_folds)


def n_outputs(config: JobConfig, store: BetaStore) -> int:
    """Return how many numbers a decoder puts out: one a property, or at most one a class."""
    if config.learned.kind == "ratings":
        return len(config.targets)
    return config.learned.n_classes or len(concepts_shown(store.trials))


def parts_text(parts: Parts) -> str:
    """Say how many trials each part has and what the test shares with the training."""
    found = parts.audit
    text = f"**{parts.n_folds} folds**; the first: " if parts.n_folds > 1 else ""
    text += f"**{parts.train:,}** training, **{parts.validation:,}** validation and "
    text += f"**{parts.test:,}** test trials. Of {found.test_concepts:,} test concepts the "
    text += f"training saw **{found.shared_concepts:,}**, of {found.test_images:,} test images "
    return text + f"**{found.shared_images:,}**."


def cost_text(need: Estimate) -> str:
    """Say what the training takes; an estimate is right within a factor of about two."""
    own = need.cost
    size = f"**{count_text(own.parameters)}** parameters"
    size += f" on **{own.n_tokens:,}** tokens" if own.n_tokens else ""
    time = f"{time_text(need, bold='**')} on this machine when nothing else runs"
    return f"{size}, about **{need.n_bytes / 1e9:.1f} GB** of memory, {time}."


def time_text(need: Estimate, bold: str = "") -> str:
    """Say how long the whole takes, and an epoch of it where there is more than one."""
    whole, own = f"about {bold}{duration(need.seconds)}{bold}", need.cost
    if need.n_folds > 1:
        return f"{whole} for {need.n_folds} folds ({duration(need.seconds / need.n_folds)} a fold)"
    if own.seconds <= own.seconds_per_epoch:
        return whole
    return f"{whole} ({duration(own.seconds_per_epoch)} an epoch)"


def worries(need: Estimate, available: float) -> list[str]:
    """Return what should be thought over before the start."""
    found = []
    if need.n_bytes > available:
        found.append(
            f"This needs about {need.n_bytes / 1e9:.1f} GB of memory and {available / 1e9:.1f} GB "
            "are free: fewer trials in memory (More settings) or larger patches need less."
        )
    if need.seconds > LONG_S:
        found.append(
            f"This takes about {duration(need.seconds)} here: it goes on when you leave, and "
            "fewer epochs or smaller settings take less."
        )
    return found


def count_text(count: int) -> str:
    """Write a count of parameters: 950, 12 k, 20.1 M."""
    if count < 10_000:
        return f"{count:,}"
    return f"{count / 1e6:.1f} M" if count >= 950_000 else f"{count / 1e3:.0f} k"
