"""The room that jobs take on the disk: what can go, the bin, and the way back from it."""

from __future__ import annotations

import shutil
import time

import streamlit as st

from thingsviz.core.errors import ThingsvizError
from thingsviz.jobs.about import owner_of
from thingsviz.jobs.job_folder import JobFolder, jobs_root, list_jobs
from thingsviz.queue.trash import DeletedJob, LeftoverState, deleted, leftovers, size_of
from thingsviz.ui import actions
from thingsviz.ui.access.ownership import may_change
from thingsviz.ui.caches import dataset_cache
from thingsviz.ui.job_choice.filters import megabytes
from thingsviz.ui.job_choice.job_list import ago
from thingsviz.ui.shell import ui_state
from thingsviz.ui.shell.frame import guard, plain
from thingsviz.ui.shell.ui_state import Key

DAY_S = 86_400
SHOWN = 10


def show_undo() -> None:
    """Offer to take the last deletion back."""
    name = ui_state.get(Key.JOBS_DELETED)
    one = next((d for d in deleted() if d.path.name == name), None) if name else None
    if one is None:
        ui_state.forget(Key.JOBS_DELETED)
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(plain(f"{one.name} is in the bin."), width="content")
        if st.button("Undo", icon=":material/undo:", key="w_jobs_undo"):
            _restore(one)


def _restore(one: DeletedJob) -> None:
    try:
        job = actions.restore_job(one)
    except ThingsvizError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    ui_state.forget(Key.JOBS_DELETED)
    ui_state.put(Key.JOBS_SHOWN, job.name)
    dataset_cache.forget_folders()
    st.rerun()


def show_room() -> None:
    """Show how full the disk is; folded away, what can be deleted for good."""
    found = jobs_root()
    if not found.is_dir():
        return
    disk = shutil.disk_usage(found)
    used = 1 - disk.free / disk.total
    free, total = megabytes(disk.free / 1e6), megabytes(disk.total / 1e6)
    text = f"Disk of the trainings: {free} free of {total}"
    st.progress(min(max(used, 0.0), 1.0), text=plain(text))
    bin_ = deleted()
    with st.expander(f"Bin ({len(bin_)})"):
        _bin(bin_)
    with st.expander("Clean up old checkpoints"):
        _clean()


def _bin(found: list[DeletedJob]) -> None:
    if not found:
        st.caption("Nothing was deleted.")
        return
    for one in found[:SHOWN]:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(plain(one.name), width="content")
            st.caption(f"deleted {ago(one.deleted_at, time.time())}", width="content")
            mine = may_change(_owner(one))
            if st.button("Put back", key=f"w_jobs_back_{one.path.name}", disabled=not mine):
                _restore(one)
    if len(found) > SHOWN:
        st.caption(f"and {len(found) - SHOWN:,} more")
    # whose they are and how large is read of all of them: only for who is about to delete
    sure = st.checkbox("I know that this cannot be undone", key=str(Key.W_JOBS_SURE))
    mine_all = [one for one in found if may_change(_owner(one))] if sure else []
    total = sum(size_of(one.path) for one in mine_all)
    words = f"Delete {len(mine_all):,} for good ({megabytes(total / 1e6)})"
    label = words if sure else "Delete for good"
    if st.button(label, icon=":material/delete_forever:", disabled=not mine_all):
        with guard():
            actions.empty_bin(mine_all)
            st.rerun()


def _owner(one: DeletedJob) -> str:
    return owner_of(JobFolder(one.path))


def _clean() -> None:
    st.caption(
        "A training that was stopped or has failed keeps the states from which it could go on. "
        "Without them it begins anew; weights and scores of finished trainings stay."
    )
    days = st.number_input("Older than (days)", 0, 3650, 30, key=str(Key.W_JOBS_DAYS), width=160)
    if not st.toggle("Look for them", key=str(Key.W_JOBS_LOOK)):
        return
    before = time.time() - float(days) * DAY_S
    found = [one for one in leftovers(list_jobs(), before) if _mine(one)]
    if not found:
        st.caption("There is nothing to clean up.")
        return
    total = sum(one.n_bytes for one in found)
    words = f"Delete states of {len(found):,} trainings ({megabytes(total / 1e6)})"
    if st.button(words, icon=":material/cleaning_services:", key="w_jobs_clean"):
        with guard():
            freed = actions.clean_up(found)
            st.success(f"{megabytes(freed / 1e6)} are free again.")


def _mine(one: LeftoverState) -> bool:
    return may_change(owner_of(JobFolder(jobs_root() / one.name)))
