"""The one choke point: what a visitor may set going, whose it is then, what is noted."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.made_jobs import made_job
from thingsviz.core.errors import JobError
from thingsviz.jobs.about import owner_of, read_about, write_about
from thingsviz.jobs.job_folder import JobFolder, jobs_root, list_jobs
from thingsviz.jobs.recipe import JobConfig
from thingsviz.queue import audit_log, submit, trash
from thingsviz.queue.background_tasks import tasks
from thingsviz.queue.trash import LeftoverState, deleted
from thingsviz.studies.config import parse_study
from thingsviz.studies.study_folder import create_study
from thingsviz.ui import actions
from thingsviz.ui.access import visitor as access
from thingsviz.ui.access.visitor import AccessError

ROOT = Path(__file__).parents[2]
DOERS = {
    "thingsviz.queue.submit": {"start", "stop", "withdraw"},
    "thingsviz.queue.background_tasks": {"start_task", "stop_task"},
    "thingsviz.studies.submit": {"start_study", "stop_study", "add_candidates"},
    "thingsviz.studies.study_folder": {"create_study", "write_config"},
    "thingsviz.jobs.job_folder": {"create_job"},
    "thingsviz.queue.trash": {"delete", "restore", "empty", "clean"},
    "thingsviz.reports.bundle": {"import_job"},
    "thingsviz.jobs.about": {"write_about"},
}
ALLOWED = {"actions.py", "ownership.py"}  # a claim is part of every action


def doings(source: str) -> set[str]:
    """Return what a module imports by name, or calls on an imported module, that acts."""
    nodes = list(ast.walk(ast.parse(source)))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    pairs = [
        (f"{node.module}.{a.name}", a.asname or a.name) for node in imports for a in node.names
    ]
    modules = {short: whole for whole, short in pairs}
    used = {f"{modules.get(name, name)}.{attribute}" for name, attribute in attributes(nodes)}
    whole = [a.name for node in nodes if isinstance(node, ast.Import) for a in node.names]
    acting = {f"{module}.{name}" for module, names in DOERS.items() for name in names}
    return (acting & ({name for name, _ in pairs} | used)) | (DOERS.keys() & set(whole))


def attributes(nodes):
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id, node.attr


def test_nothing_but_actions_does_anything():
    sources = [*ROOT.glob("thingsviz/ui/**/*.py"), *ROOT.glob("pages/*.py")]
    assert len(sources) > 60
    bad = {p.name: found for p in sources if (found := doings(p.read_text("utf-8")))}
    assert set(bad) <= ALLOWED, bad


@pytest.mark.parametrize(
    "source",
    [
        "from thingsviz.queue.background_tasks import start_task as go",
        "from thingsviz.queue import submit\nsubmit.start(job)",
        "from thingsviz.queue import trash as b\nb.empty([])",
        "import thingsviz.queue.submit",
    ],
)
def test_the_look_finds_every_way_in(source):
    assert doings(source)


def test_the_look_lets_readers_be():
    assert not doings("from thingsviz.queue import submit\nsubmit.tend()")


@pytest.fixture
def as_visitor(monkeypatch, tiny_env):
    """Come through a proxy as somebody with a role; the line is not tended here."""
    monkeypatch.setattr(submit, "tend", lambda: None)
    monkeypatch.setenv("THINGSVIZ_ACCESS", "header")
    monkeypatch.setenv("THINGSVIZ_TRAIN", "ada bo")

    def come(name):
        headers = {"x-thingsviz-user": name, "x-thingsviz-address": "10.0.0.9"}
        fake = SimpleNamespace(headers=headers, ip_address="10.0.0.9")
        monkeypatch.setattr(access.st, "context", fake)

    return come


RECIPE = JobConfig.model_validate({"name": "r", "dataset": "tiny", "model": {"name": "ridge"}})
SPACE = {"model.score_power": {"kind": "float", "low": 0, "high": 2}}
STUDY = {"name": "study", "base": {"dataset": "tiny"}, "space": SPACE}


def test_a_new_training_is_the_visitors_and_noted(as_visitor):
    as_visitor("ada")
    job = actions.begin_training(RECIPE)
    assert read_about(job).owner == "ada"
    assert job.is_waiting()
    assert audit_log.latest()[0][1:] == ("ada", "10.0.0.9", "start training", job.name)
    actions.stop_training(job)
    assert audit_log.latest()[0].action == "stop training"
    assert not job.is_waiting()


def test_nothing_is_made_for_whoever_may_only_look(as_visitor, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_ACCESS", "open")
    monkeypatch.setenv("THINGSVIZ_OPEN_ROLE", "look")
    as_visitor("ada")
    sentence = "may look at data and results: ask the administrator"
    for do in (
        lambda: actions.begin_training(RECIPE),
        lambda: actions.begin_task("simulate", ["x"]),
        lambda: actions.bring_job(None, "x.zip"),
        lambda: actions.begin_study(None),
    ):
        with pytest.raises(AccessError, match=sentence):
            do()
    assert sentence in actions.refusal()
    assert not list_jobs()
    assert not tasks()
    assert not audit_log.latest()


MAKERS = {"begin_training", "bring_job", "add_parcellation", "begin_task", "begin_study"}
READERS = {"refusal", "task_refusal", "may_change_study"}
OF_SOMEBODY = {
    "resume_training": lambda one: actions.resume_training(one.job),
    "stop_training": lambda one: actions.stop_training(one.job),
    "delete_job": lambda one: actions.delete_job(one.job),
    "describe_job": lambda one: actions.describe_job(one.job, title="Mine", tags=(), note=""),
    "restore_job": lambda one: actions.restore_job(one.deleted),
    "empty_bin": lambda one: actions.empty_bin([one.deleted]),
    "clean_up": lambda one: actions.clean_up([one.state]),
    "resume_study": lambda one: actions.resume_study(one.study),
    "end_study": lambda one: actions.end_study(one.study),
    "end_task": lambda one: actions.end_task(one.task.id),
}


def test_every_action_is_tried_by_somebody_else():
    """A new action has to be put into one of the lists above."""
    own = {
        name
        for name, value in vars(actions).items()
        if inspect.isfunction(value)
        and value.__module__ == actions.__name__
        and not name.startswith("_")
    }
    assert own == MAKERS | READERS | OF_SOMEBODY.keys()


@pytest.fixture
def adas(as_visitor, monkeypatch):
    """A job, a deleted one, a state, a study and background work, all ada's."""
    monkeypatch.setattr("thingsviz.queue.background_tasks.spawn", lambda *a, **k: 2**30)
    as_visitor("ada")
    jobs = [made_job(name) for name in ("job", "old")]
    study = create_study(parse_study(STUDY))
    for job in (*jobs, JobFolder(study.path)):
        write_about(job, owner="ada")
    path = jobs[0].path / "checkpoints" / "state-00001-000001.safetensors"
    path.parent.mkdir()
    path.write_bytes(b"x")
    gone, state = trash.delete(jobs[1]), LeftoverState("job", (path,), 1)
    task = actions.begin_task("simulate", ["x"])
    return SimpleNamespace(job=jobs[0], deleted=gone, state=state, study=study, task=task)


@pytest.mark.parametrize("action", OF_SOMEBODY)
def test_what_is_somebody_elses_is_left_alone(as_visitor, adas, action):
    before, noted = sorted(jobs_root().rglob("*")), audit_log.latest()
    as_visitor("bo")
    with pytest.raises(JobError, match="ada"):
        OF_SOMEBODY[action](adas)
    assert sorted(jobs_root().rglob("*")) == before
    assert audit_log.latest() == noted


def test_somebodys_job_is_left_alone(as_visitor):
    job = made_job("theirs")
    write_about(job, owner="ada")
    as_visitor("bo")
    for do in (actions.stop_training, actions.resume_training, actions.delete_job):
        with pytest.raises(JobError, match="theirs belongs to ada: ask them"):
            do(job)
    assert not audit_log.latest()
    as_visitor("ada")
    actions.describe_job(job, title="Mine", tags=(), note="")
    actions.delete_job(job)
    as_visitor("bo")
    with pytest.raises(JobError, match="belongs to ada"):
        actions.restore_job(deleted()[0])
    with pytest.raises(JobError, match="belongs to ada"):
        actions.empty_bin(deleted())
    as_visitor("ada")
    assert owner_of(actions.restore_job(deleted()[0])) == "ada"
    assert [e.action for e in audit_log.latest()] == ["restore job", "delete job", "describe job"]


def test_a_task_is_stopped_by_its_starter(as_visitor, monkeypatch):
    monkeypatch.setattr("thingsviz.queue.background_tasks.spawn", lambda *a, **k: 2**30)
    as_visitor("ada")
    task = actions.begin_task("simulate", ["x"])
    assert task.owner == "ada"
    as_visitor("bo")
    with pytest.raises(JobError, match="this was started by ada: ask them"):
        actions.end_task(task.id)
    as_visitor("ada")
    actions.end_task(task.id)


def test_a_full_disk_does_not_hold_up_a_stop(as_visitor, monkeypatch, caplog):
    as_visitor("ada")
    job = actions.begin_training(RECIPE)

    def full(*words):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audit_log, "note", full)
    actions.stop_training(job)
    assert not job.is_waiting()
    assert "could not be noted" in caplog.text


@pytest.mark.parametrize(("page", "label"), [("train", "Start training"), ("tune", "Start study")])
def test_pages_say_whom_to_ask(tiny_env, monkeypatch, page, label):
    monkeypatch.setenv("THINGSVIZ_ACCESS", "open")
    monkeypatch.setenv("THINGSVIZ_OPEN_ROLE", "look")
    app = AppTest.from_file(ROOT / "pages" / f"{page}.py", default_timeout=60).run()
    assert not app.exception
    assert next(b for b in app.button if b.label == label).disabled
    assert any("ask the administrator for the role" in c.value for c in app.caption)
