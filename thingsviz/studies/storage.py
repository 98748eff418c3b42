"""Where Optuna keeps a study: SQLite that several workers share safely, or a server's database."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from thingsviz.core.errors import JobError
from thingsviz.core.settings import StudySettings
from thingsviz.studies.study_folder import StudyFolder

if TYPE_CHECKING:
    from optuna.storages import BaseStorage, RDBStorage

# seconds that a worker waits for another's transaction, which takes milliseconds
PATIENCE_S = 60.0
SERVER = "THINGSVIZ_STUDY_STORAGE"


def storage_url(study: StudyFolder) -> str:
    """Return Optuna's address of a study's records: its own file, or THINGSVIZ_STUDY_STORAGE."""
    given = StudySettings.read().study_storage
    if not given:
        return f"sqlite:///{study.database}"
    for name in ("postgres://", "postgresql://"):
        if given.startswith(name):
            return "postgresql+psycopg://" + given.removeprefix(name)
    return given


def open_storage(
    study: StudyFolder, patience_s: float = PATIENCE_S, *, reader: bool = False
) -> BaseStorage:
    """Open a study's records for reading and writing, or as a reader that holds up nobody.

    SQLite's own way begins a transaction with a read and asks for the right to write later: of
    60 waiting candidates, 19 ran twice with 8 workers. Here every transaction asks for it at once
    (BEGIN IMMEDIATE), and readers go on meanwhile (write-ahead log). A server's database locks
    single rows, and is waited for while it starts anew.
    """
    url = storage_url(study)
    _check_file(study, url, reader=reader)
    import optuna
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        storage = _sqlite(url, patience_s, reader) if _is_sqlite(url) else _server(url, reader)
        optuna.study.get_all_study_names(storage)
    except (ImportError, SQLAlchemyError, RuntimeError, StorageInternalError) as error:
        raise JobError(storage_sentence(study, error)) from None
    return optuna.storages.get_storage(storage)


def _sqlite(url: str, patience_s: float, reader: bool) -> RDBStorage:
    import optuna

    more = {"connect_args": {"timeout": patience_s}}
    storage = optuna.storages.RDBStorage(url, engine_kwargs=more, skip_table_creation=reader)
    if not reader:
        _take_the_lock_first(storage.engine)
    return storage


def _server(url: str, reader: bool) -> RDBStorage:
    from thingsviz.studies.database_retry import PatientStorage

    return PatientStorage(url, engine_kwargs={"pool_pre_ping": True}, skip_table_creation=reader)


def _is_sqlite(url: str) -> bool:
    return url.startswith("sqlite")


def _take_the_lock_first(engine: Any) -> None:  # noqa: ANN401
    from sqlalchemy import event

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:  # noqa: ANN401
        connection.isolation_level = None  # Python's driver begins nothing by itself
        connection.execute("PRAGMA journal_mode=WAL")

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:  # noqa: ANN401
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    engine.dispose()  # connections that were opened before the two rules


def _check_file(study: StudyFolder, url: str, *, reader: bool) -> None:
    """Refuse a folder or file that cannot be written, before the database's own words."""
    if not _is_sqlite(url):
        return
    if reader:
        if not study.database.exists():
            msg = f"{study.database} is not there yet: the study has not begun"
            raise JobError(msg)
        return
    for path in (study.path, study.database):
        if path.exists() and not (os.access(path, os.W_OK) and path.stat().st_mode & 0o222):
            msg = f"{path} may not be written, so no candidate can be recorded: make it writable"
            raise JobError(msg)


def storage_sentence(study: StudyFolder, error: BaseException) -> str:
    """Say in one sentence why a study's records cannot be used."""
    cause = next((e for e in _causes(error) if str(e)), error)
    words = str(getattr(cause, "orig", None) or cause).strip().splitlines() or ["unknown"]
    where = study.database if _is_sqlite(storage_url(study)) else SERVER
    if isinstance(error, ImportError):
        return f"{SERVER} names a database whose driver is not here: pip install 'psycopg[binary]'"
    if where == SERVER:
        return f"the database of {SERVER} does not answer ({words[0]}): start it, then resume"
    if "locked" in words[0]:
        return f"{where} is locked by another program: close that, then resume the study"
    if "is full" in words[0]:
        return f"no space is left to write in {study.path}: free some, then resume the study"
    if "readonly" in words[0] or "read-only" in words[0]:
        return f"{where} may not be written, so no candidate can be recorded: make it writable"
    return f"the study's records in {where} cannot be used ({words[0]}): mend or restore them"


def _causes(error: BaseException | None) -> list[BaseException]:
    found = []
    while error is not None:
        found.append(error)
        error = error.__cause__
    return found[::-1]
