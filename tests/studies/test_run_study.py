"""Where studies once lived otherwise than jobs: their endings are told alike."""

import pytest

from tests.trainings import TINY_FIT, TINY_VIT
from thingsviz.core.errors import EXIT_INTERRUPTED
from thingsviz.pipeline import out_of_memory, run_job
from thingsviz.queue.run_process import tell_ending
from thingsviz.studies import run_study
from thingsviz.studies.config import parse_study
from thingsviz.studies.final import train_finals
from thingsviz.studies.run_study import HelperReporter, StudyReporter, explain
from thingsviz.studies.study_folder import create_study

SPACE = {"fit.learning_rate": {"kind": "float", "low": 1e-4, "high": 1e-2, "log": True}}
VIT = {"dataset": "tiny", "model": TINY_VIT, "fit": TINY_FIT}


@pytest.fixture
def study(tiny_env):
    recipe = {"name": "s", "base": VIT, "space": SPACE, "n_candidates": 1, "workers": 2}
    return create_study(parse_study({**recipe, "controls": [], "final": False}))


def test_a_study_without_enough_memory_says_what_would_fit(study, monkeypatch):
    monkeypatch.setattr(out_of_memory, "machine_bytes", lambda: 1e6)
    assert "trials at once need about" in explain(study, MemoryError())
    assert explain(study, ValueError()) is None


class Endless:
    def poll(self):
        return None


def test_a_study_that_waits_for_its_helpers_hears_a_wish_to_stop(study, monkeypatch):
    def search(searches, run, reporter):
        study.file("stop").write_text("enough")

    monkeypatch.setattr(run_study, "_search", search)
    monkeypatch.setattr(run_study, "_start_helpers", lambda folder, n: [Endless()] * n)
    monkeypatch.setattr(run_study.RunReporter, "listen", lambda *_, **__: None)
    assert run_study.run_study(study) == 0
    assert (study.status().state, study.status().message) == ("stopped", "enough")


def test_ctrl_c_in_a_final_training_ends_the_study_as_it_ends_a_job(study, monkeypatch):
    monkeypatch.setattr(run_job, "run_job", lambda job: EXIT_INTERRUPTED)
    recipes = {"default": study.recipe()}

    def finals():
        train_finals(study, recipes, lambda message: None, lambda: None)

    assert tell_ending(StudyReporter(study), finals, lambda error: None) == EXIT_INTERRUPTED
    assert study.status().state == "stopped"


def test_a_helper_leaves_status_and_wishes_to_the_studys_own_process(study):
    before = study.file("status.json").exists()
    reporter = HelperReporter(study)
    assert reporter.should_stop()  # nobody holds the study
    study.file("stop").touch()
    assert tell_ending(reporter, reporter.check, lambda error: None) == 0
    assert study.wants_stop()
    assert study.file("status.json").exists() == before
