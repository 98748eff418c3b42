"""Which predictions stand beside which trial."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from thingsviz.jobs.job_folder import JobFolder
from thingsviz.ui.job_choice.scored_model import ScoredModel, _places, predicted


@pytest.fixture
def job(tmp_path):
    rows = [
        # row, n, image, part, heavy
        (3, 1, "dog/dog_13s.jpg", "test", 1.0),
        (9, 1, "dog/dog_13s.jpg", "test", 2.0),
        (3, 2, "dog/dog_13s.jpg", "test", 1.4),
        (5, 1, "cat/cat_01b.jpg", "validation", 4.0),
    ]
    columns = ["row", "n_averaged", "image_filename", "part", "pred_heavy"]
    frame = pd.DataFrame(rows, columns=columns)
    file = (str(Path(tmp_path)), 1, 1)
    return ScoredModel(JobFolder(tmp_path), frame, *_places(file, _frame=frame))


def test_a_single_trial_has_its_own(job):
    assert predicted(job, 9, "dog/dog_13s.jpg", 1)[:3] == ({"heavy": 2.0}, 1, "test")


@pytest.mark.parametrize("row", [3, 9])
def test_a_mean_of_showings_has_that_of_the_image_whichever_is_shown(job, row):
    assert predicted(job, row, "dog/dog_13s.jpg", 2)[:3] == ({"heavy": 1.4}, 2, "test")


def test_a_mean_that_was_not_predicted_falls_back_to_the_trial(job):
    assert predicted(job, 3, "dog/dog_13s.jpg", 7)[:3] == ({"heavy": 1.0}, 1, "test")


def test_trials_that_trained_are_not_there(job):
    assert (4, 1) not in job.places
    assert (5, 1) in job.places
