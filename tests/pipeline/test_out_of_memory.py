import pytest
import torch

from tests.trainings import TINY_VIT
from thingsviz.jobs.manifest import add_to_manifest
from thingsviz.pipeline import out_of_memory

FIT = {"epochs": 1, "batch_size": 64, "precision": "float32"}
CPU = (
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: "
    "you tried to allocate 8000000000000 bytes. Error code 12"
)


def needed(job, n):
    return out_of_memory._needs(job, job.config())(n)


def test_the_size_that_would_fit_is_named(make_job):
    job = make_job(model=TINY_VIT, fit=FIT)
    room = (needed(job, 16) + needed(job, 32)) / 2
    words = out_of_memory.advice(job, room)
    assert words.startswith("64 trials at once need about ")
    assert words.endswith("set 'Trials in memory' (micro_batch_size) to 16, which would fit")
    assert needed(job, 16) < room < needed(job, 32) < needed(job, 64)


def test_processes_that_share_a_batch_need_less_each(make_job):
    job = make_job(model=TINY_VIT, fit=FIT)
    room = (needed(job, 8) + needed(job, 16)) / 2
    add_to_manifest(job, processes=[1, 4])
    assert out_of_memory.advice(job, room).endswith("(micro_batch_size) to 32, which would fit")
    nothing = out_of_memory.advice(job, out_of_memory.BASE_BYTES)
    assert nothing.endswith("not even 4 would fit: make the model or the batch smaller")


def test_nothing_is_promised_where_nothing_fits(make_job):
    job = make_job(model=TINY_VIT, fit={**FIT, "micro_batch_size": 8})
    words = out_of_memory.advice(job, out_of_memory.BASE_BYTES)
    assert words.startswith("8 trials at once need about ")
    assert words.endswith("and not even 1 would fit: make the model or the batch smaller")


@pytest.mark.parametrize("recipe", [{}, {"dataset": "gone", "model": TINY_VIT, "fit": FIT}])
def test_without_batches_or_data_the_advice_is_general(make_job, recipe):
    assert out_of_memory.advice(make_job(**recipe), 1e9).startswith(
        "make the batch, the micro-batch or"
    )


def test_what_torch_says_without_memory_is_known():
    with pytest.raises(RuntimeError, match=r"memory") as real:
        torch.empty(2**60, dtype=torch.uint8)
    assert out_of_memory.ran_out(real.value)
    assert out_of_memory.ran_out(
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
    )
    assert out_of_memory.ran_out(MemoryError())
    assert not out_of_memory.ran_out(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not out_of_memory.ran_out(ValueError("out of memory"))


@pytest.mark.parametrize("words", [CPU, "[enforce fail] not enough memory: you tried to allocate"])
def test_a_training_without_memory_ends_with_the_size(make_job, run, monkeypatch, words):
    def fail(*_):
        raise RuntimeError(words)

    job = make_job(model=TINY_VIT, fit=FIT)
    monkeypatch.setattr("thingsviz.pipeline.run.fit", fail)
    monkeypatch.setattr(out_of_memory, "machine_bytes", lambda: needed(job, 8))
    code, said = run(job)
    assert code == 2
    assert said.startswith("there is not enough memory: 64 trials at once need about 0.")
    assert said.endswith("(micro_batch_size) to 8, which would fit")
    assert (job.status().state, job.status().message) == ("failed", said)
