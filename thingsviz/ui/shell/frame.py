"""The frame of every page: navigation, title, data picker, SIMULATED badge, one-line errors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, NoReturn

import streamlit as st
from streamlit.navigation.page import Page

from models.base.errors import ModelError
from thingsviz.core.errors import DataError, ThingsvizError
from thingsviz.core.settings import Role
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import Dataset, datasets_root
from thingsviz.figures.base.style import Theme
from thingsviz.jobs.job_folder import jobs_root
from thingsviz.ui.access import visitor as access
from thingsviz.ui.app_files import app_folder
from thingsviz.ui.caches import dataset_cache, job_cache, job_index
from thingsviz.ui.shell import deep_link, ui_state
from thingsviz.ui.shell.gc_freeze import spare_the_collector
from thingsviz.ui.shell.glossary import glossary
from thingsviz.ui.shell.ui_state import Key

ICON = Path(__file__).parent / "icon.svg"
DARK = Path(__file__).parent / "dark.css"


class PageFile(NamedTuple):
    """A page of the app: its file in pages/, its name, icon and part of the menu, who sees it."""

    file: str
    title: str
    icon: str
    part: str
    role: Role = "look"


PAGES = (
    PageFile("home.py", "Home", ":material/home:", "Look"),
    PageFile("trials.py", "Trials", ":material/imagesmode:", "Look"),
    PageFile("brain.py", "3D brain", ":material/neurology:", "Look"),
    PageFile("train.py", "Train", ":material/model_training:", "Decode"),
    PageFile("jobs.py", "Jobs", ":material/list_alt:", "Decode"),
    PageFile("tune.py", "Tune", ":material/tune:", "Decode"),
    PageFile("predictions.py", "Predictions", ":material/query_stats:", "Judge"),
    PageFile("compare.py", "Compare", ":material/compare_arrows:", "Judge"),
    PageFile("attention.py", "Attention", ":material/visibility:", "Judge"),
    PageFile("leaderboard.py", "Leaderboard", ":material/leaderboard:", "Judge"),
    PageFile("learning.py", "Learning curves", ":material/trending_up:", "Judge"),
    PageFile("overfitting.py", "Overfitting", ":material/show_chart:", "Judge"),
    PageFile("server.py", "Server", ":material/dns:", "Administer", "administer"),
)


@dataclass(frozen=True)
class PageContext:
    """What every page but Home works on: a prepared subject.

    `kept` is None where a page shows what jobs know of data that are not here.
    """

    dataset: Dataset
    subject: str
    kept: BetaStore | None
    theme: Theme
    simulated: bool
    asked: Mapping[str, str]
    """What the address asked for when the page was opened; {} when it only repeats the page."""
    offered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The subjects of each dataset that the page's pickers offer."""

    @property
    def store(self) -> BetaStore:
        """The prepared responses; DataError in one sentence where they are not here."""
        if self.kept is None:
            raise DataError(_not_here(self.dataset.name, self.subject))
        return self.kept


def page_path(file: str) -> Path:
    """Return the path of a page's file, for st.page_link and st.switch_page."""
    return app_folder() / "pages" / file


def navigation() -> Page:
    """Declare the pages and return the one that was asked for.

    The icon is set first: otherwise the browser fetches the page's own from Google's fonts.
    """
    st.set_page_config(page_icon=str(ICON), layout="wide")
    known = access.visitor()
    parts: dict[str, list[Page]] = {}
    for p in PAGES:
        if page_path(p.file).is_file() and (p.role == "look" or known.may(p.role)):
            page = st.Page(page_path(p.file), title=p.title, icon=p.icon, default=p is PAGES[0])
            parts.setdefault(p.part, []).append(page)
    return st.navigation(parts, expanded=True)


def theme() -> Theme:
    """Return the theme that the visitor sees."""
    return "dark" if st.context.theme.type == "dark" else "light"


def plain(sentence: str) -> str:
    r"""Escape Markdown outside of `code`, so that a path such as a_b_c is shown as it is."""
    parts = sentence.split("`")
    if len(parts) % 2 == 0:  # a backtick without its partner opens no code
        parts[-2:] = ["\\`".join(parts[-2:])]
    parts[::2] = [re.sub(r"([*_\[\]$<>#~|:]|\\(?!`))", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


@contextmanager
def guard() -> Iterator[None]:
    """Turn an error that a user can mend into its one sentence on the page."""
    try:
        yield
    except (ThingsvizError, ModelError) as error:
        st.error(plain(str(error)), icon=":material/error:")
    except OSError as error:
        what = f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
        st.error(plain(f"A file could not be read ({what}); see Home for the state of the data."))


def open_plain_page(title: str, purpose: str, *, simulated: bool = False) -> Theme:
    """Open a page that needs no data: page settings, navigation, title, purpose.

    A page may run without the script that declares the navigation: a server that finds pages/
    beside its script opens a page's file itself. So it is declared here once more.
    """
    spare_the_collector()
    job_cache.tend_the_line(str(jobs_root()))
    navigation()
    access.enter()
    st.set_page_config(page_title=f"{title} · thingsviz")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(title, anchor=False, width="content")
        if simulated:
            st.badge("SIMULATED", color="orange", help=glossary("simulated"))
    st.caption(purpose)
    if theme() == "dark":
        st.html(DARK)
    return theme()


def open_page(title: str, purpose: str, *, without_data: bool = False) -> PageContext:
    """Open a page about a prepared subject; without one, say so, point to Home, end the page.

    A page that works `without_data` opens as well on subjects of which there are only jobs,
    brought from another machine: its context then has no store, and the page says so once.
    """
    access.enter()
    found, asked = [d for d in dataset_cache.datasets() if not d.fault], deep_link.asked()
    if without_data:
        found = _with_those_of_jobs(found)
    known, complaint = _choose_dataset(found, asked.get("dataset"))
    shown = open_plain_page(title, purpose, simulated=known is not None and known.simulated)
    if complaint:
        st.warning(plain(complaint), icon=":material/link_off:")
    if known is None:
        _send_home(f"There are no data here yet: {datasets_root()} holds no dataset.")
    subject = _choose_subject(known, asked.get("subject"))
    store = None
    with guard():
        store = _open_store(known.dataset, subject)
    if store is None and without_data and _has_jobs(known.dataset.name, subject):
        st.info(plain(_not_here(known.dataset.name, subject)), icon=":material/cloud_off:")
    elif store is None:
        _send_home(f"{subject} of {known.dataset.name} cannot be shown before it is prepared.")
    offered = {one.dataset.name: one.subjects for one in found}
    return PageContext(known.dataset, subject, store, shown, known.simulated, asked, offered)


def _not_here(dataset: str, subject: str) -> str:
    return (
        f"The prepared data of {dataset}, {subject} are not on this machine: scores, curves and "
        "predictions of its trainings are shown without pictures and brains, and none can start."
    )


def _with_those_of_jobs(
    found: list[dataset_cache.DatasetEntry],
) -> list[dataset_cache.DatasetEntry]:
    """Add the datasets and subjects of which there are only jobs."""
    more = {known.dataset.name: known for known in dataset_cache.datasets_of_jobs()}
    merged = []
    for known in found:
        own = more.pop(known.dataset.name, None)
        merged.append(known._replace(subjects=known.subjects + own.subjects) if own else known)
    return [*merged, *more.values()]


def _has_jobs(dataset: str, subject: str) -> bool:
    return bool(job_index.of_data(dataset_cache.jobs(), dataset, subject))


def _open_store(dataset: Dataset, subject: str) -> BetaStore | None:
    """Open the subject's store, None when there is none; note when its sources have changed."""
    found = dataset_cache.state_of(dataset, subject)
    if found.state == "stale":
        st.warning(plain(f"{found.reason} on Home."), icon=":material/update:")
    if found.state == "broken":
        raise DataError(found.reason)
    return dataset_cache.store(dataset, subject) if found.state in {"ready", "stale"} else None


def _send_home(sentence: str) -> NoReturn:
    st.info(plain(sentence), icon=":material/info:")
    st.page_link(page_path("home.py"), label="Go to Home", icon=":material/home:")
    st.stop()


def _choose_dataset(
    found: list[dataset_cache.DatasetEntry], asked: str | None
) -> tuple[dataset_cache.DatasetEntry | None, str]:
    """Show the dataset picker; return the chosen one and a complaint about the address, if any."""
    if not found:
        return None, ""
    # those that can be shown come first, so that the page opens on one of them
    found = sorted(found, key=lambda known: not known.prepared)
    names = [known.dataset.name for known in found]
    complaint = ""
    if asked in names:
        ui_state.put(Key.DATASET, asked)
    elif asked is not None:
        complaint = f"The address asks for dataset {asked!r}, which is not here."
    chosen = _pick("Dataset", names, Key.DATASET, Key.W_DATASET)
    if complaint:
        complaint += f" This is {chosen!r}."
    return found[names.index(chosen)], complaint


def _choose_subject(known: dataset_cache.DatasetEntry, asked: str | None) -> str:
    names = list(known.subjects)
    if not names:
        _send_home(f"The dataset {known.dataset.name!r} holds no subject.")
    if asked in names:
        ui_state.put(Key.SUBJECT, asked)
    chosen = _pick("Subject", names, Key.SUBJECT, Key.W_SUBJECT)
    if asked is not None and asked not in names:
        complaint = f"The address asks for subject {asked!r}, which is not here."
        st.warning(plain(f"{complaint} This is {chosen!r}."), icon=":material/link_off:")
    return chosen


def _pick(label: str, names: list[str], key: Key, widget: Key) -> str:
    """Show a picker in the sidebar that is remembered from page to page."""
    known = ui_state.get(key)
    current: str = known if known in names else names[0]
    ui_state.put(key, current)
    ui_state.put(widget, current)
    st.sidebar.selectbox(
        label, names, key=str(widget), on_change=ui_state.copy, args=(widget, key)
    )
    return current
