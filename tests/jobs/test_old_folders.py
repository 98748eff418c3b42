"""Job folders of earlier versions open, predict and go on; none is rewritten by being read."""

from __future__ import annotations

import copy
import hashlib
import json

import numpy as np
import pytest

from models.base.errors import ModelError
from models.base.upgrades import STATE_VERSION, upgraded_state
from tests.jobs.old_folders import SESSIONS, unpack
from tests.predictions import load_predictor
from thingsviz.commands import overfitting, tune
from thingsviz.core import json_files
from thingsviz.core.errors import ConfigError, JobError, NewerError, ThingsvizError
from thingsviz.core.json_files import VERSION
from thingsviz.explain.map_files import map_sets
from thingsviz.jobs.about import read_about, write_about
from thingsviz.jobs.index import JobIndex
from thingsviz.jobs.job_folder import SCORES, JobFolder, list_jobs, open_job
from thingsviz.jobs.manifest import add_to_manifest
from thingsviz.jobs.recipe import RECIPE, dump_config, parse_config
from thingsviz.jobs.run_folder import MANIFEST, STATUS
from thingsviz.pipeline.load_model import load_predict
from thingsviz.pipeline.tasks.registry import open_task
from thingsviz.studies.config import STUDY
from thingsviz.studies.rows import Reader
from thingsviz.studies.study_folder import RESULT, open_study

DONE = {
    "session-1": {"ridge", "vit"},
    "session-2": {"ridge", "vit", "classes", "study-best", "study-default"},
    "session-3": {
        *("mean", "ridge", "ridge-session", "banded-ridge", "encoding-inversion"),
        *("concept-decoder", "concept-decoder-noise", "quadratic-decoder"),
        *("vit", "vit-cls", "vit-linear-start", "cnn-vit", "logistic", "mlp", "cnn3d"),
        *("lda-concepts", "multinomial-ridge-categories53", "identification-concepts"),
        *("vit-categories27", "cnn-vit-categories27", "cnn3d-categories53"),
        *("logistic-concepts", "mlp-concepts", "study-best", "study-default", "study-random"),
    },
}


@pytest.fixture(params=SESSIONS)
def session(request, tiny_env):
    unpack(request.param, tiny_env)
    return request.param


@pytest.fixture
def first(tiny_env):
    unpack("session-1", tiny_env)
    return tiny_env


@pytest.fixture
def second(tiny_env):
    unpack("session-2", tiny_env)
    return tiny_env


def contents(root):
    found = (path for path in root.rglob("*") if path.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def test_every_folder_opens_and_stays_as_it_was(session, tiny_env):
    before = contents(tiny_env)
    jobs = {job.name: job for job in list_jobs()}
    assert {name for name, job in jobs.items() if job.status().state == "done"} >= DONE[session]
    for job in jobs.values():
        assert job.config().version == RECIPE.newest
        assert job.manifest()["dataset"] == "tiny"
        job.metrics()
        job.log_tail()
    for name in DONE[session]:
        assert len(jobs[name].predictions()) >= 54
        assert len(jobs[name].scores()) > 30
    entries = {entry.name: entry for entry in JobIndex(tiny_env).refresh()}
    assert entries.keys() == jobs.keys()
    assert not any(entry.fault for entry in entries.values())
    assert contents(tiny_env) == before


def test_a_recipe_says_everything_itself_once_it_is_upgraded(session, tiny_env):
    """No default of today decides what an old recipe meant: models/base/upgrades.py says it."""
    for job in list_jobs():
        old = json.loads(job.file("config.json").read_text())
        old.pop("crc32", None)
        new, today = RECIPE.upgraded(old, "config"), dump_config(job.config())
        for part in ("fit", "model", "split"):
            untold = today[part].keys() - new[part].keys()
            assert not untold, f"say in models/base/upgrades.py what {part}.{untold} was before"
        assert new == today, f"say in a step of jobs/recipe.py what {job.name} meant"


def of_todays_data(job, tiny):
    """Say that a job was begun with the data `tiny` of this machine; how near results must be.

    Another processor's libraries round another way, so that a few of the simulated responses
    differ in their last digit.
    """
    manifest = tiny / "tiny/derivatives/thingsviz/sub-01/manifest.json"
    fingerprint = json.loads(manifest.read_text())["fingerprint"]
    if job.manifest()["dataset_fingerprint"] == fingerprint:
        return 1e-4
    add_to_manifest(job, dataset_fingerprint=fingerprint)
    return 5e-3


@pytest.fixture
def third(tiny_env):
    unpack("session-3", tiny_env)
    return tiny_env


@pytest.mark.parametrize("name", ["ridge", "vit"])
def test_old_weights_predict_what_they_predicted(session, name, tiny_env, tiny):
    job = open_job(name)
    tolerance = of_todays_data(job, tiny)
    table = job.predictions()
    single = table[table["n_averaged"] == 1]
    kept = single[[f"pred_{target}" for target in job.config().targets]].to_numpy()
    again = load_predictor(job)[0](single["row"].to_numpy())
    np.testing.assert_allclose(again, kept, atol=tolerance)


@pytest.mark.parametrize("name", sorted(DONE["session-3"]))
@pytest.mark.usefixtures("third")
def test_what_every_kind_of_old_job_said_is_said_again(name, tiny):
    """The whole way from a folder's weights to its table, of ratings and of classes."""
    job = open_job(name)
    tolerance = of_todays_data(job, tiny)
    task, table = open_task(job), job.predictions()
    again = task.predict(load_predict(job, task, task.responses), task.config.model).table
    assert again.columns.drop("rank").tolist() == table.columns.drop("rank").tolist()
    places = ["row", "part", "n_averaged", "concept"]
    assert again[places].equals(table[places].astype(again[places].dtypes))
    numbers = [c for c in table if c.startswith(("true_", "pred_", "sd_")) or c == "p_true"]
    numbers = [c for c in numbers if table[c].dtype == float]
    np.testing.assert_allclose(again[numbers], table[numbers], rtol=tolerance, atol=tolerance)
    if task.config.learned.kind == "classes":
        assert (again["rank"] == table["rank"]).mean() > 0.95


def test_an_old_training_goes_on_to_the_end_it_would_have_had(first, run, tiny):
    """Stopped by the first session's code, resumed by today's: the same as never stopped."""
    tolerance = of_todays_data(open_job("stopped"), tiny)
    code, said = run(open_job("stopped"))
    assert code == 0, said
    whole, resumed = open_job("vit").predictions(), open_job("stopped").predictions()
    for target in ("manmade", "moves"):
        np.testing.assert_allclose(
            resumed[f"pred_{target}"], whole[f"pred_{target}"], atol=tolerance, rtol=0
        )
    written = json.loads(open_job("stopped").file("status.json").read_text())
    assert written["version"] == STATUS.newest


def test_an_old_classifier_goes_on_to_the_end_it_would_have_had(third, run, tiny):
    """Stopped in its second epoch by the third session's code."""
    job, whole = open_job("stopped-classes"), open_job("logistic-concepts")
    tolerance = of_todays_data(job, tiny)
    code, said = run(job)
    assert code == 0, said
    resumed, table = job.predictions(), whole.predictions()
    np.testing.assert_allclose(resumed["p_true"], table["p_true"], atol=tolerance, rtol=0)
    value = [j.scores().set_index(["model", "part", "n_averaged", "metric"]) for j in (job, whole)]
    place = ("ridge", "test", "single", "mean_rank")
    assert value[0].loc[place, "value"] == pytest.approx(value[1].loc[place, "value"], rel=0.02)


@pytest.mark.usefixtures("small_training")
def test_old_studies_go_on_and_old_maps_open(third):
    study = open_study("study-stopped")
    assert tune.main([str(study.path)]) == 0
    assert study.status().state == "done"
    assert len(study.result()["rows"]) == 2
    (folder,) = (third / ".overfitting").glob("*-categories27")
    rows = folder / "rows.jsonl"
    assert len(rows.read_text().splitlines()) == 1
    assert overfitting.main([str(folder)]) == 0
    assert len(rows.read_text().splitlines()) == 6
    for name, methods in (("ridge", {"weights", "occlusion"}), ("vit-cls", {"rollout"})):
        (maps,) = map_sets(open_job(name))
        assert set(maps.methods()) >= methods
        for method in maps.methods():
            assert np.isfinite(maps.load(method)).all()


def test_a_study_and_its_words_open(second):
    study = open_study("study")
    assert study.status().state == "done"
    assert len(study.result()["rows"]) >= 1
    rows = Reader(study, study.config()).rows("search")
    assert sum(row.state == "done" for row in rows) == 2
    about = read_about(open_job("ridge"))
    assert (about.owner, about.tags) == ("ada", ("kept",))
    assert write_about(open_job("ridge"), note="read again").note == "read again"


@pytest.mark.parametrize(
    ("kind", "name", "read"),
    [
        (RECIPE, "config.json", JobFolder.config),
        (STATUS, "status.json", JobFolder.status),
        (MANIFEST, "manifest.json", JobFolder.manifest),
        (SCORES, "scores.json", JobFolder.scores),
    ],
)
def test_what_a_newer_version_wrote_is_refused(second, kind, name, read):
    job = open_job("vit")
    data = json_files.read_json(job.file(name))
    json_files.write_sealed(job.file(name), data | {"version": kind.newest + 1})
    with pytest.raises(NewerError, match=rf"{name} is a {kind.word} of version"):
        read(job)
    if kind in {RECIPE, STATUS}:
        entry = next(e for e in JobIndex(second).refresh() if e.name == "vit")
        assert "newer thingsviz" in entry.fault


def test_newer_predictions_are_refused(second):
    job = open_job("vit")
    table = job.predictions()
    assert VERSION not in table.attrs
    table.attrs["version"] = 2
    table.to_parquet(job.file("predictions.parquet"), index=False)
    manifest = job.manifest()
    manifest.pop("predictions_crc32")
    json_files.write_sealed(job.file("manifest.json"), manifest)
    with pytest.raises(NewerError, match=r"is a predictions of version 2"):
        job.predictions()


def test_what_a_newer_version_says_of_a_job_is_not_written_over(second):
    job = open_job("ridge")
    json_files.write_sealed(job.file("about.json"), {"version": 9, "stars": 5, "owner": "ada"})
    before = job.file("about.json").read_bytes()
    assert read_about(job).owner == ""
    with pytest.raises(NewerError, match="update thingsviz"):
        write_about(job, note="mine")
    assert job.file("about.json").read_bytes() == before


def test_a_newer_training_state_is_not_resumed():
    with pytest.raises(ModelError, match=f"version {STATE_VERSION + 1}.*update thingsviz"):
        upgraded_state({"version": STATE_VERSION + 1}, {})


@pytest.mark.parametrize("version", [0, -1, True, "2", 1.0, None, [1]])
def test_a_version_that_is_none_is_refused(version):
    with pytest.raises(ConfigError, match=r"x\.version must be a whole number from 1 to"):
        RECIPE.upgraded({"version": version}, "x")
    with pytest.raises(JobError, match=r"x\.version must be a whole number from 1 to 1"):
        STATUS.upgraded({"version": version}, "x")


def test_steps_are_pure_and_what_is_said_stays():
    old = {"version": 1, "dataset": "d", "learns": "concepts", "fit": {"optimiser": "adam"}}
    kept = copy.deepcopy(old)
    new = RECIPE.upgraded(old, "x")
    assert old == kept
    assert (new["learns"], new["fit"]["optimiser"]) == ("concepts", "adam")
    assert new["fit"]["noise_sd"] == 0
    assert RECIPE.upgraded(new, "x") == new


@pytest.mark.parametrize("kind", [RECIPE, STUDY, MANIFEST, SCORES, RESULT])
def test_todays_files_say_todays_version(kind, tmp_path):
    path = tmp_path / "file.json"
    kind.write(path, {"a": 1})
    assert json.loads(path.read_text())["version"] == kind.newest
    read = kind.read(path)
    assert read["a"] == 1
    assert ("version" in read) == kind.by_hand


def test_a_recipe_by_hand_needs_no_version():
    assert parse_config({"dataset": "d"}).version == RECIPE.newest
    old, new = parse_config({"dataset": "d", "version": 1}), parse_config({"dataset": "d"})
    assert (old.fit.start_margin, new.fit.start_margin) == (0, 1)
    assert old == new.model_copy(update={"fit": old.fit})


@pytest.mark.parametrize("wrong", [{"fit": 3}, {"model": 7}, {"split": None, "fit": "x"}])
def test_an_old_recipe_that_is_wrong_is_still_refused_in_a_sentence(wrong):
    with pytest.raises(ThingsvizError, match="config"):
        parse_config({"dataset": "d", "version": 1, **wrong})
