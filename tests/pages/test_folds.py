"""Pages of cross-validated jobs: which fold is trained, each fold's score, decoders paired."""

import numpy as np
import pytest

from tests.pages.conftest import look
from thingsviz.analysis.scores.folds import FoldSizes
from thingsviz.figures.scores.folds import FoldSeries
from thingsviz.jobs.folds import FoldScores, newest_fold
from thingsviz.jobs.job_folder import JobFolder, create_job
from thingsviz.jobs.recipe import SplitConfig, parse_config
from thingsviz.jobs.run_folder import RunStatus
from thingsviz.ui.job_choice.fold_scores import pair_text, words_of
from thingsviz.ui.training.watch import progress_text

SESSIONS = {"kind": "session", "folds": "each"}
SIZES = FoldSizes(np.full(4, 60.0), np.full(4, 20.0))


def words(app):
    return " ".join([*(m.value for m in app.markdown), *(c.value for c in app.caption)])


def alts(app):
    return [chart.proto.alt for chart in app.get("plotly_chart")]


@pytest.fixture
def two(tiny_env, small_training, run):
    """Two decoders that left the same sessions out."""
    jobs = []
    for name in ("ridge", "encoding_inversion"):
        recipe = {"dataset": "tiny", "name": name, "model": {"name": name}, "split": SESSIONS}
        jobs.append(create_job(parse_config(recipe)))
        assert run(jobs[-1])[0] == 0
    return jobs


def test_pages_show_the_folds_of_a_job_and_pair_two(two, visit):
    for page in ("train.py", "predictions.py"):
        app = visit(page, dataset="tiny", job="ridge")
        text = words(app)
        assert "4 folds, leave one session out" in text
        assert "by the corrected t over 4 folds" in text
        assert "over 4 folds" in text
    app = visit("attention.py", dataset="tiny", job="ridge")
    assert any("cross-validation" in info.value for info in app.info)
    app = look(visit("compare.py", dataset="tiny", jobs="ridge,encoding_inversion"))
    text = words(app)
    assert "Differences are paired by fold" in text
    assert "ridge − encoding\\_inversion" in text
    assert "Fold by fold" in [s.value for s in app.subheader]


def test_the_watching_view_says_which_fold():
    status = RunStatus(
        "running", 14, 24, 14, 24, eta_s=120, message="fold 3 of 4 (run 3): scoring"
    )
    assert progress_text(status) == "fold 3 of 4 (run 3): scoring · about 2 min left"


def test_the_newest_fold_is_the_one_that_learns(tmp_path):
    job = JobFolder(tmp_path)
    assert newest_fold(job) is None
    for number in (1, 2, 10):
        (tmp_path / "folds" / f"fold-{number:02d}").mkdir(parents=True)
        (tmp_path / "folds" / f"fold-{number:02d}" / "metrics.jsonl").touch()
    (tmp_path / "folds" / "fold-11").mkdir()
    assert newest_fold(job).name == "fold-10"


def test_splits_in_words():
    assert SplitConfig(kind="run", folds="each").words == "leave one run out"
    assert SplitConfig(kind="image", folds=5, fold=2).words == "fold 2 of 5 folds over images"
    assert SplitConfig().words == "split by unseen concepts"
    folds = FoldScores("run", ("run 1", "run 2"), (30, 32), (10, 10), {})
    assert words_of(folds).startswith(
        "2 folds, leave one run out: each decoder learned from 30 to"
    )
    assert "folds over images" in words_of(folds._replace(kind="image", names=("fold 1",) * 2))


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        ((0.1, 0.2, 0.3, 0.4), "they differ"),
        ((0.5, 0.4, 0.7, 0.6), "no difference is shown"),
        ((0.5, None, 0.7, 0.6), "no difference can be told"),
    ],
)
def test_decoders_are_paired_by_fold(other, verdict):
    one = FoldSeries("a", (0.41, 0.5, 0.61, 0.7), 0.55, None, None)
    text = pair_text(one, FoldSeries("b", other, 0.2, None, None), SIZES, "top1")
    assert verdict in text
