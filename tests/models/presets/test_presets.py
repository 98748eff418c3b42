import numpy as np
import pytest

from models.catalog.config import parse_model
from models.cost.estimate import Size, Speed, estimate, work_of
from models.presets.presets import PRESETS
from models.training.config import FitConfig

SHAPE = (72, 91, 75)


@pytest.fixture(scope="module")
def brain():
    """An ellipsoid of as many voxels as sub-01's brain has, on its grid."""
    axes = [
        (np.arange(n) - (n - 1) / 2) / r for n, r in zip(SHAPE, (33.4, 43.5, 34.7), strict=True)
    ]
    return sum(a**2 for a in np.meshgrid(*axes, indexing="ij")) < 1


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_valid_and_says_what_it_is_for(name):
    preset = PRESETS[name]
    assert parse_model(preset.model.model_dump()) == preset.model
    assert FitConfig.model_validate(preset.fit.model_dump()) == preset.fit
    assert preset.summary.endswith(".")
    assert preset.title


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_fits_the_published_grid_and_ten_gigabytes(name, brain):
    preset = PRESETS[name]
    assert work_of(preset.model, brain).n_tokens > 0
    cost = estimate(preset.model, brain, preset.fit, Size(7000, 700), Speed(1e11, 1e10))
    assert cost.bytes < 10e9


def test_the_fast_preset_takes_seconds_an_epoch(brain):
    preset = PRESETS["fast_local"]
    cost = estimate(preset.model, brain, preset.fit, Size(1400, 150), Speed(5e10, 8e9))
    assert cost.seconds < 60


def test_brain_tokens_halve_the_reports_work(brain):
    dense, on_brain = (
        estimate(PRESETS[n].model, brain, PRESETS[n].fit, Size(1000), Speed(1e11, 1e10))
        for n in ("report", "report_brain")
    )
    assert on_brain.flops_per_sample < dense.flops_per_sample / 2
    assert on_brain.parameters < dense.parameters
