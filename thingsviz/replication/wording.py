"""What each number of the original study means, in plain words, with the arithmetic done here."""

from __future__ import annotations

from scipy.stats import binom, binomtest

from thingsviz.analysis.scores.metrics import constant_confidence
from thingsviz.replication.plan import CLASSES, PEERS, THREE, VIT

N_TRIALS, N_CONCEPTS, TOP = 157, 720, 10
HITS = {"MLP": 3, "logistic regression": 2, "3-D CNN": 1}
RHO = 0.8636
LEARNABLE = 17  # % of the test trials of a random split of one session
CONFIDENCE = float(constant_confidence(RHO))

INTRODUCTION = (
    "A student report trained decoders of single-trial responses of THINGS-fMRI. Here its own "
    "settings run again as trainings of this app, and every number of it stands beside ours and "
    "beside what can be had without looking at the brain (chance, the prior, the mean), what a "
    "plain linear method reaches (ridge), and what the data allow (noise ceiling, oracle).",
    "Read the intervals first: numbers whose intervals overlap widely are not shown to differ.",
)


def meaning(section: str) -> list[str]:
    """Return the sentences that belong to a section of the original study."""
    return {VIT: _vit(), THREE: _three(), CLASSES: _classes(), PEERS: _peers()}[section]


def _vit() -> list[str]:
    return [
        "Confidence 54.65 %: the original study turned each prediction into a z-score under the "
        "raters' own mean and spread and averaged the p-values. A constant prediction, which "
        f"never looks at the brain, scores (2/π)·arctan(1/ρ); at ρ = {RHO:.3f} (spread between "
        f"concepts over spread between raters) that is {100 * CONFIDENCE:.2f} %. So 54.65 % is "
        "what nothing gives.",
        "Test loss 0.9105 and mean error 1.2994: compare them with the column 'mean'. A loss that "
        "is not clearly below it says that the network predicts the average rating of every "
        "picture. A loss 'stuck near 0.8' is the same plateau.",
        "'Attention in Broca's area' (24 % of the top 200 voxels): a patch of 6 × 7 × 5 holds 210 "
        "voxels, so the top 200 voxels are about one patch; its name was looked up in an atlas on "
        "another grid, and two thirds of it lay outside the brain.",
        "In the original study every trial of a run was given one and the same volume, because "
        "volumes were looked up by run instead of by trial. Here each trial has its own.",
    ]


def _three() -> list[str]:
    return [
        "Test losses 0.0922, 0.0823 and 0.0887 are on ratings scaled to (r − 1)/6. Compare them "
        "with the column 'mean' of our tables: on that scale predicting the mean gives a loss of "
        "this very size, and the three differ by less than their intervals.",
        "The best candidate's 0.0732 was picked as the smallest of 12 on its test trials: the "
        "smallest of 12 noisy numbers is smaller than their mean even when nothing was learned. "
        "Here the search sees validation trials only.",
        "The original study's own doubt was right: 12 candidates of its search cost about as much "
        "as the training that the search was to save. The table of costs below shows ours.",
    ]


def _classes() -> list[str]:
    chance = TOP / N_CONCEPTS
    by_luck = float(binom.sf(HITS["MLP"] - 1, N_TRIALS, chance))
    return [
        f"Chance is {TOP} of {N_CONCEPTS} concepts = {100 * chance:.2f} %, or "
        f"{chance * N_TRIALS:.1f} hits of {N_TRIALS} test trials.",
        *(_hits(name, n) for name, n in HITS.items()),
        f"{HITS['MLP']} hits or more come about by luck in {100 * by_luck:.0f} of 100 such tests, "
        "and three methods were tried: the order of the three says nothing.",
        f"One session shows every concept once. In a random split of it only {LEARNABLE} % of the "
        "test trials show a concept that was trained at all, so no classifier could have done "
        "well.",
        "Whether it was over- or underfitting: see the losses below. Training loss that falls "
        "while validation loss rises is overfitting, which the curves show epoch by epoch.",
    ]


def _hits(name: str, n: int) -> str:
    span = binomtest(n, N_TRIALS).proportion_ci()
    return (
        f"Top-10 of the {name}: {100 * n / N_TRIALS:.2f} % are {n} "
        f"hit{'s' if n > 1 else ''} of {N_TRIALS} (95 % interval {100 * span.low:.1f} to "
        f"{100 * span.high:.1f} %)."
    )


def _peers() -> list[str]:
    return [
        "The original study had no such rows. Ridge regression is the plain method that a network "
        "has to beat; the concept-level decoder and naming concepts through predicted ratings are "
        "the stronger ones of this app.",
        "A split by trial lets a decoder see other trials of a test concept; 'concepts never "
        "trained' asks whether it reads ratings of things it was never shown.",
    ]


SPATIAL = {
    "logistic": "none: neighbours are unknown to it",
    "mlp": "none: neighbours are unknown to it",
    "cnn3d": "kept: 3 × 3 × 3 neighbourhoods, three scales",
}
SHAPES = {"logistic": "flattened", "mlp": "flattened", "cnn3d": "a volume with one channel"}
