import pytest

from tests.figures.plain import scores
from tests.ui.strips import is_complete
from thingsviz.figures.scores.scores import ScoreQuestion, score_info
from thingsviz.jobs.run_folder import STATES, RunStatus
from thingsviz.ui.job_choice.job_list import LOOKS, JobLine, ago, headline, score_help, score_text


def line(state="done", score=None):
    return JobLine("a", "vit3d", "trial", RunStatus(state), score)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7199, "1 hour ago"),
        (200_000, "2 days ago"),
    ],
)
def test_ago(seconds, text):
    assert ago(1e9, 1e9 + seconds) == text


def test_not_started():
    assert ago(None, 1e9) == "not started"


def test_every_state_has_its_look():
    assert set(LOOKS) == set(STATES)


def test_no_bare_score_in_the_list():
    assert score_text(line(score=headline(scores(), "vit3d"))) == (
        "r 0.35, 95 % interval 0.25 to 0.55, chance 0.00, ridge 0.45, noise ceiling 0.80, "
        "oracle 0.70"
    )
    assert score_help(line()) is None
    assert is_complete(score_help(line(score=headline(scores(), "vit3d"))))


def test_the_headline_is_r_of_single_test_trials():
    assert headline(scores(), "vit3d") == score_info(scores(), "vit3d", ScoreQuestion())


def test_a_job_without_a_score_says_so():
    assert score_text(line("running")) == "no score yet"
    assert score_text(line("failed")) == "no score"
