"""What a search keeps: its recipe, its records in SQLite, its result; and the line of jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks._fuzz.damage import spoil_bytes
from benchmarks._fuzz.judge import Target
from benchmarks._fuzz.place import Place, beside, of_file
from benchmarks._fuzz.sealed import by_hand, holds, said, sealed_or_not

SPACE = {
    "fit.learning_rate": {"kind": "float", "low": 1e-4, "high": 1e-2, "log": True},
    "model.n_layers": {"kind": "int", "low": 0, "high": 3},
    "model.embed_dim": {"kind": "choice", "options": [16, 32]},
}


def targets(place: Place, scratch: Path) -> Iterator[Target]:
    """Yield the files of studies, and the queue."""
    from thingsviz.studies.config import parse_study
    from thingsviz.studies.study_folder import create_study

    base = json.loads(place.job.file("config.json").read_text())
    base.pop("crc32")
    recipe = {"name": "search", "base": base, "space": SPACE, "n_candidates": 4, "controls": []}
    study = create_study(parse_study(recipe))

    def config() -> Any:  # noqa: ANN401
        return study.config().model_dump(mode="json")

    def agrees(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        data = said(mutated)
        return data is not None and holds(data, value)

    yield of_file("study, config.json", study.file("config.json"), config, sealed_or_not, agrees)
    yield _records(study)
    yield _status(study)
    yield _queue(scratch)
    yield _overfitting(scratch)


def _records(study: Any) -> Target:  # noqa: ANN401
    from thingsviz.studies.records import StudyRecords, sum_of
    from thingsviz.studies.rows import Reader
    from thingsviz.studies.space import suggest
    from thingsviz.studies.storage import open_storage

    config = study.config()
    records = StudyRecords(study, config, "search", open_storage(study))
    records.plan()
    for trial in records.trials():
        taken = records.study.ask()
        suggest(taken, config.space)
        value = 0.1 * trial.number
        for key, kept in sum_of(taken.params, value).items():
            taken.set_user_attr(key, kept)
        taken.report(value / 2, 1)
        records.study.tell(taken, value)
    records.storage._backend.engine.dispose()
    del records
    sound = study.database.read_bytes()
    for tail in ("-wal", "-shm"):
        study.database.with_name(study.database.name + tail).unlink(missing_ok=True)

    def rows() -> Any:  # noqa: ANN401
        reader = Reader(study, config)
        try:
            found = reader.rows()
            return [(r.number, r.state, r.value, r.params, r.epochs) for r in found]
        finally:
            if reader.storage is not None:
                getattr(reader.storage, "_backend", reader.storage).engine.dispose()
            for tail in ("-wal", "-shm", "-journal"):
                study.database.with_name(study.database.name + tail).unlink(missing_ok=True)

    assert study.database.read_bytes() == sound
    return of_file("study, records (SQLite)", study.database, rows, spoil_bytes)


def _status(study: Any) -> Target:  # noqa: ANN401
    from thingsviz.jobs.run_folder import SILENT, RunStatus

    study.write_status(RunStatus(state="done", phase="search", message="it ended"))

    def status() -> Any:  # noqa: ANN401
        return vars(study.status())

    def as_written(data: dict[str, Any]) -> Any:  # noqa: ANN401
        known = {name: data.get(name, value) for name, value in vars(RunStatus()).items()}
        if known["state"] in {"queued", "running", "stopping"}:
            known |= {"state": "stopped", "eta_s": None, "message": SILENT}
        return known

    return of_file(
        "study, status.json", study.file("status.json"), status, sealed_or_not, by_hand(as_written)
    )


def _queue(scratch: Path) -> Target:
    from thingsviz.queue.database import Queue, Row
    from thingsviz.queue.ticket import Ticket

    folder = scratch / "queue"
    with closing(Queue(folder)) as queue:
        queue.add("a", Ticket(owner="ada", submitted=12.5))
        queue.add("b", Ticket(owner="bob", submitted=13.5, short=True))
        path = queue.path
        queue._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def read() -> Any:  # noqa: ANN401
        try:
            with closing(Queue(folder)) as queue:
                return sorted(queue.rows()), queue.line()
        finally:
            for other in folder.iterdir():
                if other != path:
                    other.unlink()

    def agrees(_: bytes, value: Any) -> bool:  # noqa: ANN401
        """The folders are the truth; no number of a result stands in the line."""
        return all(isinstance(row, Row) for row in value[0])

    return of_file("queue (SQLite)", path, read, spoil_bytes, agrees)


def _overfitting(scratch: Path) -> Target:
    from thingsviz.core import json_files
    from thingsviz.studies.overfitting import OverfittingConfig, read_study

    config = OverfittingConfig.model_validate(
        {"dataset": "tiny", "subject": "sub-01", "learns": "categories27"}
    )
    path = beside(scratch / "overfitting", "config.json", b"")
    json_files.write_sealed(path, config.model_dump(mode="json"))

    def read() -> Any:  # noqa: ANN401
        found = read_study(path.parent)
        return None if found is None else found.model_dump(mode="json")

    def agrees(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        data = said(mutated)
        return data is not None and holds(data, value)

    return of_file("overfitting study, config.json", path, read, sealed_or_not, agrees)
