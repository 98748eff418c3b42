"""'Replicate the original study': its plan, its cuts, its runs, its document."""

import json
from dataclasses import replace

import pytest

from models.presets.report import report_fit
from tests.finished_jobs import class_table, folder
from tests.reports.test_html import checked
from thingsviz.commands import replicate
from thingsviz.core import json_files
from thingsviz.core.errors import JobError
from thingsviz.core.progress import silent
from thingsviz.jobs.job_folder import JobFolder, jobs_root
from thingsviz.jobs.recipe import JobConfig, dump_config
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.queue import background_tasks
from thingsviz.replication import run
from thingsviz.replication.classifier_table import overfitting
from thingsviz.replication.document import report
from thingsviz.replication.plan import LeftOut, entries, nearest, recipe_of, sections
from thingsviz.replication.run import (
    ReplicationStep,
    named,
    remembered,
    run_all,
    study_config,
    write_record,
)
from thingsviz.replication.time_budget import TrainingLoad, candidates, cut, shares
from thingsviz.replication.wording import CONFIDENCE, meaning

PUBLISHED = (72, 91, 75)
TINY = (18, 22, 18)


@pytest.fixture(autouse=True)
def jobs(tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "jobs"))
    monkeypatch.setattr("thingsviz.analysis.scores.resampling.N_DRAWS", 30)
    return tmp_path


def plan_of(shape=PUBLISHED):
    return {e.key: recipe_of(e, "demo", "sub-01", "again") for e in entries(shape)}


def test_every_training_of_the_report_can_be_made():
    found = plan_of()
    left_out = {key: c.why for key, c in found.items() if isinstance(c, LeftOut)}
    assert set(left_out) <= {"concept_decoder-same", "concept_decoder-unseen"}, left_out
    assert len(found) == 13


def test_settings_are_those_of_the_report():
    plan = plan_of()
    small, large = plan["vit-small"], plan["vit-large"]
    assert (small.model.patch_size, small.model.n_layers) == ((6, 7, 5), 6)
    assert (large.model.patch_size, large.model.n_layers) == ((12, 13, 15), 3)
    for config in (small, large):
        assert (config.fit.epochs, config.fit.batches_per_epoch) == (10, 64)
        assert (config.fit.learning_rate, config.fit.weight_decay) == (1e-4, 0.01)
        assert (config.rating_scale, config.fit.target_scaling) == ("raw", "none")
    for key in ("transformer", "cnn", "optuna"):
        config = plan[key]
        assert (config.model.embed_dim, config.model.n_layers, config.model.n_heads) == (512, 6, 8)
        fit = config.fit
        assert (fit.epochs, fit.batches_per_epoch, fit.validation_batches) == (12, 32, 12)
        assert (config.rating_scale, len(config.targets)) == ("unit", 12)
    assert plan["cnn"].model.patch_size == (6, 11, 6)
    for key in ("logistic", "mlp", "cnn3d"):
        config = plan[key]
        assert config.split.fractions == (0.7, 0.1, 0.2)
        fit = config.fit
        assert (fit.optimiser, fit.learning_rate, fit.batch_size) == ("adam", 1e-3, 4)
        assert (config.learns, fit.loss, fit.epochs) == ("concepts", "cross_entropy", 5)
        assert fit == report_fit(key).model_copy(update={"seed": fit.seed})
    assert plan["cnn3d"].fit.noise_sd > 0


def test_the_search_is_the_one_of_the_report():
    entry = next(e for e in entries(PUBLISHED) if e.study)
    config = study_config(entry, recipe_of(entry, "demo", "sub-01", "again-optuna"))
    assert config.n_candidates == 12
    assert set(config.space) == {"model.embed_dim", "model.n_layers", "fit.learning_rate"}
    assert config.sampler == "tpe"


def test_patches_that_do_not_divide_a_volume_move_and_say_so():
    assert nearest(72, 6) == 6
    assert nearest(91, 8) == 7
    entry = next(e for e in entries(TINY) if e.key == "vit-small")
    assert entry.notes
    assert "does not divide 18 × 22 × 18" in entry.notes[0]
    for patch, side in zip(entry.recipe["model"]["patch_size"], TINY, strict=True):
        assert side % patch == 0


def test_names_tell_recipes_apart_and_find_them_again():
    entry = entries(PUBLISHED)[0]
    config = recipe_of(entry, "demo", "sub-01", "again")
    assert named(entry, config).name == named(entry, config).name
    other = config.model_copy(update={"dataset": "mine"})
    assert named(entry, other).name != named(entry, config).name


def test_time_is_dealt_out_to_the_cheapest_first_and_not_beyond_their_whole():
    least, whole = {"a": 10, "b": 50, "c": 500}, {"a": 20, "b": 400, "c": 9000}
    assert shares(least, whole, 200) == {"a": 20, "b": 180}
    assert shares(least, whole, 5) == {}
    assert shares(least, whole, 1e6) == whole


LOAD = TrainingLoad(batch=2.0, check=1.0, predict=10.0, n_batches=64, n_checks=12)


def test_what_fits_is_not_cut():
    config = plan_of()["vit-large"]
    assert cut(config, LOAD, 10 + 10 * (128 + 12)) == (config, "")


@pytest.mark.parametrize(
    ("seconds", "epochs", "batches"), [(500, 10, 24), (14, 1, 1), (60, 10, 2)]
)
def test_batches_are_cut_before_epochs_and_the_cut_is_told(seconds, epochs, batches):
    found = cut(plan_of()["vit-large"], LOAD, seconds)
    fit = found.config.fit
    assert (fit.epochs, fit.batches_per_epoch, fit.validation_batches) == (epochs, batches, 1)
    assert f"{epochs * batches} of the original study's 640 batches of 16" in found.words
    took = LOAD.predict + epochs * (batches * LOAD.batch + LOAD.check)
    assert took <= seconds


def test_a_search_keeps_two_candidates_at_least():
    assert candidates(12, LOAD, 1.0) == 2
    assert candidates(12, LOAD, 6 * LOAD.least) == 5
    assert candidates(12, LOAD, 1e9) == 12


def a_step(key="transformer", **more):
    entry = next(e for e in entries(PUBLISHED) if e.key == key)
    config = recipe_of(entry, "demo", "sub-01", "again")
    assert isinstance(config, JobConfig)
    return replace(ReplicationStep(entry, named(entry, config)), **more)


def finish(job, state="done"):
    """Play the trainer: put a finished job's files into the folder."""
    made = folder("made")
    for path in made.path.iterdir():
        if path.name not in {"config.json", "lock"} and path.is_file():
            path.replace(job.path / path.name)
    if job.config().learns != "ratings":
        class_table().to_parquet(job.file("predictions.parquet"))
    job.write_status(RunStatus(state, 3, 3, 12, 12, None, "the disk is full"))
    made.file("config.json").unlink()
    made.path.rmdir()


@pytest.fixture
def trainer(monkeypatch):
    """A trainer that finishes whatever is started, and notes it."""
    started = []

    def start(job):
        started.append(job.name)
        finish(job)

    def no_study(study):
        raise JobError("no search here")

    monkeypatch.setattr("thingsviz.queue.submit.start", start)
    monkeypatch.setattr("thingsviz.studies.submit.start_study", no_study)
    return started


def test_steps_run_once_and_are_found_again(trainer, jobs):
    steps, kept, told = [a_step(), a_step("vit-large")], [], []
    run_all(steps, told.append, kept.append)
    assert len(trainer) == 2
    assert [step.state for step in kept[-1]] == ["done", "done"]
    assert told[-1].done == told[-1].total
    assert [t.done for t in told] == sorted(t.done for t in told)
    assert "1 of 2: Transformer" in told[0].message
    run_all(steps, silent, kept.append)
    assert len(trainer) == 2


def test_what_is_left_out_takes_no_time_and_stops_nothing(trainer, jobs):
    out = replace(a_step(), config=None, state="left out", seconds=0.0)
    kept = []
    run_all([out, a_step("vit-large")], silent, kept.append)
    assert [step.state for step in kept[-1]] == ["left out", "done"]


def test_a_training_that_fails_is_told_and_the_rest_goes_on(monkeypatch, jobs):
    def start(job):
        if "vit-large" in job.name:
            raise JobError("the line is closed")
        finish(job, "failed")

    monkeypatch.setattr("thingsviz.queue.submit.start", start)
    kept = []
    run_all([a_step(), a_step("vit-large")], silent, kept.append)
    states = [(step.state, step.why) for step in kept[-1]]
    assert states == [("failed", "the disk is full"), ("failed", "the line is closed")]


def test_an_interruption_stops_the_job_that_runs(monkeypatch, jobs):
    stopped = []
    monkeypatch.setattr("thingsviz.queue.submit.start", lambda job, config=None: None)
    monkeypatch.setattr("thingsviz.queue.submit.is_alive", lambda job: True)
    monkeypatch.setattr("thingsviz.queue.submit.stop", lambda job: stopped.append(job.name))

    def interrupt(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(run.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_all([a_step()], silent, lambda steps: None)
    assert stopped == [a_step().config.name]


FACTS = {"dataset": "demo", "subject": "sub-01", "minutes": 5.0, "fingerprint": "f" * 64}
FACTS |= {"shape": list(PUBLISHED)}


def whole_plan():
    out = []
    for entry in entries(PUBLISHED):
        config = recipe_of(entry, "demo", "sub-01", "again")
        known = not isinstance(config, LeftOut)
        out.append(
            ReplicationStep(
                entry, named(entry, config) if known else None, "waiting", cut="cut a bit"
            )
        )
    return out


def test_a_second_run_takes_the_recipes_of_the_first(jobs):
    steps = whole_plan()
    write_record(jobs, steps, FACTS)
    found = remembered(jobs, FACTS)
    assert [s.config for s in found] == [s.config for s in steps]
    assert {s.cut for s in found if s.config} == {"cut a bit"}
    assert remembered(jobs, FACTS | {"minutes": 6.0}) is None
    assert remembered(jobs, FACTS | {"fingerprint": "0" * 64}) is None
    assert remembered(jobs / "nowhere", FACTS) is None


@pytest.fixture
def document(trainer, jobs):
    steps = [
        a_step(),
        a_step("cnn"),
        a_step("vit-small", state="left out", config=None, why="62 min"),
    ]
    steps[0] = replace(steps[0], cut="cut to fit the time: 4 of 384 batches")
    kept = []
    run_all(steps, silent, kept.append)
    more = {"simulated": True, "started_at": "2026-01-01", "git_commit": "abc"}
    return report(kept[-1], FACTS | more)


def test_the_document_shows_theirs_beside_ours_and_what_it_means(document):
    words = checked(document)
    for part in (
        *("SIMULATED", "0.092", "0.251", "0.350 (0.250 to 0.550)", "left out: 62 min"),
        *("cut to fit the time: 4 of 384 batches.", "54.65 %", "What this could not show"),
        *("noise ceiling", "f" * 64),
    ):
        assert part in words, part
    for name in sections(entries(PUBLISHED))[:2]:
        assert name in words


def test_the_document_is_there_before_anything_has_run(jobs):
    words = checked(report(whole_plan(), FACTS | {"simulated": False}))
    assert "0 of 13 trainings are done" in words
    assert "SIMULATED" not in words


def test_each_number_of_the_report_is_explained():
    words = " ".join(line for name in sections(entries(PUBLISHED)) for line in meaning(name))
    for part in (
        "54.65 %",
        "0.9105",
        "0.0922",
        "0.0732",
        "1.27 % are 2 hits of 157",
        "1.91 %",
        "0.64 % are 1 hit of 157",
        "1.39 %",
        "17 %",
        "Broca",
    ):
        assert part in words, part
    assert abs(CONFIDENCE - 0.5465) < 5e-5


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ([(6.0, 6.1), (3.0, 5.9), (0.5, 8.0)], "overfits after epoch 2"),
        ([(6.0, 6.1), (3.0, 5.9), (2.5, 5.0)], "not yet"),
        ([(6.0, 6.1), (6.5, 6.3)], "underfits"),
        ([(6.0, 6.1)], "one epoch alone"),
    ],
)
def test_overfitting_is_read_off_the_losses(losses, words):
    rows = [
        {"kind": "epoch", "epoch": n, "train_loss": a, "validation_loss": b}
        for n, (a, b) in enumerate(losses, 1)
    ]
    assert words in overfitting(rows)


def test_the_command_refuses_bad_input_in_one_sentence(jobs, monkeypatch, capsys):
    monkeypatch.setenv("THINGSVIZ_DATA", str(jobs))
    assert replicate.main([str(jobs / "out"), "--dataset", "nowhere"]) == 2
    assert replicate.main([str(jobs / "out"), "--dataset", "nowhere", "--minutes", "-1"]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 2
    assert "nowhere" in said[0]
    assert "--minutes is -1" in said[1]


def test_the_command_goes_through_on_a_subject(tiny_env, trainer, jobs, monkeypatch):
    few = [
        e for e in entries(TINY) if e.key in {"transformer", "optuna", "logistic", "ridge-same"}
    ]
    monkeypatch.setattr(run, "entries", lambda shape: few)
    out = jobs / "out"
    assert replicate.main([str(out), "--dataset", "tiny", "--short"]) == 0
    record = json.loads((out / "again.json").read_text())
    states = {row["key"]: row["state"] for row in record["steps"]}
    assert states["transformer"] in {"done", "left out"}
    assert (states["ridge-same"], states["logistic"]) == ("done", "done")
    assert states["optuna"] in {"failed", "left out"}
    assert "SIMULATED" in (out / "report.html").read_text()
    n = len(trainer)
    assert replicate.main([str(out), "--dataset", "tiny", "--short"]) == 0
    assert len(trainer) == n
    assert dump_config(JobFolder(jobs_root() / trainer[0]).config())["dataset"] == "tiny"
    assert json_files.read_json(out / "again.json")["minutes"] == replicate.SHORT_MIN


def test_the_pages_may_start_it_as_a_task():
    assert "replicate" in background_tasks.KINDS
