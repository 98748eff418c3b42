"""What the Server page shows: health, room, engine, people, failing jobs, versions, a bundle."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from thingsviz.jobs.index import JobEntry
from thingsviz.queue import audit_log, diagnostics
from thingsviz.ui.job_choice import filters as jobs_look
from thingsviz.ui.job_choice.filters import megabytes
from thingsviz.ui.job_choice.job_list import ago
from thingsviz.ui.server import monitor
from thingsviz.ui.shell.frame import guard, page_path, plain

EVERY_S = 10.0
N_AUDIT = 200
ACCESS = {
    "local": "people on this machine only",
    "open": "everybody who reaches the address, without a name",
    "header": "those whom the proxy names",
    "oidc": "those who log in",
}


def show_server() -> None:
    """Show everything; the numbers of now follow by themselves."""
    _health()
    st.fragment(_now, run_every=EVERY_S)()
    entries = jobs_look.all_jobs()
    with guard():
        _engine()
    _failing(diagnostics.failing(entries))
    with guard():
        _people()
    with guard():
        _settings()
    _bundle(entries)


def _health() -> None:
    faults = monitor.faults()
    if not faults:
        st.success(
            "All is well: jobs can be written and data can be read.", icon=":material/check:"
        )
    for fault in faults:
        st.error(plain(fault), icon=":material/error:")


def _now() -> None:
    """Show memory, load, sessions and disks as they are now."""
    machine = diagnostics.machine()
    used = machine.memory_total - machine.memory_free
    cells = {
        "Visitors' tabs": str(monitor.n_sessions()),
        "Memory of the app": _mb(machine.process_memory),
        "Memory of the machine": f"{_mb(used)} of {_mb(machine.memory_total)}",
        "Load": f"{machine.load:.1f} on {machine.cores} cores",
    }
    for column, (label, value) in zip(st.columns(len(cells)), cells.items(), strict=True):
        column.metric(label, value)
    for disk in diagnostics.disks():
        text = f"{disk.what}: {_mb(disk.free)} free of {_mb(disk.total)} · {disk.path}"
        st.progress(1 - disk.free / disk.total, text=plain(text))


def _engine() -> None:
    st.subheader("Engine", anchor=False)
    state, rows = diagnostics.engine_state(), diagnostics.queue_rows()
    if "fault" in state:
        st.error(plain(str(state["fault"])), icon=":material/error:")
        return
    waiting = sum(row.state == "waiting" for row in rows)
    awake = "is awake" if state["supervisor"] else "sleeps until a job is started"
    where = "this machine" if state["engine"] == "local" else "a SLURM cluster"
    text = f"Trainings run on {where}; the supervisor {awake}. "
    st.markdown(plain(f"{text}{len(rows) - waiting} run, {waiting} wait."))
    told = {
        "slots": "Places",
        "gpus": "GPUs",
        "quota": "Places a person",
        "memory_mb": "Memory a job (MB)",
        "hours": "Hours a job",
    }
    limits = state["limits"]
    shown = {label: [_limit(limits.get(name))] for name, label in told.items()}
    st.dataframe(pd.DataFrame(shown), hide_index=True, width="content")


def _limit(value: object) -> str:
    if value in (None, ()):
        return "none" if value == () else "no limit"
    return ", ".join(value) if isinstance(value, tuple) else f"{value}"


def _failing(failed: list[JobEntry]) -> None:
    st.subheader("Jobs that failed last", anchor=False)
    if not failed:
        st.caption("None has failed.")
        return
    now = time.time()
    table = pd.DataFrame(
        {
            "Job": [entry.title for entry in failed],
            "Owner": [entry.about.owner for entry in failed],
            "When": [ago(entry.changed, now) for entry in failed],
            "Why": [entry.fault or entry.status.message for entry in failed],
        }
    )
    st.dataframe(table, hide_index=True)
    st.page_link(page_path("jobs.py"), label="Go to Jobs", icon=":material/list_alt:")


def _people() -> None:
    st.subheader("People", anchor=False)
    from thingsviz.ui.access.policy import read_policy

    policy = read_policy()
    st.markdown(f"Let in: {ACCESS[policy.mode]}.")
    entries = audit_log.latest(N_AUDIT)
    if not entries:
        st.caption("Nobody has started or changed anything yet.")
        return
    table = pd.DataFrame(
        {
            "Time": pd.to_datetime([entry.time for entry in entries], unit="s", utc=True),
            "Who": [entry.user for entry in entries],
            "From": [entry.address for entry in entries],
            "Did": [entry.action for entry in entries],
            "What": [entry.what for entry in entries],
        }
    )
    st.dataframe(table, hide_index=True, height=240)


def _settings() -> None:
    st.subheader("Settings and versions", anchor=False)
    left, right = st.columns(2)
    found = diagnostics.settings()
    with left:
        st.caption("Settings in the environment; passwords are hidden.")
        table = pd.DataFrame({"Setting": list(found), "Value": list(found.values())})
        st.dataframe(table, hide_index=True)
    with right:
        versions = diagnostics.versions()
        st.caption(f"{len(versions)} packages.")
        table = pd.DataFrame({"Package": list(versions), "Version": list(versions.values())})
        st.dataframe(table, hide_index=True, height=240)


def _bundle(entries: Sequence[JobEntry]) -> None:
    st.subheader("When you ask for help", anchor=False)
    st.caption(
        "One file with versions, settings, the engine's state and the last log lines of failed "
        "jobs; no data, no passwords. Read it before you send it."
    )
    st.download_button(
        "Download diagnostics",
        lambda: diagnostics.bundle(entries),
        file_name=time.strftime("thingsviz-diagnostics-%Y%m%d-%H%M.zip"),
        mime="application/zip",
        icon=":material/download:",
    )


def _mb(n_bytes: float) -> str:
    return megabytes(n_bytes / 1e6)
