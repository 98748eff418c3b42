"""A decoder that nobody has heard of: registered, it is on the form, trains, and is compared."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from models.base.settings import ModelSettings, setting
from models.base.spec import ModelSpec
from models.base.work import FitWork, Size
from models.catalog import registry
from models.catalog.config import parse_model
from models.cost.estimate import estimate
from models.training.config import FitConfig
from thingsviz.commands import train
from thingsviz.jobs.job_folder import create_job
from thingsviz.jobs.recipe import dump_config, parse_config
from thingsviz.ui.training.form_fields import fields_of

PAGES = Path(__file__).parents[2] / "pages"


class OneVoxelConfig(ModelSettings):
    """Reads a single voxel."""

    name: Literal["one_voxel"] = setting("one_voxel", "Model", "One voxel.")
    voxel: int = setting(0, "Which voxel", "Its number in the mask.", ge=0, le=10_000_000)


class OneVoxel:
    """Y ≈ a x_v + b of one voxel."""

    def __init__(self, config):
        self.config, self.line = config, np.zeros((2, 0))

    def fit(self, X, rows, Y, groups):
        x = X.batch(rows)[:, self.config.voxel]
        self.line = np.linalg.lstsq(np.stack([x, np.ones_like(x)], 1), Y, rcond=None)[0]
        return self

    def predict(self, X, rows):
        x = X.batch(rows)[:, self.config.voxel]
        return (np.stack([x, np.ones_like(x)], 1) @ self.line).astype(np.float32)

    def arrays(self):
        return {"line": self.line}

    @classmethod
    def from_arrays(cls, config, arrays):
        model = cls(config)
        model.line = arrays["line"]
        return model


def one_voxel_work(config, mask, size):
    return FitWork(2 * size.n_targets, 4.0 * size.n_train, 0.0, 0.0)


SPEC = ModelSpec(
    "one_voxel",
    OneVoxelConfig,
    "linear",
    "A line through one voxel.",
    f"{__name__}:OneVoxel",
    f"{__name__}:one_voxel_work",
)


@pytest.fixture
def family(monkeypatch):
    """The family in the registry, and nowhere else."""
    for name in ("MODELS", "CONFIGS"):
        monkeypatch.setattr(registry, name, getattr(registry, name))
        monkeypatch.delitem(getattr(registry, name), SPEC.name, raising=False)
    registry.register(SPEC)
    yield SPEC
    for table in (registry.MODELS, registry.CONFIGS):
        table.pop(SPEC.name, None)


def test_it_has_settings_a_cost_and_a_place_on_the_form(family):
    config = parse_model({"name": "one_voxel", "voxel": 7})
    assert [field.title for field in fields_of(registry.CONFIGS["one_voxel"])] == ["Which voxel"]
    mask = np.ones((4, 4, 4), bool)
    cost = estimate(config, mask, FitConfig(), Size(100))
    assert cost.parameters == 24
    recipe = parse_config({"dataset": "tiny", "model": {"name": "one_voxel", "voxel": 7}})
    assert parse_config(dump_config(recipe)) == recipe
    assert dump_config(recipe)["model"] == {"name": "one_voxel", "voxel": 7}


def test_it_trains_by_the_command_and_is_compared(family, tiny_env, monkeypatch):
    monkeypatch.setattr("thingsviz.analysis.scores.resampling.N_DRAWS", 60)
    for name, voxel in (("first", 0), ("second", 7)):
        model = {"name": "one_voxel", "voxel": voxel}
        job = create_job(parse_config({"dataset": "tiny", "name": name, "model": model}))
        assert train.main([str(job.path)]) == 0
    st.cache_data.clear()
    st.cache_resource.clear()
    app = AppTest.from_file(PAGES / "compare.py", default_timeout=60)
    app.query_params["jobs"] = "first,second"
    app.run()
    assert not app.exception, app.exception
    assert not app.error
    settings = app.dataframe[-1].value.set_index("setting")
    assert list(settings.loc["Which voxel"]) == ["0", "7"]


def test_a_name_counts_once(family):
    with pytest.raises(registry.ModelError, match="another name"):
        registry.register(ModelSpec("ridge", OneVoxelConfig, "linear", "Mine.", "a:b", "c:d"))
