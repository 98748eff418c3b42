"""The export command: each format, read back by somebody else, and its refusals."""

import pandas as pd
import pytest

from tests.finished_jobs import folder
from tests.reports.test_html import checked
from thingsviz.commands import export
from thingsviz.jobs.job_folder import open_job


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "jobs"))
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("thingsviz.analysis.scores.resampling.N_DRAWS", 30)
    return tmp_path


def run(*args) -> int:
    return export.main([str(arg) for arg in args])


def test_a_zip_there_and_back(here, capsys):
    folder("one")
    assert run("one", here / "one.zip") == 0
    assert run("--import", here / "one.zip") == 0
    assert "imported one-2" in capsys.readouterr().err
    assert open_job("one-2").is_done()


def test_a_report_says_that_the_data_are_elsewhere_and_still_shows_all(here):
    folder("one")
    assert run("one", here / "one.html") == 0
    words = checked((here / "one.html").read_text())
    assert "are not on this machine" in words
    assert "0.350 (0.250 to 0.550)" in words
    assert "Test predictions (80 of 80 rows)" in words
    assert "pred_heavy" in words


def test_several_jobs_go_into_one_document(here):
    folder("one"), folder("two", seed=1)
    assert run("one", "two", here / "both.html") == 0
    assert "Comparison of one, two" in checked((here / "both.html").read_text())


def test_csv_holds_the_tables(here):
    job = folder("one")
    assert run(job.path, here / "csv", "--csv") == 0
    scores = pd.read_csv(here / "csv" / "scores.csv")
    assert len(scores) == len(job.scores())
    back = pd.read_csv(here / "csv" / "predictions.csv")
    assert back["pred_heavy"].tolist() == pytest.approx(job.predictions()["pred_heavy"].tolist())


def test_tensorboard_reads_the_curves(here):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    job = folder("one")
    assert run("one", here / "events", "--tensorboard") == 0
    found = EventAccumulator(str(here / "events" / "one"))
    found.Reload()
    rows = [row for row in job.metrics()[0] if row["kind"] == "epoch"]
    events = found.Scalars("loss/validation")
    assert [e.step for e in events] == [row["step"] for row in rows]
    assert [e.value for e in events] == pytest.approx([row["validation_loss"] for row in rows])
    assert [e.wall_time for e in events] == [row["time"] for row in rows]
    assert len(found.Scalars("loss/single_batches")) == 12
    assert set(found.Tags()["scalars"]) == {
        *("loss/training", "loss/validation", "validation/r", "learning_rate"),
        "loss/single_batches",
    }


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["one"], "give a job and where to write it"),
        (["nobody", "x.zip"], "there is no job 'nobody'"),
        (["./nowhere", "x.zip"], "is not a job folder"),
        (["one", "x.tar"], "ends in neither .zip nor .html"),
        (["one", "one", "x.zip"], "several jobs go into one .html only"),
        (["empty", "csv", "--csv"], "has no scores and no predictions yet"),
        (["empty", "events", "--tensorboard"], "has no metrics yet"),
        (["empty", "x.html"], "before it has predicted its test"),
        (["--import", "nowhere.zip"], "there is no file nowhere.zip"),
    ],
)
def test_bad_input_is_one_sentence(here, monkeypatch, capsys, args, words):
    monkeypatch.chdir(here)
    folder("one")
    empty = folder("empty")
    for name in ("scores.json", "predictions.parquet", "metrics.jsonl"):
        empty.file(name).unlink()
    assert run(*args) == 2
    said = capsys.readouterr().err.strip()
    assert words in said
    assert "\n" not in said
