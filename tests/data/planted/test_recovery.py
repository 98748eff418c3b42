"""A plain decoder finds what was planted, and nothing where nothing was."""

import nibabel as nib
import numpy as np
import pytest

from thingsviz.analysis.scores.metrics import pearson
from thingsviz.data.planted import SimulationOrder, plant
from thingsviz.data.planted.concepts import PROPERTIES
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.ratings import mean_column
from thingsviz.data.things.trials import build_trials

N_FOLDS = 8
ALPHA = 3000.0


def z_scored_trials(root):
    """Betas of all live trials, z-scored in their session, and the trials table."""
    dataset = Dataset(root)
    brain = np.asarray(nib.load(dataset.brain_mask("sub-01")).dataobj).astype(bool)
    runs = [nib.load(run.betas).get_fdata()[brain].T for run in dataset.runs("sub-01")]
    table, betas = build_trials(dataset, "sub-01").table, np.vstack(runs)
    for session in table["session"].unique():
        rows = (table["session"] == session).to_numpy()
        train = rows & (table["trial_type"] == "train").to_numpy()
        betas[rows] = (betas[rows] - betas[train].mean(0)) / betas[train].std(0)
    live = (table["trial_type"] != "catch").to_numpy()
    return betas[live], table[live].reset_index(drop=True)


def decoded_r(root, seed=0):
    """Mean r of a kernel ridge on concepts it has not seen.

    Ratings are centred on the seen trials: z-scored sessions sum to zero, so that with ratings
    centred on all of them the fold's own mean leaks through (r 0.11 ± 0.03 on silent brains).
    """
    x, table = z_scored_trials(root)
    y = table[[mean_column(name) for name in PROPERTIES]].to_numpy(float)
    y = (y - y.mean(0)) / y.std(0)
    concepts = np.unique(table["concept"], return_inverse=True)[1]
    fold = np.random.default_rng(seed).permutation(concepts.max() + 1)[concepts] % N_FOLDS
    kernel, predicted = x @ x.T, np.zeros_like(y)
    for k in range(N_FOLDS):
        seen, held = fold != k, fold == k
        inside = kernel[np.ix_(seen, seen)] + ALPHA * np.eye(seen.sum())
        predicted[held] = kernel[np.ix_(held, seen)] @ np.linalg.solve(
            inside, y[seen] - y[seen].mean(0)
        )
    return pearson(predicted, y).mean()


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    """The tiny subject without any signal."""
    root = tmp_path_factory.mktemp("silent") / "tiny"
    plant(root, SimulationOrder("tiny", seed=7, snr=0))
    return root


def test_a_decoder_finds_what_was_planted(tiny):
    assert decoded_r(tiny / "tiny") > 0.18


def test_a_decoder_finds_nothing_where_nothing_was_planted(silent):
    assert abs(decoded_r(silent)) < 0.12  # three SDs of silent subjects


def test_z_scoring_within_sessions_matters(tiny):
    """Sessions differ by more than their trials' means would by chance."""
    dataset = Dataset(tiny / "tiny")
    brain = np.asarray(nib.load(dataset.brain_mask("sub-01")).dataobj).astype(bool)
    means, sds = {}, {}
    for run in dataset.runs("sub-01"):
        betas = nib.load(run.betas).get_fdata()[brain]
        means.setdefault(run.session, []).append(betas.mean(1))
        sds.setdefault(run.session, []).append(betas.std(1))
    offset = np.stack([np.mean(parts, 0) for parts in means.values()])
    scale = np.log(np.stack([np.mean(parts, 0) for parts in sds.values()]))
    assert offset.std(0).mean() > 0.35
    assert scale.std(0).mean() > 0.12
