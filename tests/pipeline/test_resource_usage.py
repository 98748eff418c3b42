"""What a fit took: counted once, added up over starts, and told of older jobs too."""

import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from models.catalog.config import parse_model
from models.catalog.registry import blank_network
from thingsviz.core import json_files
from thingsviz.jobs.arrays import write_arrays
from thingsviz.jobs.weights import best_file
from thingsviz.pipeline import run as stages
from thingsviz.pipeline.resource_usage import count_parameters, metered, peak_bytes, spent
from thingsviz.pipeline.tasks.registry import open_task


@pytest.fixture
def job(make_job):
    return make_job(name="one", model={"name": "mean"})


def interrupted():
    time.sleep(0.01)
    raise KeyboardInterrupt


def test_seconds_of_all_starts_add_up_also_after_an_interruption(job):
    json_files.write_sealed(job.file("manifest.json"), {"seed": 3, "fit_seconds": 100.0})
    with pytest.raises(KeyboardInterrupt), metered(job):
        interrupted()
    manifest = job.manifest()
    assert manifest["seed"] == 3
    assert 100.0 < manifest["fit_seconds"] < 160
    assert "n_parameters" not in manifest  # nothing was fitted to its end


def test_memory_is_that_of_this_process_at_its_largest(job):
    json_files.write_sealed(job.file("manifest.json"), {"peak_bytes": 1})
    with metered(job):
        pass
    assert 50e6 < job.manifest()["peak_bytes"] <= peak_bytes() < 1e12


def test_parameters_are_the_floats_of_the_weights(job):
    job.checkpoints.mkdir()
    arrays = {"weight": np.ones((3, 4), np.float32), "voxels": np.arange(7)}
    write_arrays(best_file(job), {**arrays, "bias": np.zeros(4)})
    assert count_parameters(job) == 16


def test_a_job_without_weights_or_notes_says_nothing(job):
    assert spent(job) == (None, None, None)


def test_an_older_job_tells_its_seconds_by_its_metrics(job):
    for t in (5.0, 9.5):
        json_files.append_line(job.file("metrics.jsonl"), {"kind": "step", "step": 1, "time": t})
    assert spent(job).seconds == 4.5


def test_a_training_notes_what_it_took(make_vit, run):
    job = make_vit(epochs=1, batches_per_epoch=1)
    assert run(job)[0] == 0
    took = spent(job)
    assert 0 < took.seconds < 120
    assert took.peak_bytes > 50e6
    material = open_task(job)
    config = parse_model(job.config().model.model_dump())
    network = blank_network(config, material.store.mask, len(job.config().targets))
    plain = sum(p.numel() for p in network.parameters())
    buffers = sum(b.numel() for b in network.buffers() if torch.is_floating_point(b))
    assert plain <= took.n_parameters <= plain + buffers
    assert stages.metered is metered


def test_the_peak_is_this_programs_own():
    """getrusage would say at least what the program that started it held."""
    code = "from thingsviz.pipeline.resource_usage import peak_bytes; print(peak_bytes())"
    ballast = bytearray(600 * 2**20)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 10e6 < int(run.stdout) < len(ballast) < peak_bytes()
