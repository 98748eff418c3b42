"""Flipped bits in every kind of file that the app reads: found in one sentence, or harmless."""

import random
import shutil
from contextlib import closing

import numpy as np
import pytest

from models.base.errors import ModelError
from models.training.checkpoint import load_tensors
from tests.trainings import TINY_FIT, TINY_VIT
from thingsviz.commands import train
from thingsviz.core.errors import DataError, ThingsvizError
from thingsviz.core.files import crc_of_file
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.store.manifest import read_manifest
from thingsviz.data.store.state import first_fault
from thingsviz.data.trials.labels import LabelMap
from thingsviz.data.trials.splits import Split
from thingsviz.jobs.about import About, read_about, write_about
from thingsviz.jobs.arrays import read_arrays
from thingsviz.jobs.job_folder import JobFolder, create_job
from thingsviz.jobs.manifest import add_to_manifest
from thingsviz.jobs.recipe import parse_config
from thingsviz.pipeline.tasks.labels import job_labels
from thingsviz.queue.database import Queue
from thingsviz.queue.ticket import Ticket

PLACES = 30
QUIET = {"metrics.jsonl", "about.json"}
GIVEN_UP = (ThingsvizError, ModelError)


@pytest.fixture(scope="module")
def sound(tiny, tmp_path_factory):
    """A network's job, done, with all its files; the tests flip bits in copies."""
    root = tmp_path_factory.mktemp("flips")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINGSVIZ_DATA", str(tiny))
        patch.setenv("THINGSVIZ_JOBS", str(root))
        patch.setenv("THINGSVIZ_THREADS", "1")
        patch.setattr("thingsviz.analysis.scores.resampling.N_DRAWS", 100)
        fit = {**TINY_FIT, "epochs": 2}
        recipe = {"dataset": "tiny", "name": "a", "model": TINY_VIT, "fit": fit}
        job = create_job(parse_config(recipe))
        assert train.main([str(job.path)]) == 0
        write_about(job, owner="ada", title="the first")
        LabelMap(("dog", "cat"), {"dog": 0, "puppy": 0, "cat": 1}).save(job.file("labels.tsv"))
        add_to_manifest(job, labels_crc32=crc_of_file(job.file("labels.tsv")))
        with closing(Queue(job.file("queue"))) as queue:
            queue.add("a", Ticket(owner="ada", submitted=12.5))
            queue.add("b", Ticket(owner="bob", submitted=13.5, short=True))
        shutil.copytree(tiny / "tiny" / "derivatives" / "thingsviz" / "sub-01", job.file("store"))
    return job


def table(frame):
    return frame.to_json()


def labels(job):
    class Asks:
        learns, subject = "concepts", "sub-01"

    class Job(JobFolder):
        def config(self):
            return Asks

    return job_labels(Job(job.path), None, None)


def tensors(job, name):
    found, facts = load_tensors(job.checkpoints / name)
    return {key: value.numpy().tobytes() for key, value in found.items()}, facts


def arrays(path):
    return {key: value.tobytes() for key, value in read_arrays(path).items()}


def store(job):
    """All numbers of a store, as pages and trainings read them."""
    folder = job.file("store")
    manifest = read_manifest(folder)
    fault = first_fault(folder, manifest)
    if fault:
        raise DataError(fault)
    opened = BetaStore(folder, manifest)
    betas = opened.read(np.arange(opened.shape[0])).tobytes()
    return betas, table(opened.trials), table(opened.voxels), opened.mask.tobytes(), manifest


def metrics(job):
    return [row for row in job.metrics()[0] if row]


def queue(job):
    with closing(Queue(job.file("queue"))) as found:
        return sorted(found.rows())


def parts(job):
    split = Split.load(job.file("split.json"))
    named = {"": split.train, "validation": split.validation, "test": split.test, **split.extra}
    return split.kind, split.seed, {name: rows.tolist() for name, rows in named.items()}


KINDS = {
    "config.json": lambda job: job.config(),
    "status.json": lambda job: job.status(),
    "manifest.json": lambda job: job.manifest(),
    "about.json": read_about,
    "scores.json": lambda job: (table(job.scores()), job.could_not_show()),
    "predictions.parquet": lambda job: table(job.predictions()),
    "split.json": parts,
    "labels.tsv": labels,
    "metrics.jsonl": metrics,
    "checkpoints/best.safetensors": lambda job: tensors(job, "best.safetensors"),
    "checkpoints/scaler.safetensors": lambda job: arrays(job.checkpoints / "scaler.safetensors"),
    "store/betas.npy": store,
    "store/betas_crc32.npy": store,
    "store/trials.parquet": store,
    "store/voxels.parquet": store,
    "store/brain_mask.nii.gz": store,
    "store/manifest.json": store,
}


def flipped(path, rng):
    raw = bytearray(path.read_bytes())
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    path.write_bytes(raw)


@pytest.mark.parametrize("name", KINDS)
def test_a_flipped_bit_is_found_or_harmless(sound, name):
    read, path, rng = KINDS[name], sound.file(name), random.Random(name)
    whole, expected = path.read_bytes(), read(sound)
    found = 0
    for _ in range(PLACES):
        flipped(path, rng)
        seen = outcome(read, sound)
        path.write_bytes(whole)
        found += isinstance(seen, str)
        right = "\n" not in seen if isinstance(seen, str) else same(name, seen, expected)
        assert right, f"a wrong {name} was read without a word"
    assert found or name in QUIET, "no flip was noticed at all"
    assert same(name, read(sound), expected)


def outcome(read, job):
    try:
        return read(job)
    except GIVEN_UP as error:
        return str(error)


def same(name, seen, expected):
    if name == "metrics.jsonl":  # a damaged row is left out, as a torn one is
        return all(row in expected for row in seen) and len(seen) >= len(expected) - 2
    # whose job it is, is then not known; no number stands there
    return seen == expected or (name == "about.json" and seen == About())
