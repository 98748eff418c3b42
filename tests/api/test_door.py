"""What `import thingsviz` costs and offers, and what a type checker sees of it."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import thingsviz as tv
from thingsviz.core.errors import ConfigError, DataError, JobError

REPO = Path(__file__).parents[2]
NAMES = [
    *("datasets", "load_subject", "simulate", "train", "submit", "jobs", "score", "compare"),
    *("plot_slices", "plot_scores", "plot_map", "register_model", "models", "Subject", "Split"),
]


def run(code, *arguments):
    done = subprocess.run(
        [sys.executable, *arguments, "-c", code],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_import_is_quick_and_loads_nothing_large():
    code = (
        "import sys, time; began = time.process_time(); import thingsviz;"
        "print(time.process_time() - began,"
        "[m for m in ('torch', 'pandas', 'numpy', 'sklearn', 'plotly') if m in sys.modules])"
    )
    seconds, loaded = run(code).split(maxsplit=1)
    assert float(seconds) < 0.3
    assert loaded.strip() == "[]"


@pytest.mark.parametrize("order", ["import thingsviz.jobs.recipe", "pass"])
def test_every_name_is_there_whatever_was_imported_before(order):
    code = f"{order}\nimport thingsviz as tv\nprint(all(callable(getattr(tv, n)) or n == 'models'"
    assert run(f"{code} for n in {NAMES!r}), dir(tv))").startswith("True")


SCRIPT = """
import numpy as np
import thingsviz as tv

sub = tv.load_subject("demo", "sub-01")
split = sub.split("unseen_concepts", seed=0)
X, Y = sub.betas(), sub.ratings(["heavy"])
ridge = tv.models.Ridge(n_alphas=5).fit(X[split.train], Y[split.train], groups=split.groups)
job = tv.train("vit3d", sub, split, fit={"epochs": 1})
reveal_type(tv.datasets())
reveal_type(sub)
reveal_type(split.train)
reveal_type(X)
reveal_type(Y)
reveal_type(sub.trial(session=1, run=2, trial=3).response)
reveal_type(ridge)
reveal_type(ridge.predict(X))
reveal_type(ridge.score(X[split.test], Y[split.test]))
reveal_type(ridge.get_params())
reveal_type(tv.score(ridge, sub, split))
reveal_type(job)
reveal_type(job.scores)
reveal_type(job.explain("rollout").regions())
reveal_type(tv.jobs())
reveal_type(tv.compare(job, job))
reveal_type(tv.plot_slices(sub))
reveal_type(tv.simulate("out"))
reveal_type(sub.folds("session")[0])
reveal_type(tv.train("ridge", sub, sub.folds("concept", 5)).folds)
reveal_type(tv.models.ViT3D(mask=sub.mask, patch_size=(6, 7, 5)).fit(X, Y).best_epoch_)
"""
WRONG = """
import thingsviz as tv

tv.models.Ridge(n_alpha=3)
tv.load_subject(3)
tv.models.ConceptDecoder(local_noise="no")
"""


def mypy(tmp_path, text):
    script = tmp_path / "user.py"
    script.write_text(text)
    command = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports"]
    command += ["--follow-imports=silent", str(script)]
    cache = ["--cache-dir", str(REPO / ".mypy_cache" / "door")]
    return subprocess.run(
        [*command, *cache], cwd=REPO, capture_output=True, text=True, timeout=500, check=False
    )


@pytest.mark.slow
def test_a_user_s_script_is_typed_without_any(tmp_path):
    done = mypy(tmp_path, SCRIPT)
    assert done.returncode == 0, done.stdout
    seen = re.findall(r'Revealed type is "(.*)"', done.stdout)
    assert len(seen) == SCRIPT.count("reveal_type")
    # NumPy itself says of a shape only that it is a tuple
    seen = [text.replace("numpy.ndarray[tuple[Any, ...]", "numpy.ndarray[shape") for text in seen]
    assert not [text for text in seen if re.search(r"\bAny\b", text)]


@pytest.mark.slow
def test_a_user_s_mistakes_are_seen_before_anything_runs(tmp_path):
    done = mypy(tmp_path, WRONG)
    lines = re.findall(r"user\.py:(\d+): error", done.stdout)
    assert set(lines) == {"4", "5", "6"}, done.stdout


def test_a_subject_says_what_it_is(sub, split):
    assert "\n" not in repr(sub) + repr(split)
    assert "<table" in sub._repr_html_()
    assert "<table" in split._repr_html_()
    assert sub.betas().shape == (len(sub.trials), int(sub.mask.sum())) == sub.shape
    assert len(split.groups) == len(split.train)
    assert not sub.betas().flags.writeable


def test_a_trial_has_three_names(sub):
    one = sub.trial((2, 3))
    assert one.row == sub.trial(session=1, run=2, trial=3).row == sub.trial(one.row).row
    assert sub.trials.iloc[one.row]["image_filename"] == one.image
    data = sub.torch_dataset()
    assert data[2, 3][0].numpy().tobytes() == one.response.tobytes()
    for wrong in ((1, 2, 3, 4), 10_000, (9, 9, 9)):
        with pytest.raises(IndexError):
            sub.trial(wrong)
    with pytest.raises(IndexError):
        sub.trial(run=2)


def test_what_is_not_there_is_named(sub):
    with pytest.raises(ConfigError, match="heavy"):
        sub.ratings(["heavyness"])
    with pytest.raises(ConfigError, match="unseen_concepts"):
        sub.split("unseen")
    with pytest.raises(DataError, match="tiny"):
        tv.load_subject("tinny")


def test_scores_stand_beside_what_they_must_beat(sub, split):
    targets = ["heavy", "lives"]
    X, Y = sub.responses(split), sub.ratings(targets)
    ridge = tv.models.Ridge().fit(X[split.train], Y[split.train], groups=split.groups)
    table = tv.score(ridge, sub, split, targets=targets, X=X)
    assert table["property"].tolist() == ["mean", *targets]
    assert {"r", "low", "high", "p", "chance", "mean", "ridge", "ceiling"} <= set(table.columns)
    assert table["r"].to_numpy() == pytest.approx(table["ridge"].to_numpy(), abs=1e-5)
    with pytest.raises(ConfigError, match="targets"):
        tv.score(ridge, sub, split)
    with pytest.raises(ConfigError, match="exemplars"):
        tv.score(ridge, sub, split, targets=targets, X=X, part="validation")


def test_a_classifier_is_not_scored_on_ratings(sub, split):
    lda = tv.models.LDA().fit(sub.betas()[split.train], split.groups)
    with pytest.raises(ConfigError, match="learns"):
        tv.score(lda, sub, split)


def test_a_job_of_classes_has_hits_for_scores(sub):
    job = tv.train("lda", sub, sub.split("test_images"), learns="concepts", name="names")
    assert "top1" in job.scores.columns
    assert {"chance", "ridge"} <= set(job.scores.columns)
    other = tv.train("mean", sub, sub.split("test_images"), targets=["heavy"])
    with pytest.raises(JobError):
        tv.compare(job, other)


def test_a_job_says_where_its_decoder_looks(sub, split):
    job = tv.train("ridge", sub, split, targets=["heavy", "lives"])
    found = job.explain("weights")
    table = found.regions()
    assert {"region", "share", "uniform", "p", "q"} <= set(table.columns)
    assert table["share"].sum() == pytest.approx(1)
    assert found.volume()[sub.mask].mean() == pytest.approx(1, rel=1e-4)
    assert len(tv.plot_map(job, "weights").data) == 6
    with pytest.raises(ConfigError):
        job.explain("rollout")
    assert isinstance(job.curves, pd.DataFrame)
    assert "<table" in job._repr_html_()


def test_a_training_that_cannot_work_says_why(sub, split):
    with pytest.raises(ConfigError):
        tv.train("rigde", sub, split)
    with pytest.raises(ConfigError, match="epoch"):
        tv.train("ridge", sub, split, fit={"epoch": 3})
    with pytest.raises(JobError, match="talles"):
        tv.train("ridge", sub, split, targets=["talles"])
