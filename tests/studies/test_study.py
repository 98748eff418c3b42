import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from optuna.trial import TrialState

from tests.trainings import TINY_FIT, TINY_VIT
from thingsviz.analysis.scores import resampling
from thingsviz.commands import train, tune
from thingsviz.core import json_files
from thingsviz.core.errors import ConfigError
from thingsviz.core.locks import is_locked, try_lock
from thingsviz.jobs.about import read_about, write_about
from thingsviz.jobs.job_folder import JobFolder, create_job, list_jobs, open_job
from thingsviz.jobs.recipe import parse_config
from thingsviz.jobs.run_folder import SILENT, RunStatus
from thingsviz.pipeline import run as stages
from thingsviz.queue import submit
from thingsviz.queue.database import Queue, queue_folder, recover
from thingsviz.studies import submit as study_launch
from thingsviz.studies.candidate import CandidateReporter, PrunedError
from thingsviz.studies.config import parse_study
from thingsviz.studies.records import StudyRecords
from thingsviz.studies.storage import open_storage
from thingsviz.studies.study_folder import create_study

RIDGE_SPACE = {
    "model.score_power": {"kind": "float", "low": 0, "high": 2},
    "model.n_selected_voxels": {"kind": "choice", "options": [500, 2000]},
}
VIT = {"dataset": "tiny", "model": TINY_VIT, "fit": TINY_FIT, "seed": 3}
RATE = {"fit.learning_rate": {"kind": "float", "low": 1e-4, "high": 1e-2, "log": True}}


@pytest.fixture
def make(tiny_env):
    def one(**more):
        data = {"name": "s", "base": {"dataset": "tiny"}, "space": RIDGE_SPACE}
        return create_study(parse_study({**data, "n_candidates": 2, **more}))

    return one


@pytest.fixture
def run(capfd):
    def call(folder) -> tuple[int, str]:
        capfd.readouterr()
        code = tune.main([str(folder.path)])
        return code, capfd.readouterr().err.strip()

    return call


def records_of(folder, phase="search"):
    return StudyRecords(folder, folder.config(), phase, open_storage(folder))


def test_a_whole_study(make, run, monkeypatch):
    monkeypatch.setattr(resampling, "N_DRAWS", 50)
    folder = make()
    write_about(JobFolder(folder.path), owner="ada")
    assert run(folder) == (0, "")
    assert folder.status().state == "done"
    assert {read_about(job).owner for job in list_jobs()} == {"ada"}
    names = {job.name for job in list_jobs()}
    candidates = {"s-c0001", "s-c0002", "s-r0001", "s-r0002"}
    assert names == candidates | {"s-best", "s-random", "s-default"}
    for name in sorted(candidates):
        job = open_job(name)
        assert (job.config().role, job.config().study) == ("candidate", "s")
        assert job.is_done()
        # the test is never looked at, and no reference is computed
        assert not job.file("predictions.parquet").exists()
        assert not job.file("scores.json").exists()
        assert "test_set_touched" not in job.manifest()
        assert not list(job.checkpoints.glob("*.safetensors"))
        assert "fitting ridge" in job.log_tail()
    rows = {row["which"]: row for row in folder.result()["rows"]}
    assert list(rows) == ["default", "random", "best"]
    assert rows["default"]["n_candidates"] == 0
    assert rows["default"]["gain"] is None
    best = rows["best"]
    assert best["n_candidates"] == 2
    assert best["search_seconds"] > 0
    # the final training draws and fits what the best candidate drew and fitted
    assert best["validation"] == pytest.approx(records_of(folder).study.best_value, abs=1e-12)
    assert best["gain"]["low"] <= best["gain"]["difference"] <= best["gain"]["high"]
    assert best["over_random"]["versus"] == "s-random"
    table = open_job("s-best").scores()
    found = table[(table["model"] == "ridge") & (table["target"] == "mean")]
    single = found[(found["part"] == "test") & (found["n_averaged"] == "single")]
    assert best["score"] == single[single["metric"] == "r"]["value"].item()
    assert len(open_job("s-best").manifest()["test_set_touched"]) == 1
    # a second start does nothing, and nothing twice
    before = folder.file("result.json").read_text()
    assert run(folder) == (0, "")
    assert json.loads(folder.file("result.json").read_text()) == json.loads(before)
    assert {job.name for job in list_jobs()} == names


def test_a_study_of_a_classifier_goes_by_its_top_10(make, run):
    base = {"dataset": "tiny", "learns": "categories27", "model": {"name": "logistic"}}
    base |= {"fit": {"epochs": 2, "batches_per_epoch": 3, "loss": "cross_entropy"}}
    space = {"fit.learning_rate": {"kind": "float", "low": 1e-4, "high": 1e-2, "log": True}}
    folder = make(base=base, space=space, objective="validation_top10", controls=["default"])
    assert run(folder) == (0, "")
    rows = folder.result()["rows"]
    assert [row["which"] for row in rows] == ["default", "best"]
    assert all(row["metric"].startswith("top") and 0 <= row["score"] <= 1 for row in rows)
    assert rows[1]["validation"] == records_of(folder).study.best_value
    assert open_job("s-best").config().fit.best_by == "validation_top10"


def test_candidates_compute_no_references(make, run, monkeypatch):
    monkeypatch.setattr(stages, "reference_scores", lambda *_: pytest.fail("computed"))
    folder = make(final=False, controls=[])
    assert run(folder) == (0, "")
    assert not (folder.root / ".references").exists()
    assert folder.result() is None


def test_more_candidates_and_a_new_best_get_a_new_final_training(make, run, monkeypatch):
    monkeypatch.setattr(train, "main", lambda argv: finish(argv[0]))
    folder = make(controls=[], seed=1)
    assert run(folder)[0] == 0
    study_launch.add_candidates(folder, 4)
    assert run(folder) == (0, "")
    records = records_of(folder)
    assert len(records.trials(TrialState.COMPLETE)) == 6
    best = open_job(folder.result()["rows"][0]["job"])
    assert best.config().model.score_power == records.study.best_params["model.score_power"]
    first = open_job("s-best").config().model.score_power
    assert (best.name == "s-best") == (first == best.config().model.score_power)


def finish(path):
    """Stands in for a final training: done at once."""
    job = JobFolder(Path(path))
    json_files.write_sealed(job.file("scores.json"), {"rows": []})
    job.write_status(RunStatus("done"))
    return 0


def test_epochs_are_reported_and_a_candidate_can_be_pruned(make, run):
    folder = make(
        base=VIT,
        space=RATE,
        n_candidates=5,
        pruner="median",
        controls=[],
        final=False,
    )
    assert run(folder) == (0, "")
    trials = records_of(folder).trials()
    assert all(list(t.intermediate_values) == [1, 2, 3][: t.last_step] for t in trials)
    complete = [t for t in trials if t.state == TrialState.COMPLETE]
    assert complete
    assert all(t.value == max(t.intermediate_values.values()) for t in complete)
    for trial in trials:
        if trial.state == TrialState.PRUNED:
            job = records_of(folder).job_of(trial)
            assert job.status().message.startswith("pruned after epoch")
            assert not list(job.checkpoints.glob("*.safetensors"))
    # drawn and fitted once, shared by all
    split = folder.file("shared") / "split.json"
    assert split.stat().st_nlink > 1


class Trial:
    """A trial whose pruner has had enough after its second epoch."""

    _trial_id = 0

    def __init__(self):
        self.intermediate_values = {}
        self.storage = self

    def get_trial(self, _):
        return self

    def report(self, value, step):
        self.intermediate_values[step] = value

    def should_prune(self):
        return len(self.intermediate_values) > 1


def test_the_pruner_ends_a_training_between_epochs(make, make_job):
    reporter = CandidateReporter(make_job(name="x"), Trial(), "validation_loss", lambda: False)
    row = {"kind": "epoch", "epoch": 1, "step": 5, "validation_loss": 0.9}
    reporter.report(row)
    reporter.report({**row, "kind": "step", "step": 7})
    with pytest.raises(PrunedError, match="pruned after epoch 2: others were better"):
        reporter.report({**row, "epoch": 2, "step": 10, "validation_loss": 0.8})
    assert reporter.best() == 0.8
    reporter.recall()
    assert reporter.values == [0.9, 0.8]


def test_a_killed_study_continues_exactly(make, run):
    """kill -9 in the middle of a training: the resumed study ends as one that ran through."""
    recipe = {
        "base": {**VIT, "fit": {**TINY_FIT, "epochs": 5}},
        "space": RATE,
        "n_candidates": 3,
        "controls": [],
        "final": False,
    }
    whole, broken = make(name="whole", **recipe), make(name="broken", **recipe)
    assert run(whole) == (0, "")
    process = subprocess.Popen(
        [sys.executable, "-m", "thingsviz.commands.tune", str(broken.path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    second = JobFolder(broken.root / "broken-c0002")
    end = time.monotonic() + 120
    while not any(row["kind"] == "epoch" for row in second.metrics()[0]):
        assert time.monotonic() < end
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert broken.status().message == SILENT
    assert run(broken) == (0, "")

    def ended(folder):
        done = records_of(folder).trials(TrialState.COMPLETE)
        done = sorted(done, key=lambda t: t.user_attrs["index"])
        return [(t.user_attrs["index"], t.params, t.value, t.intermediate_values) for t in done]

    assert ended(broken) == ended(whole)
    failed = records_of(broken).trials(TrialState.FAIL)
    assert len(failed) <= 1  # 0 if the kill came after the candidate's last line
    assert all(t.user_attrs["index"] == 1 for t in failed)


def test_a_stop_keeps_the_candidate_and_a_resume_goes_on(make, run, monkeypatch):
    folder = make(base=VIT, space=RATE, controls=[], final=False)
    report = CandidateReporter.report

    def report_and_stop(reporter, row):
        report(reporter, row)
        if row["kind"] == "epoch":
            folder.file("stop").touch()

    monkeypatch.setattr(CandidateReporter, "report", report_and_stop)
    assert run(folder) == (0, "s was stopped; start it again to resume")
    assert folder.status().state == "stopped"
    assert not folder.file("stop").exists()
    assert JobFolder(folder.root / "s-c0001").status().state == "stopped"
    assert {t.state for t in records_of(folder).trials()} == {TrialState.WAITING}
    monkeypatch.setattr(CandidateReporter, "report", report)
    assert run(folder) == (0, "")
    trials = records_of(folder).trials()
    assert [t.state for t in trials] == [TrialState.COMPLETE] * 2
    assert trials[0].intermediate_values.keys() == {1, 2, 3}


def test_a_recipe_that_cannot_work_fails_with_its_reason(make, run):
    space = {"model.embed_dim": {"kind": "choice", "options": [15]}}
    folder = make(base=VIT, space=space, controls=[], n_candidates=1)
    code, said = run(folder)
    assert code == 2
    assert said.splitlines()[-1].startswith("no candidate came to its end")
    (trial,) = records_of(folder).trials()
    assert "n_heads 2 does not divide embed_dim 15" in trial.user_attrs["reason"]
    assert folder.status().state == "failed"


def test_an_unexpected_fault_is_tried_twice(make, run, monkeypatch):
    monkeypatch.setattr(stages, "fit", lambda *_: 1 / 0)
    folder = make(controls=[], n_candidates=1)
    assert run(folder)[0] == 2
    reasons = [t.user_attrs["reason"] for t in records_of(folder).trials()]
    assert reasons == ["ZeroDivisionError: division by zero"] * 2


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (
            lambda f: json_files.write_sealed(
                f.file("manifest.json"), {"dataset_fingerprint": "0" * 64}
            ),
            "this is a study of another dataset: it was begun with data 000000000000",
        ),
        (lambda f: f.database.write_bytes(b"?" * 9000), "cannot be used"),
        (lambda f: f.file("config.json").write_text("{"), "cannot be read"),
        (lambda f: f.file("config.json").unlink(), "is not a study's folder"),
    ],
)
def test_a_study_that_cannot_go_on_says_why_in_one_sentence(make, run, break_it, sentence):
    folder = make()
    break_it(folder)
    code, said = run(folder)
    assert code == 2
    assert sentence in said
    assert "Traceback" not in said


def test_a_split_without_validation_trials_is_refused(make, run):
    split = {"kind": "trial", "fractions": [0.8, 0.0, 0.2]}
    code, said = run(make(base={"dataset": "tiny", "split": split}))
    assert (code, said) == (
        2,
        "the split has no validation trials to choose by: give validation a share",
    )


def test_a_running_study_is_not_started_twice(make, run):
    import fcntl

    folder = make()
    with folder.file("lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert run(folder) == (0, "s is already running")
        with pytest.raises(ConfigError, match="s is running: stop it, or wait for its end"):
            study_launch.add_candidates(folder, 1)


def test_two_workers_share_the_candidates(make, run):
    folder = make(n_candidates=4, workers=2, controls=[], final=False)
    assert run(folder)[0] == 0
    trials = records_of(folder).trials()
    assert [t.state for t in trials] == [TrialState.COMPLETE] * 4


def wait(until, seconds=60):
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_launched_study_outlives_its_launcher_and_can_be_stopped(make):
    folder = make(n_candidates=50, controls=[], final=False)
    study_launch.start_study(folder)
    assert folder.is_alive()
    wait(lambda: folder.status().state == "running")
    study_launch.start_study(folder)  # a second click
    study_launch.stop_study(folder)
    wait(lambda: not folder.is_alive())
    assert folder.status().state == "stopped"


def test_a_study_and_a_training_take_turns_in_one_slot(make, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_SLOTS", "1")
    folder = make(n_candidates=50, controls=[], final=False)
    study_launch.start_study(folder)
    wait(lambda: folder.status().state == "running")
    recipe = {"name": "mean", "dataset": "tiny", "model": {"name": "mean"}}
    job = create_job(parse_config(recipe))
    submit.start(job)
    with closing(Queue(queue_folder())) as queue:
        wait(lambda: n_done(folder) and queue.line() == ["mean"])
        recover(queue)  # finds no second runner in the candidates' locks
        rows = {row.name: row.state for row in queue.rows()}
    assert rows == {".studies/s": "running", "mean": "waiting"}
    assert not is_locked(job.file("lock"))
    study_launch.stop_study(folder)
    together = []
    wait(lambda: together.append(both_run(folder, job)) or job.is_done())
    assert not any(together)
    assert folder.status().state == "stopped"
    done = n_done(folder)
    assert done >= 1
    # and the other way round: what runs keeps a study waiting, and it can leave the line
    handle = try_lock(job.file("lock"))
    with closing(Queue(queue_folder())) as queue:
        recover(queue)
    study_launch.start_study(folder)
    time.sleep(0.5)
    assert folder.status().state == "queued"
    assert not is_locked(folder.file("lock"))
    study_launch.stop_study(folder)
    assert (folder.is_alive(), folder.status().state) == (False, "stopped")
    study_launch.start_study(folder)
    os.close(handle)
    wait(lambda: folder.status().state == "running")
    wait(lambda: n_done(folder) > done)
    study_launch.stop_study(folder)
    wait(lambda: not folder.is_alive())


def n_done(study):
    """How many candidates have come to their end."""
    jobs = (JobFolder(path) for path in study.root.glob("s-c*"))
    return sum(job.status().state == "done" for job in jobs)


def both_run(study, job):
    return is_locked(study.file("lock")) and is_locked(job.file("lock"))
