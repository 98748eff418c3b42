"""What the Home page shows: the datasets here, the state of each subject, the first steps."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from thingsviz.data.store.beta_store import StoreState
from thingsviz.data.things.layout import Dataset, datasets_root
from thingsviz.figures.base.counts import counts_info, draw_counts
from thingsviz.figures.base.style import Theme
from thingsviz.ui import actions
from thingsviz.ui.caches import dataset_cache
from thingsviz.ui.caches.dataset_cache import DatasetEntry
from thingsviz.ui.shell import background
from thingsviz.ui.shell.frame import PAGES, guard, page_path, plain
from thingsviz.ui.shell.glossary import glossary

Colour = Literal["green", "blue", "orange", "red", "gray"]
BADGES: dict[str, tuple[Colour, str]] = {
    "ready": ("green", ":material/check_circle:"),
    "preparing": ("blue", ":material/hourglass_top:"),
    "raw": ("orange", ":material/inventory_2:"),
    "stale": ("orange", ":material/update:"),
    "broken": ("red", ":material/error:"),
    "missing": ("gray", ":material/help:"),
}
STEPS = {
    "trials.py": "step through single trials: picture, ratings, response",
    "brain.py": "turn the response around in 3D",
    "train.py": "train a decoder and watch its loss",
    "predictions.py": "see what it believes the person saw, and how good that is",
}
LAYOUT = """\
DATASET/betas_vol/scalematched/sub-01/ses-things01/sub-01_ses-things01_run-01_betas.nii.gz
                                                   sub-01_ses-things01_run-01_conditions.tsv
DATASET/brainmasks/sub-01_space-T1w_brainmask.nii.gz
DATASET/image/_image_database_things/images/aardvark/aardvark_01b.jpg
DATASET/image/01_image-level/image-paths.csv
DATASET/image/02_object-level/_property-ratings.tsv"""


def show_home(theme: Theme) -> None:
    """Show the data, or how to get some."""
    found = dataset_cache.datasets()
    background.show_tasks()
    if not found:
        _show_empty()
        return
    for known in found:
        with guard():
            _show_dataset(known, theme)
    _show_steps()
    _show_more(found)


def _show_empty() -> None:
    st.info("There are no data here yet.", icon=":material/info:")
    _demo_button("primary")
    _real_data()


def _demo_button(kind: Literal["primary", "secondary"]) -> None:
    last = background.last_plant()
    if last is not None and last.state == "failed":
        st.error(plain(f"The last planting ended early: {last.message}"))
    refused = plain(actions.refusal())
    st.button(
        "Make the demo data",
        type=kind,
        icon=":material/potted_plant:",
        on_click=background.start_demo,
        disabled=bool(refused) or (last is not None and last.state == "running"),
        help=refused or None,
    )
    st.caption(
        "One SIMULATED subject of 12 sessions in the published layout: 1 GB, a minute or two.",
        help=glossary("simulated"),
    )


def _real_data() -> None:
    st.markdown(
        plain(
            f"Real THINGS-fMRI data go into a folder of their own in {datasets_root()}, as they "
        )
        + "are published:"
    )
    st.code(LAYOUT, language=None)
    st.caption("This page sees them a few seconds after they are there: reload it.")


def _show_dataset(known: DatasetEntry, theme: Theme) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.subheader(plain(known.dataset.name), anchor=False, width="content")
            if known.simulated:
                st.badge("SIMULATED", color="orange", help=glossary("simulated"))
        if known.fault:
            st.error(_sentence(known.fault))
        elif not known.subjects:
            st.caption("No subject is in this dataset.")
        for subject in known.subjects:
            with guard():
                _show_subject(known.dataset, subject, theme)


def _show_subject(dataset: Dataset, subject: str, theme: Theme) -> None:
    found = dataset_cache.state_of(dataset, subject)
    colour, icon = BADGES[found.state]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(subject)}**", width="content")
        st.badge(found.state, color=colour, icon=icon, help=glossary("prepare"))
        _prepare_button(dataset, subject, found)
    if found.reason:
        (st.error if found.state == "broken" else st.caption)(_sentence(found.reason))
    _last_failure(dataset, subject, found)
    if "by_session" in found.counts:
        _show_counts(dataset, subject, found, theme)
    for warning in found.warnings:
        st.warning(_sentence(warning), icon=":material/warning:")


def _sentence(text: str) -> str:
    """Begin with a capital and end with a stop; a path at the start stays as it is."""
    first = text.split(" ", 1)[0]
    return plain(f"{text[:1].upper() if first.isalpha() else text[:1]}{text[1:].rstrip('.')}.")


def _prepare_button(dataset: Dataset, subject: str, found: StoreState) -> None:
    if found.state in {"ready", "preparing"}:
        return
    runs = dataset.runs(subject)
    whole = any(run.betas for run in runs) or dataset.table_release(subject).complete
    if not whole and not runs:
        return
    refused = plain(actions.refusal())
    again = " again" if found.state in {"stale", "broken"} else ""
    st.button(
        f"Prepare{again}" if whole else "Prepare the trials table",
        key=f"prepare_{dataset.name}_{subject}",
        type="primary",
        on_click=background.start_prepare,
        args=(dataset, subject, *(() if whole else ("--table-only",))),
        help=refused or glossary("prepare"),
        disabled=bool(refused),
    )


def _last_failure(dataset: Dataset, subject: str, found: StoreState) -> None:
    task = background.last_prepare(dataset, subject)
    if task is not None and task.state == "failed" and found.state not in {"ready", "preparing"}:
        st.error(plain(f"The last preparation ended early: {task.message}"))


def _show_counts(dataset: Dataset, subject: str, found: StoreState, theme: Theme) -> None:
    numbers, chart = st.columns([2, 3], gap="large")
    with numbers:
        st.dataframe(
            _table(dataset, subject, found),
            hide_index=True,
            column_config={
                "what": st.column_config.TextColumn("What", width=145),
                "number": st.column_config.NumberColumn("Number", width=80, format="localized"),
            },
            alt=f"Counts of {subject}",
        )
    with chart:
        st.plotly_chart(
            draw_counts(counts_info(found.counts["by_session"]), theme),
            theme=None,
            key=f"counts_{dataset.name}_{subject}",
            config={"displayModeBar": False},
            alt=f"Trials of {subject} by session and type",
        )


def _table(dataset: Dataset, subject: str, found: StoreState) -> dict[str, list[Any]]:
    """Return the counts worth reading, as columns."""
    words = {
        "sessions": "sessions",
        "runs": "runs",
        "train": "train trials",
        "test": "test trials",
        "catch": "catch trials",
        "concepts": "concepts",
        "test_images": "test images",
        "rated": "trials with ratings",
    }
    rows = [(word, found.counts[key]) for key, word in words.items() if key in found.counts]
    if found.state in {"ready", "stale"}:
        rows.append(("brain voxels", dataset_cache.store(dataset, subject).shape[1]))
    return {"what": [word for word, _ in rows], "number": [number for _, number in rows]}


def _show_steps() -> None:
    st.subheader("First steps", anchor=False)
    for page in PAGES:
        if page.file in STEPS and page_path(page.file).is_file():
            label = f"**{page.title}**: {STEPS[page.file]}"
            st.page_link(page_path(page.file), label=label, icon=page.icon)


def _show_more(found: list[DatasetEntry]) -> None:
    with st.expander("More data"):
        if all(known.dataset.name != background.DEMO for known in found):
            _demo_button("secondary")
        _real_data()
