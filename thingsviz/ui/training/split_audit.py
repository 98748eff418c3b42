"""What a result of the chosen split could mean, beside the choice and before any training."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import streamlit as st

from thingsviz.analysis.scores.power import (
    concepts_needed,
    hits_needed,
    smallest_r,
    smallest_share,
    trials_needed,
)
from thingsviz.analysis.scores.split_verdict import SplitVerdict, verdicts
from thingsviz.core.errors import ThingsvizError
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset
from thingsviz.data.trials.folds import (
    FoldsAudit,
    audit_folds,
    fold_names,
    make_chosen,
    make_folds,
)
from thingsviz.data.trials.labels import concepts_shown, label_map
from thingsviz.data.trials.split_choice import SplitChoice
from thingsviz.data.trials.splits import Audit, ClassBalance, audit, class_balance, make_split
from thingsviz.jobs.learned import LEARNED
from thingsviz.ui.shell.frame import PageContext, plain
from thingsviz.ui.training.form_fields import form_key, prime

GROUP = "question"
TOP = 10
EFFECT_HELP = (
    "How small an effect should the test be able to show? With one-sided p at most 5 %, seen 80 "
    "times in 100. For r: Fisher's z over concepts, n = ((1.645 + 0.842) / artanh r)² + 3 (Cohen "
    "1988); for hits: the exact binomial test. A mean over properties needs somewhat fewer."
)


class AuditedSplit(NamedTuple):
    """A split as it would be drawn: what its parts share, and how classes are spread."""

    audit: Audit
    """With folds the counts of all folds added up."""
    balance: ClassBalance | None
    """With folds that of the first."""
    folds: FoldsAudit | None = None
    names: tuple[str, ...] = ()
    n_concepts: int = 0
    """With folds, how many different concepts all of them test."""

    @property
    def tested_concepts(self) -> int:
        """How many different concepts are tested."""
        return self.n_concepts or self.audit.test_concepts


def show_audit(page: PageContext, question: Mapping[str, Any]) -> None:
    """Show what the split allows to be said; `question` as the form returns it."""
    learns = str(question.get("learns", "ratings"))
    split, seed = question["split"], int(st.session_state.get(form_key("seed"), 0) or 0)
    try:
        found = _audited(
            page.store.fingerprint,
            SplitChoice(split["kind"], tuple(split["fractions"]), seed, split.get("folds")),
            learns,
            _data=(page.dataset, page.subject, page.store),
        )
    except ThingsvizError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.markdown("  \n".join([*folds_text(found), *counts_text(found, learns)]))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _power(found, learns)
    for verdict in verdicts(found.audit, learns):
        _show_verdict(page, verdict, split, seed)


@st.cache_data(max_entries=128, show_spinner=False)
def _audited(
    fingerprint: str,
    choice: SplitChoice,
    learns: str,
    _data: tuple[Dataset, str, BetaStore],
) -> AuditedSplit:
    """Draw the split as the job will and count it: 20 ms for 9,840 trials, then kept."""
    dataset, subject, store = _data
    split = make_chosen(store.trials, choice)
    balance = None
    if LEARNED[learns].kind == "classes":
        labels = label_map(dataset, subject, learns, store.trials)
        concepts = store.trials["concept"].fillna("").to_numpy(str)
        balance = class_balance(labels.classes_of(concepts), split, len(labels.names))
    if choice.folds is None:
        return AuditedSplit(audit(store.trials, split), balance)
    found = audit_folds(store.trials, make_folds(store.trials, choice))
    names = tuple(fold_names(store.trials, choice))
    n_concepts = len(concepts_shown(store.trials))
    return AuditedSplit(found.together, balance, found, names, n_concepts)


def folds_text(found: AuditedSplit) -> list[str]:
    """Say how many folds there are, how many trials each tests, and how many leak."""
    folds = found.folds
    if folds is None:
        return []
    n, named = len(folds.folds), f"{found.names[0]} to {found.names[-1]}"
    size = (
        f"{folds.fewest:,}" if folds.fewest == folds.most else f"{folds.fewest:,}–{folds.most:,}"
    )
    once = "each trial is tested once" if not folds.n_twice else f"{folds.n_twice:,} tested twice"
    leaking = (
        f"**{folds.leaking} of {n}** folds test images that their training shows"
        if folds.leaking
        else "no fold tests an image that its training shows"
    )
    return [f"**{n} folds** ({named}), **{size}** test trials each: {once}; {leaking}."]


def counts_text(found: AuditedSplit, learns: str) -> list[str]:
    """Say what is leaked, repeated, learnable, and how the classes are spread."""
    a = found.audit
    repeats = (
        f"**{a.repeated_images:,}** of them shown more than once" if a.repeated_images else ""
    )
    lines = [
        f"Leaked images **{a.shared_images:,} of {a.test_images:,}** test images"
        + (f", {repeats}" if repeats else "")
        + f". Learnable: **{100 * a.learnable:.0f} %** of {a.test_trials:,} test trials show a "
        "concept that the training shows"
        + ("." if learns == "concepts" else "; at 0 % a score is about unseen things.")
    ]
    if found.balance is not None:
        b = found.balance
        lines.append(
            f"Classes: **{b.n_trained:,} of {b.n_classes:,}** have training trials, {b.fewest:,} "
            f"to {b.most:,} each; always naming the largest is right on about "
            f"**{_percent(b.largest_share)}**."
        )
    return lines


def _power(found: AuditedSplit, learns: str) -> None:
    if LEARNED[learns].kind == "ratings":
        effect = _effect("Effect to be seen (r)", "effect_r", 0.2, 0.01)
        st.markdown(r_text(found.tested_concepts, effect))
        return
    n_classes = found.balance.n_classes if found.balance else 1
    k = TOP if n_classes > TOP else 1
    effect = _effect(f"Effect to be seen (Top-{k}, %)", "effect_share", 5.0, 0.1) / 100
    st.markdown(share_text(found.audit.test_trials, k, n_classes, effect))


def _effect(label: str, name: str, default: float, step: float) -> float:
    value = st.number_input(
        label,
        min_value=step,
        max_value=0.99 if step < 0.1 else 99.0,
        step=step,
        key=prime(form_key(GROUP, name), default),
        persist_state="session",
        help=EFFECT_HELP,
        width=185,
    )
    return float(value or default)


def r_text(n_concepts: int, effect: float) -> str:
    """Say which r of one property so many test concepts show, and what the effect would need."""
    need = concepts_needed(effect)
    able = "enough" if n_concepts >= need else "too few"
    return (
        f"**{n_concepts:,}** test concepts show an r of one property from "
        f"**{smallest_r(n_concepts):.2f}** on. An r of {effect:.2f} needs **{need:,}** concepts: "
        f"here are {able}."
    )


def share_text(n_trials: int, k: int, n_classes: int, effect: float) -> str:
    """Say which share of hits so many test trials show, and what the effect would need."""
    chance = k / max(n_classes, 1)
    least = _percent(smallest_share(n_trials, chance))
    text = (
        f"Chance is **{100 * chance:.2f} %**. **{n_trials:,}** single test trials show a Top-{k} "
        f"from **{least}** on ({hits_needed(n_trials, chance):,} hits are more than chance). "
    )
    if effect <= chance:
        return f"{text}{_percent(effect)} is no more than chance."
    need = trials_needed(effect, chance)
    if need is None:
        return f"{text}{_percent(effect)} would need more than 200,000 trials."
    able = "enough" if n_trials >= need else "too few"
    return f"{text}{_percent(effect)} needs **{need:,}** trials: here are {able}."


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _show_verdict(
    page: PageContext, verdict: SplitVerdict, split: Mapping[str, Any], seed: int
) -> None:
    from thingsviz.ui.training.question_form import SPLITS

    st.error(plain(verdict.sentence), icon=":material/block:")
    mend = mending(page.store, verdict, split["fractions"], seed, split["kind"])
    if mend is not None:
        st.button(
            f"Split by {SPLITS[mend].title.lower()} instead",
            icon=":material/healing:",
            key=f"w_mend_{mend}",
            help=SPLITS[mend].sentence,
            on_click=partial(_choose, mend),
        )


def mending(
    store: BetaStore,
    verdict: SplitVerdict,
    fractions: tuple[float, float, float],
    seed: int,
    now: str,
) -> str | None:
    """Return the first split that mends it and that these trials allow."""
    for kind in verdict.mends:
        if kind != now:
            try:
                make_split(store.trials, kind, fractions, seed)
            except ThingsvizError:
                continue
            return kind
    return None


def _choose(kind: str) -> None:
    st.session_state[form_key(GROUP, "kind")] = kind
