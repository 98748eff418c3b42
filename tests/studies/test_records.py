import fcntl
import multiprocessing
import os
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing

import pytest
from optuna.trial import TrialState

from thingsviz.core import json_files
from thingsviz.core.errors import JobError
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.studies.config import parse_study
from thingsviz.studies.final import best_values
from thingsviz.studies.records import StudyRecords, work
from thingsviz.studies.rows import Reader
from thingsviz.studies.space import suggest
from thingsviz.studies.storage import open_storage
from thingsviz.studies.study_folder import StudyFolder, create_study, list_studies, open_study

NUMBERS = [("trial_values", "value"), ("trial_params", "param_value")]
SPACE = {"model.score_power": {"kind": "float", "low": 0, "high": 4}}


@pytest.fixture
def make(tiny_env):
    def one(**more):
        data = {"name": "s", "base": {"dataset": "tiny"}, "space": SPACE, **more}
        folder = create_study(parse_study(data))
        return folder, StudyRecords(folder, folder.config(), "search", open_storage(folder))

    return one


def value_of(values):
    return -((values["model.score_power"] - 1) ** 2)


def plain(records, claimed):
    """A candidate that needs no training."""
    records.complete(claimed, value_of(suggest(claimed.trial, records.config.space)), 0.01)


def go():
    return None


def seen(folder):
    return [row["index"] for row in json_files.read_lines(folder.file("ran.jsonl"))[0]]


def noted(records, claimed):
    json_files.append_line(records.folder.file("ran.jsonl"), {"index": claimed.index})
    time.sleep(0.002)
    plain(records, claimed)


def worker(path):
    folder = StudyFolder(path)
    work(StudyRecords(folder, folder.config(), "search", open_storage(folder)), noted, go, 0.02)


def test_eight_workers_run_each_candidate_once(make):
    folder, records = make(n_candidates=24)
    records.plan()
    context = multiprocessing.get_context("fork")
    crowd = [context.Process(target=worker, args=(folder.path,)) for _ in range(8)]
    for process in crowd:
        process.start()
    for process in crowd:
        process.join()
    assert [process.exitcode for process in crowd] == [0] * 8
    assert Counter(seen(folder)) == Counter(range(24))
    assert {t.state for t in records.trials()} == {TrialState.COMPLETE}


def test_planning_twice_plans_once_and_more_candidates_are_added(make):
    folder, records = make(n_candidates=3)
    records.plan()
    records.plan()
    assert [t.user_attrs["index"] for t in records.trials()] == [0, 1, 2]
    more = folder.config().model_copy(update={"n_candidates": 5})
    StudyRecords(folder, more, "search", open_storage(folder)).plan()
    assert [t.user_attrs["index"] for t in records.trials()] == [0, 1, 2, 3, 4]


def dies(path, step):
    """Takes a candidate, draws its value, trains up to a step, and is killed."""
    folder = StudyFolder(path)
    records = StudyRecords(folder, folder.config(), "search", open_storage(folder))
    claimed = records.claim()
    suggest(claimed.trial, records.config.space)
    if step is not None:
        claimed.job.write_status(
            RunStatus("running", step=step, message="epoch 1 of 3", started_at=time.time())
        )
    os.kill(os.getpid(), signal.SIGKILL)


def kill_one(folder, step=None):
    process = multiprocessing.get_context("fork").Process(target=dies, args=(folder.path, step))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def test_a_killed_candidate_is_failed_and_repeated_once(make):
    folder, records = make(n_candidates=3)
    records.plan()
    kill_one(folder)
    assert records.trials()[0].state == TrialState.RUNNING
    assert records.repair() == 1
    assert records.repair() == 0
    first, *_, repeated = records.trials()
    assert (first.state, first.user_attrs["reason"]) == (
        TrialState.FAIL,
        "its process ended without a word",
    )
    assert repeated.user_attrs == {"index": 0, "attempt": 2}
    assert records.job_of(repeated) == records.job_of(first)
    work(records, plain, go)
    done = records.trials(TrialState.COMPLETE)
    assert sorted(t.user_attrs["index"] for t in done) == [0, 1, 2]
    again = next(t for t in done if t.user_attrs["attempt"] == 2)
    assert again.params == first.params


def killed_at(make, *steps):
    """A study whose only candidate was killed at these steps, one after the other."""
    folder, records = make(n_candidates=1)
    records.plan()
    for step in steps:
        kill_one(folder, step)
        records.repair()
    return records


@pytest.mark.parametrize("steps", [(3, 5, 7, 9), (None, 2, 1, 3), (None,) * 3])
def test_a_killed_candidate_goes_on_as_long_as_it_gets_further(make, steps):
    records = killed_at(make, *steps)
    work(records, plain, go)
    last = records.trials(TrialState.COMPLETE)
    assert [t.user_attrs["attempt"] for t in last] == [len(steps) + 1]
    assert [t.params for t in records.trials()] == [last[0].params] * (len(steps) + 1)


@pytest.mark.parametrize("steps", [(0, 0), (3, 5, 5), (5, 4, 3), (5, None, 5)])
def test_a_candidate_that_gets_no_further_stays_failed_with_its_reason(make, steps):
    records = killed_at(make, *steps)
    work(records, plain, go)
    assert {t.state for t in records.trials()} == {TrialState.FAIL}
    assert records.trials()[-1].user_attrs["reason"] == "its process ended without a word"


def test_an_unknown_error_is_repeated_once(make):
    _, records = make(n_candidates=1)
    records.plan()
    for repeated in (1, 0):
        claimed = records.claim()
        records.fail(claimed, "OSError: gone", 0.1, again=True)
        os.close(claimed.handle)
        assert records.repair() == repeated


def test_a_candidate_that_dies_twice_stays_failed(make):
    folder, records = make(n_candidates=2)
    records.plan()
    kill_one(folder, 0)
    records.repair()
    kill_one(folder, 0)  # repetitions come first
    work(records, plain, go)
    states = Counter(t.state for t in records.trials())
    assert states == {TrialState.FAIL: 2, TrialState.COMPLETE: 1}
    assert {t.user_attrs["index"] for t in records.trials(TrialState.FAIL)} == {0}


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_resumed_study_goes_on_as_if_nothing_had_happened(make, sampler):
    def drawn(records):
        done = records.trials(TrialState.COMPLETE)
        return [t.params for t in sorted(done, key=lambda t: t.user_attrs["index"])]

    recipe = {"n_candidates": 8, "sampler": sampler, "seed": 4}
    _, whole = make(name="whole", **recipe)
    whole.plan()
    work(whole, plain, go)
    folder, broken = make(name="broken", **recipe)
    broken.plan()
    left = iter([plain] * 5)
    with pytest.raises(StopIteration):
        work(broken, lambda r, c: next(left)(r, c), go)  # the sixth is left lying
    again = StudyRecords(folder, folder.config(), "search", open_storage(folder))
    work(again, plain, go)
    assert drawn(again) == drawn(whole)
    assert len({p["model.score_power"] for p in drawn(whole)}) == 8


def test_random_control_draws_other_candidates(make):
    folder, records = make(n_candidates=3, sampler="random")
    control = StudyRecords(folder, folder.config(), "random", open_storage(folder))
    for search in (records, control):
        search.plan()
        work(search, plain, go)
    ours, theirs = (
        {t.params["model.score_power"] for t in s.trials()} for s in (records, control)
    )
    assert not ours & theirs
    assert control.job_of(control.trials()[0]).name == "s-r0001"


def test_a_stopped_candidate_waits_with_its_values(make):
    _, records = make(n_candidates=1)
    records.plan()
    claimed = records.claim()
    values = suggest(claimed.trial, records.config.space)
    records.put_back(claimed, 1.5)
    os.close(claimed.handle)
    again = records.claim()
    assert again.trial.number == claimed.trial.number
    assert suggest(again.trial, records.config.space) == values
    records.complete(again, 0.5, 1.0)
    assert records.trials()[0].user_attrs["seconds"] == 2.5


def test_the_reason_of_a_failure_is_kept_and_a_wrong_recipe_is_not_repeated(make):
    _, records = make(n_candidates=2)
    records.plan()
    for again in (False, True):
        claimed = records.claim()
        records.fail(claimed, "n_heads 8 does not divide embed_dim 30", 0.1, again=again)
        os.close(claimed.handle)
    assert records.repair() == 1
    assert records.trials()[0].user_attrs["reason"].startswith("n_heads 8")
    assert [t.user_attrs["index"] for t in records.trials(TrialState.WAITING)] == [1]


def test_storage_that_cannot_be_written_is_one_sentence(make):
    folder, _ = make()
    folder.database.chmod(0o444)
    with pytest.raises(JobError, match=r"sqlite3 may not be written, so no candidate can be rec"):
        open_storage(folder)


def test_storage_that_another_program_locks_is_one_sentence(make):
    folder, records = make()
    connection = records.storage._backend.engine.raw_connection()
    connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(JobError, match="is locked by another program: close that, then resume"):
        open_storage(folder, patience_s=0.1)
    connection.rollback()


def test_a_damaged_database_is_one_sentence(make):
    folder, _ = make()
    folder.database.write_bytes(b"nothing of a database" * 400)
    for tail in ("-wal", "-shm"):
        folder.file(f"study.sqlite3{tail}").unlink(missing_ok=True)
    with pytest.raises(JobError, match=r"cannot be used .*: mend or restore them"):
        open_storage(folder)


def test_studies_are_listed_and_found_by_name(make):
    folder, _ = make(name="one")
    other, _ = make(name="one")
    assert [s.name for s in list_studies()] in (["one-2", "one"], ["one", "one-2"])
    assert open_study("one-2") == other
    assert other.config().name == "one-2"
    assert folder.status().message == "not started yet"
    with pytest.raises(JobError, match="there is no study 'two'"):
        open_study("two")
    with pytest.raises(JobError, match="cannot be a folder"):
        open_study("../one")


def test_a_study_whose_process_died_says_so(make):
    folder, _ = make()
    folder.write_status(RunStatus("running", message="candidate 1 of 2", phase="search"))
    assert folder.status().state == "stopped"
    with folder.file("lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert folder.status().state == "running"
        folder.file("stop").touch()
        assert folder.status().state == "stopping"


@pytest.mark.parametrize(
    ("table", "column"), [("trial_values", "value"), ("trial_params", "param_value")]
)
def test_a_number_that_changed_in_the_database_is_found(make, table, column):
    folder, records = make(n_candidates=2)
    records.plan()
    work(records, plain, go)
    reader = Reader(folder, records.config)
    assert [row.state for row in reader.rows()] == ["done", "done"]
    assert best_values(records, records.config)
    connection = records.storage._backend.engine.raw_connection()
    connection.execute(f"UPDATE {table} SET {column} = {column} + 0.25 WHERE trial_id = 2")
    connection.commit()
    with pytest.raises(JobError, match=r"candidate 2 of the study's records is damaged"):
        Reader(folder, records.config).rows()
    again = StudyRecords(folder, records.config, "search", open_storage(folder))
    with pytest.raises(JobError, match="is damaged"):
        best_values(again, records.config)


@pytest.mark.parametrize("text", ['{"name": "FloatDistribution", "attributes', '{"name": "None"}'])
def test_damaged_settings_in_a_sound_database_are_one_sentence(make, text):
    folder, records = make()
    records.plan()
    work(records, plain, go)
    with closing(sqlite3.connect(folder.database)) as other, other:
        other.execute("UPDATE trial_params SET distribution_json = ?", (text,))
    with pytest.raises(JobError, match=r"records in .* cannot be used .*: mend or restore them"):
        Reader(folder, records.config).rows()
