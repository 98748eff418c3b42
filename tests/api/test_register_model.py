"""A decoder of one's own: trained, judged, compared, in the form, and by the command line."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import thingsviz as tv
from models.base.errors import ModelError
from models.catalog.config import parse_model
from models.catalog.registry import MODELS
from thingsviz.core.errors import ConfigError, JobError
from thingsviz.jobs.job_folder import create_job
from thingsviz.jobs.recipe import dump_config, parse_config
from thingsviz.ui.training.job_form import recipe_of as form_recipe

REPO = Path(__file__).parents[2]
FILE = '''
"""A decoder in a file of its own."""
import numpy as np
import thingsviz as tv


class Config(tv.models.Settings):
    """Its settings."""

    strength: float = tv.models.setting(10.0, "Strength", "Of the penalty.", gt=0)


@tv.register_model("plain_ridge", config=Config)
class PlainRidge:
    """Ridge regression in five lines."""

    def __init__(self, strength=10.0):
        self.strength = strength

    def fit(self, X, Y, groups=None):
        K = X @ X.T
        scale = self.strength * np.trace(K) / len(K)
        self.mean_ = Y.mean(0)
        self.weights_ = X.T @ np.linalg.solve(K + scale * np.eye(len(K)), Y - self.mean_)
        return self

    def predict(self, X):
        return X @ self.weights_ + self.mean_
'''
TARGETS = ["heavy", "lives"]


@pytest.fixture
def plain_ridge():
    names = {}
    exec(compile(FILE, "mine.py", "exec"), names)
    return names["PlainRidge"]


def test_it_is_trained_judged_and_compared(plain_ridge, sub, split):
    job = tv.train(plain_ridge(strength=3.0), sub, split, targets=TARGETS)
    assert job.recipe.model.strength == 3.0
    assert dump_config(job.recipe)["model"] == {"name": "plain_ridge", "strength": 3.0}
    assert parse_config(dump_config(job.recipe)) == job.recipe
    ridge, mean = (tv.train(name, sub, split, targets=TARGETS) for name in ("ridge", "mean"))
    assert len(tv.compare(job, ridge)) == 3
    with pytest.raises(JobError):
        tv.compare(job, mean)  # a constant has no r
    assert len(tv.compare(job, mean, metric="mse_unit")) == 3
    X, Y = sub.responses(split), sub.ratings(TARGETS)
    alone = plain_ridge(strength=3.0).fit(np.asarray(X[split.train]), Y[split.train])
    table = job.predictions.query("part == 'test' and n_averaged == 1")
    by_job = table[[f"pred_{t}" for t in TARGETS]].to_numpy()
    np.testing.assert_allclose(by_job, alone.predict(np.asarray(X[split.test])), atol=1e-3)


def test_the_form_offers_it_with_its_settings(plain_ridge):
    spec = MODELS["plain_ridge"]
    assert spec.can_learn("ratings")
    assert spec.summary == "Ridge regression in five lines."
    assert spec.config.model_fields["strength"].title == "Strength"
    data = {"name": "a", "dataset": "tiny", "fit": {}, "model": {"name": "plain_ridge"}}
    assert form_recipe(data).model.strength == 10.0
    data["model"]["strength"] = -1
    with pytest.raises((ConfigError, ModelError), match="strength"):
        form_recipe(data)


def test_a_process_of_its_own_loads_it_by_the_setting(plain_ridge, sub, split, tmp_path):
    recipe = {"dataset": "tiny", "targets": TARGETS, "model": {"name": "plain_ridge"}}
    folder = create_job(parse_config(recipe))
    file = tmp_path / "mine.py"
    file.write_text(FILE)
    command = [sys.executable, "-m", "thingsviz.commands.train", str(folder.path)]
    env = {**os.environ, "PYTHONPATH": str(REPO)}

    def train(own):
        return subprocess.run(
            command,
            env=env | {"THINGSVIZ_OWN_MODELS": own},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    missing = train(str(tmp_path / "other.py"))
    assert missing.returncode == 2
    assert "THINGSVIZ_OWN_MODELS" in missing.stderr
    done = train(str(file))
    assert done.returncode == 0, done.stderr
    assert tv.Job(folder.name).state == "done"


def test_arguments_are_settings_where_there_is_no_config():
    @tv.register_model("own_default")
    class Own(tv.models.Decoder):
        """One line.

        And more.
        """

        def __init__(self, n_voxels: int = 5, kind: str = "a") -> None:
            self.n_voxels, self.kind = n_voxels, kind

        def fit(self, X, Y, groups=None):
            return self

        def predict(self, X):
            return X

    assert parse_model({"name": "own_default"}).n_voxels == 5
    assert repr(Own(n_voxels=7)) == "Own(n_voxels=7)"
    assert Own(kind="b").config.kind == "b"
    assert MODELS["own_default"].summary == "One line."


def test_what_cannot_be_registered_is_said():
    class Half:
        def fit(self, X, Y, groups=None):
            return self

    class NoDefault(Half):
        def __init__(self, n):
            self.n = n

        def predict(self, X):
            return X

    with pytest.raises(ModelError, match="ridge"):
        tv.register_model("ridge")
    with pytest.raises(ModelError, match="Mine"):
        tv.register_model("Mine")
    with pytest.raises(ModelError, match="predict"):
        tv.register_model("half")(Half)
    with pytest.raises(ModelError, match="default"):
        tv.register_model("no_default")(NoDefault)
