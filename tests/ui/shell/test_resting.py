import json
from math import comb

import pytest

from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import parse_config
from thingsviz.ui.shell.resting import Resting, resting_of, resting_text

CLASSES = {"learns": "concepts", "model": {"name": "mlp"}, "split": {"kind": "trial"}}


def job(folder, n=57, n_classes=32):
    rows = list(range(n))
    (folder / "split.json").write_text(json.dumps({"train": [], "validation": rows, "test": []}))
    names = "".join(f"{i}\tname{i}\tname{i}\n" for i in range(n_classes))
    (folder / "labels.tsv").write_text(f"index\tlabel\tconcepts\n{names}")
    return JobFolder(folder)


@pytest.mark.parametrize(
    ("batches", "n"), [(1, 4), (3, 12), (14, 56), (15, 57), (10_000, 57), (None, 57)]
)
def test_a_curve_rests_on_the_trials_that_are_validated(tmp_path, batches, n):
    fit = {"validation_batches": batches, "batch_size": 4}
    config = parse_config({"dataset": "tiny", "fit": fit} | CLASSES)
    assert resting_of(job(tmp_path), config) == Resting(n, 57, 32)


def test_ratings_have_no_classes_and_before_the_split_nothing_is_known(tmp_path):
    config = parse_config({"dataset": "tiny", "model": {"name": "vit3d"}})
    assert resting_of(JobFolder(tmp_path / "none"), config) is None
    assert resting_of(job(tmp_path), config) == Resting(57, 57)
    assert resting_of(job(tmp_path, n=0), config) is None


def test_few_trials_are_told_to_jump():
    assert resting_text(Resting(4, 57, 32)) == (
        "It rests on 4 of 57 validation trials, the same ones in each epoch: each of them moves "
        "Top-10 by 25\u00a0%. Guessing hits 31.2\u00a0% on average and lies between 0\u00a0% and "
        "75\u00a0% in 95 of 100 cases (binomial), so ups and downs of that size are no trend."
    )
    assert resting_text(Resting(57, 57)) == (
        "It rests on 57 validation trials, the same ones in each epoch."
    )
    assert "binomial" not in resting_text(Resting(9000, 9000, 720))


@pytest.mark.parametrize(("n", "n_classes"), [(1, 720), (4, 32), (57, 32), (400, 53), (900, 8)])
def test_the_range_of_guessing_is_that_of_a_plain_sum(n, n_classes):
    p = min(10 / n_classes, 1)
    ends = []
    for q in (0.025, 0.975):
        total, k = 0.0, -1
        while total < q - 1e-12:
            k += 1
            total += comb(n, k) * p**k * (1 - p) ** (n - k)
        ends.append(f"{100 * k / n:.1f}".removesuffix(".0") + "\u00a0%")
    assert f"between {ends[0]} and {ends[1]}" in resting_text(Resting(n, n, n_classes))
