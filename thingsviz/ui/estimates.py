"""What a training would rest on and cost, said before it starts: trials, memory, time."""

from __future__ import annotations

import streamlit as st

from thingsviz.data.betas import BetaStore
from thingsviz.data.splits import Audit, audit, make_split
from thingsviz.jobs.config import JobConfig
from thingsviz.ui.frame import PageContext


def show_estimate(page: PageContext, config: JobConfig) -> None:
    """Show the parts of the split with what they share, and the cost of the training."""
    split = config.split
    counts, found = _parts(
        page.store.fingerprint, split.kind, split.fractions, split.seed, _store=page.store
    )
    st.caption(parts_text(counts, found))


@st.cache_data(max_entries=64, show_spinner=False)
def _parts(
    fingerprint: str,
    kind: str,
    fractions: tuple[float, float, float],
    seed: int,
    _store: BetaStore,
) -> tuple[tuple[int, int, int], Audit]:
    """Draw the split as the job will, and count it."""
    split = make_split(_store.trials, kind, fractions, seed)
    counts = (len(split.train), len(split.validation), len(split.test))
    return counts, audit(_store.trials, split)


def parts_text(counts: tuple[int, int, int], found: Audit) -> str:
    """Say how many trials each part has and what the test shares with the training."""
    train, validation, test = counts
    text = f"**{train:,}** training, **{validation:,}** validation, **{test:,}** test trials"
    text += f" of {found.test_concepts:,} concepts"
    if found.shared_images:
        text += (
            f"; {found.shared_images:,} of {found.test_images:,} test images are in the training"
        )
    text += f"; {found.shared_concepts:,} test concepts are in the training."
    return text
