"""Maps of kept epochs, by the command, and the volumes that a film is drawn from."""

import numpy as np
import pytest
import torch
from PIL import Image

from models.explain import attention_maps
from tests.trainings import TINY_FIT, TINY_VIT
from thingsviz.commands import maps, train
from thingsviz.core.errors import ConfigError
from thingsviz.explain.decoder import at_epoch, open_decoder
from thingsviz.explain.map_files import EpochMaps, MapSet, map_sets
from thingsviz.jobs.job_folder import create_job
from thingsviz.jobs.recipe import parse_config
from thingsviz.reports.film import epoch_volumes


@pytest.fixture(scope="module")
def job(tiny, tmp_path_factory):
    """A finished training with its start and three epochs kept, and their maps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINGSVIZ_DATA", str(tiny))
        patch.setenv("THINGSVIZ_JOBS", str(tmp_path_factory.mktemp("jobs")))
        patch.setenv("THINGSVIZ_THREADS", "1")
        model = {**TINY_VIT, "pooling": "cls", "start": "random"}
        fit = {**TINY_FIT, "keep_epochs": 4, "learning_rate": 1e-2}
        recipe = {"dataset": "tiny", "name": "kept", "model": model, "fit": fit}
        made = create_job(parse_config(recipe))
        assert train.main([str(made.path)]) == 0
        order = ["--epochs", "--part", "validation", "--methods", "attention,gradient_input"]
        assert maps.main([str(made.path), *order]) == 0
        yield made


def test_each_epoch_has_its_own_map(job):
    there = EpochMaps(job, "validation")
    assert there.epochs() == [0, 1, 2, 3]
    values = there.load("attention")
    assert values.shape[:3] == (4, 1, 2)
    np.testing.assert_allclose(values.sum(-1), 1, atol=0.2)  # CLS → tokens, less what CLS keeps
    assert all(np.abs(values[k] - values[k + 1]).max() > 1e-6 for k in range(3))
    decoder = at_epoch(open_decoder(job), 2)
    x = decoder.responses(decoder.material.split.validation)
    with torch.no_grad():
        plain = attention_maps.attention(decoder.network, x).mean(0).numpy()
    np.testing.assert_allclose(values[2], plain, atol=1e-5)


def test_maps_of_epochs_are_no_maps_of_the_result(job):
    assert map_sets(job) == []
    assert map_sets(job, EpochMaps) == [EpochMaps(job, "validation")]
    assert MapSet(job, "validation").methods() == []


@pytest.mark.parametrize("method", ["attention", "gradient_input"])
def test_volumes_of_a_film(job, method):
    there, store = EpochMaps(job, "validation"), open_decoder(job).material.store
    several, names = epoch_volumes(there, store, method, (0, 1), smoothing_mm=0)
    assert names == ("Before training", "Epoch 1", "Epoch 2", "Epoch 3")
    assert several.shape == (4, *store.mask.shape)
    np.testing.assert_allclose(several[:, store.mask].mean(1), 1, rtol=1e-4)
    assert not several[:, ~store.mask].any()


def test_the_film_has_a_frame_an_epoch(job):
    order = ["--epochs", "--part", "validation", "--methods", "attention"]
    assert maps.main([str(job.path), *order, "--film", "1,2"]) == 0
    film = Image.open(EpochMaps(job, "validation").path / "attention_layer1_head2.gif")
    assert film.n_frames == 4
    frames = []
    for n in range(4):
        film.seek(n)
        frames.append(np.asarray(film.convert("RGB"), int))
    assert all(np.abs(frames[k] - frames[k + 1]).max() > 60 for k in range(3))


def test_films_of_nothing(job, capsys):
    for words in ("first", "0,1", "1", "1,1,1"):
        assert maps.main([str(job.path), "--epochs", "--film", words]) == 2
        assert "write layer and head, such as 1,1" in capsys.readouterr().err


def test_heads_that_are_not_there(job):
    there, store = EpochMaps(job, "validation"), open_decoder(job).material.store
    with pytest.raises(ConfigError, match="layer 2, head 1 was asked for, but there are 1 layers"):
        epoch_volumes(there, store, "attention", (1, 0))


def test_a_job_that_kept_no_epochs(job, capsys):
    for path in job.checkpoints.glob("epoch-0000[1-3]*"):
        path.rename(path.with_suffix(".away"))
    try:
        assert maps.main([str(job.path), "--epochs"]) == 2
    finally:
        for path in job.checkpoints.glob("*.away"):
            path.rename(path.with_suffix(".safetensors"))
    assert "'kept' kept the weights of 1 epochs, but a film needs two" in capsys.readouterr().err
