"""The records of a job's folder: its recipe, its state, facts, owner, ticket; and of a task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks._fuzz.judge import Target, then_gone
from benchmarks._fuzz.place import Place, of_file
from benchmarks._fuzz.sealed import by_hand, holds, is_json, said, sealed_or_not


def targets(place: Place, scratch: Path) -> Iterator[Target]:
    """Yield the records of jobs and tasks."""
    yield from _recipes(place)
    yield from _records(place)
    yield _task(place)


def _recipes(place: Place) -> Iterator[Target]:
    from thingsviz.jobs.recipe import dump_config

    job = place.job

    def read() -> Any:  # noqa: ANN401
        return dump_config(job.config())

    def agrees(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        data = said(mutated)
        return data is not None and holds(data, value)

    yield of_file("config.json", job.file("config.json"), read, sealed_or_not, agrees)


def _records(place: Place) -> Iterator[Target]:
    from thingsviz.jobs.about import About, read_about, write_about
    from thingsviz.jobs.index import describe
    from thingsviz.jobs.run_folder import RunStatus
    from thingsviz.pipeline.resource_usage import spent
    from thingsviz.queue.ticket import Ticket, read_ticket, write_ticket

    job = place.job

    def status() -> Any:  # noqa: ANN401
        found = job.status()
        return {**vars(found), "share": found.share}, describe(job, 1.0).status == found

    def as_written(data: dict[str, Any]) -> Any:  # noqa: ANN401
        known = {name: data.get(name, value) for name, value in vars(RunStatus()).items()}
        if known["state"] in {"queued", "running", "stopping"}:
            words = {
                "state": "stopped",
                "eta_s": None,
                "message": "the process ended without a word",
            }
            known |= words
        n, step = known["n_steps"], known["step"]
        share = 1.0 if known["state"] == "done" else min(step / n, 1.0) if n else 0.0
        return {**known, "share": share}, True

    yield of_file(
        "status.json", job.file("status.json"), status, sealed_or_not, by_hand(as_written)
    )

    def manifest() -> Any:  # noqa: ANN401
        return job.manifest(), spent(job)._replace(n_parameters=None)

    def facts(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        data = said(mutated)
        return data is not None and repr(value[0]) == repr(data)

    yield of_file("manifest.json", job.file("manifest.json"), manifest, sealed_or_not, facts)

    write_about(job, owner="ada", title="the first", tags=("a", "b"), note="hello")

    def about(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        """Whose job it is, is then not known; no number stands there."""
        data = said(mutated) if is_json(mutated) else {}
        return value == About() or (
            data is not None and holds(data, value.model_dump(mode="json"))
        )

    yield of_file(
        "about.json", job.file("about.json"), lambda: read_about(job), sealed_or_not, about
    )

    write_ticket(job, Ticket(owner="ada", submitted=12.5, environment={"THINGSVIZ_DATA": "/d"}))

    def ticket(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        """A damaged ticket is still one: the job waits, at the end of the line."""
        data = said(mutated) if is_json(mutated) else {}
        return value == Ticket() or (
            data is not None and holds(data, value.model_dump(mode="json"))
        )

    path = job.file("ticket.json")
    found = of_file("ticket.json", path, lambda: read_ticket(job), sealed_or_not, ticket)
    path.unlink()
    yield replace(found, read=then_gone(path, found.read))


def _task(place: Place) -> Target:
    from thingsviz.core import json_files
    from thingsviz.queue.background_tasks import read_task

    folder = place.jobs / ".tasks" / "20260101-000000-plant-abcd"
    folder.mkdir(parents=True)
    json_files.write_json(folder / "progress.json", {"done": 3, "total": 7, "message": "three"})
    (folder / "exit").write_text("0")
    row = {"kind": "simulate", "args": ["a", "b"], "started_at": 12.5, "owner": "ada", "pid": 4}
    json_files.write_json(folder / "task.json", row)

    def read() -> Any:  # noqa: ANN401
        found = read_task(folder)
        return found.kind, list(found.args), found.started_at, found.owner, found.state

    def agrees(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        data = said(mutated) or {}
        words = str(data.get("kind", "")), list(data.get("args", ())), data.get("started_at", 0)
        return value == (*words, str(data.get("owner", "")), "done")

    return of_file("task.json", folder / "task.json", read, sealed_or_not, agrees)
