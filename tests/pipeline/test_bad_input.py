"""Each fault a user can cause: exit 2, one sentence, state failed with it, nothing half made."""

import errno
import json

import pytest

from thingsviz.commands import train
from thingsviz.core import json_files
from thingsviz.jobs import weights
from thingsviz.jobs.job_folder import JobFolder


def refused(job, result):
    """Check the promise of every refusal; returns the sentence."""
    code, words = result
    assert code == 2, words
    assert "\n" not in words
    assert "Traceback" not in words
    status = job.status()
    assert (status.state, status.message) == ("failed", words)
    assert not job.is_alive()
    assert not [p for p in job.path.rglob("*") if p.suffix in {".tmp", ".part"}]
    return words


def edit(job, **changes):
    recipe = json.loads(job.file("config.json").read_text())
    del recipe["crc32"]
    job.file("config.json").write_text(json.dumps({**recipe, **changes}))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"modell": 1}, "modell is not a setting (did you mean 'model'?)"),
        ({"version": 99}, "version"),
        ({"dataset": "nothing"}, "there is no dataset 'nothing'"),
        ({"subject": "sub-77"}, "sub-77 of 'tiny' is missing"),
        ({"targets": ["charm"]}, "have no charm: choose targets from"),
        ({"split": {"kind": "unheard"}}, "split.kind"),
        ({"model": {"name": "vit3d", "patch_size": [5, 7, 5]}}, "divi"),
        ({"fit": {"device": "cuda"}, "model": {"name": "vit3d"}}, "no GPU here"),
    ],
)
def test_recipes_that_cannot_work(make_job, run, changes, sentence):
    job = make_job()
    edit(job, **changes)
    assert sentence in refused(job, run(job))


def test_a_recipe_that_is_no_json(make_job, run):
    job = make_job()
    job.file("config.json").write_text("{'dataset': tiny}")
    assert "config.json should hold a JSON object" in refused(job, run(job))


def test_a_folder_that_is_no_job(tmp_path, run):
    assert run(tmp_path)[0] == 2
    assert run(tmp_path / "nowhere")[0] == 2
    assert "needs a config.json" in run(tmp_path)[1]
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_is_checked(capsys):
    assert train.main([]) == 2
    assert "give the folder of a job" in capsys.readouterr().err


def test_a_dataset_that_is_not_prepared(tiny_copy, make_job, run, monkeypatch):
    import shutil

    shutil.rmtree(tiny_copy / "tiny" / "derivatives" / "thingsviz")
    monkeypatch.setenv("THINGSVIZ_DATA", str(tiny_copy))
    job = make_job()
    words = refused(job, run(job))
    assert "sub-01 of 'tiny' is raw" in words
    assert "thingsviz prepare " in words


def test_a_job_of_other_data(tiny_copy, make_job, run, monkeypatch):
    from thingsviz.commands import prepare, simulate

    job = make_job(model={"name": "mean"})
    assert run(job) == (0, "")
    other = tiny_copy.parent / "others"
    assert simulate.main([str(other / "tiny"), "--preset", "tiny", "--seed", "8"]) == 0
    assert prepare.main([str(other / "tiny"), "--subject", "sub-01"]) == 0
    monkeypatch.setenv("THINGSVIZ_DATA", str(other))
    job.file("scores.json").unlink()
    assert "a job folder of another dataset" in refused(job, run(job))


def test_damaged_weights(make_job, run):
    job = make_job()
    assert run(job) == (0, "")
    for name in ("scores.json", "predictions.parquet"):
        job.file(name).unlink()
    path = weights.best_file(job)
    path.write_bytes(path.read_bytes()[:100])
    assert "best.safetensors cannot be read" in refused(job, run(job))


def test_damaged_z_scoring(make_job, run):
    job = make_job()
    job.checkpoints.mkdir()
    (job.checkpoints / "scaler.safetensors").write_bytes(b"nonsense")
    assert "scaler.safetensors cannot be read" in refused(job, run(job))


def test_damaged_predictions(make_job, run):
    job = make_job()
    assert run(job) == (0, "")
    job.file("scores.json").unlink()
    job.file("predictions.parquet").write_bytes(b"PAR1")
    assert "cannot be read as parquet" in refused(job, run(job))


@pytest.mark.parametrize("name", ["scores.json", "ridge.parquet", "mean.parquet"])
def test_damaged_references_are_computed_anew(make_job, run, tiny_env, name):
    job = make_job(model={"name": "mean"})
    assert run(job) == (0, "")
    (kept,) = (tiny_env / ".references").glob(f"*/*/{name}")
    kept.write_bytes(b"{" + kept.read_bytes()[1:-9])
    other = make_job(model={"name": "mean"})
    assert run(other) == (0, "")
    assert other.scores().to_json() == job.scores().to_json()


def test_a_constant_target_cannot_be_z_scored(make_job, run, tiny_copy, monkeypatch):
    import pandas as pd

    path = tiny_copy / "tiny" / "derivatives" / "thingsviz" / "sub-01" / "trials.parquet"
    size = path.stat().st_size
    table = pd.read_parquet(path)
    table["property_lives_mean"] = 4.0
    table.to_parquet(path, index=False)
    manifest = path.with_name("manifest.json")
    told = json.loads(manifest.read_text().replace(str(size), str(path.stat().st_size)))
    del told["crc32"], told["file_crc32"]
    manifest.write_text(json.dumps(told))
    monkeypatch.setenv("THINGSVIZ_DATA", str(tiny_copy))
    job = make_job(rating_scale="z")
    assert "lives is the same for all training concepts" in refused(job, run(job))


@pytest.mark.parametrize("after", [0, 1, 2, 4, 6, 8])
def test_a_full_disk_ends_in_one_sentence(make_job, run, monkeypatch, after):
    """The k-th file that is written finds the disk full, and so do all that follow."""
    job = make_job()
    plain, count = json_files.write_atomically, [0]

    def full(path, write):
        count[0] += 1
        # Status files are small: they still fit
        if count[0] > after and path.name != "status.json":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        plain(path, write)

    with monkeypatch.context() as patch:
        for module in ("arrays", "manifest"):
            patch.setattr(f"thingsviz.jobs.{module}.write_atomically", full)
        patch.setattr(json_files, "write_atomically", full)
        words = refused(job, run(job))
    assert "no space is left to write in" in words
    assert run(job) == (0, "")
    assert job.scores() is not None


def test_a_disk_too_full_for_the_status(make_job, run, monkeypatch):
    job = make_job()

    def full(path, write):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(json_files, "write_atomically", full)
        code, words = run(job)
    assert code == 2
    assert "no space is left" in words
    assert not job.is_alive()
    assert job.status().state == "stopped"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 40 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 9e12"),
        RuntimeError("CUDA out of memory. Tried to allocate 20 GiB"),
    ],
)
def test_too_little_memory_is_one_sentence(make_job, run, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr("thingsviz.pipeline.run.fit", fail)
    job = make_job()
    assert refused(job, run(job)).startswith("there is not enough memory: make the batch")


def test_an_error_of_ours_is_confessed(make_job, run, monkeypatch, capfd):
    job = make_job()

    def wrong(*_):
        return 1 / 0

    monkeypatch.setattr("thingsviz.pipeline.run.begin_manifest", wrong)
    code = train.main([str(job.path)])
    assert code == 1
    assert "ZeroDivisionError" in capfd.readouterr().err
    assert job.status().state == "failed"
    assert "an error in thingsviz ended it (ZeroDivisionError)" in job.status().message


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", "99999"])
def test_threads_must_be_a_number(make_job, run, monkeypatch, text):
    monkeypatch.setenv("THINGSVIZ_THREADS", text)
    job = make_job()
    assert f"THINGSVIZ_THREADS is {text!r}: give the number of" in refused(job, run(job))


def test_jobs_in_odd_places(make_job, run, tmp_path, monkeypatch):
    root = tmp_path / "meine Jobs ü €"
    monkeypatch.setenv("THINGSVIZ_JOBS", str(root))
    job = make_job(model={"name": "mean"})
    assert isinstance(job, JobFolder)
    assert run(job) == (0, "")
