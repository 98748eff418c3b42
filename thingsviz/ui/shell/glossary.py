"""What the field's words mean: the text that appears when the pointer rests on one."""

from __future__ import annotations

GLOSSARY: dict[str, str] = {
    "beta": (
        "**Beta**: how strongly one voxel responded on one trial, estimated by a regression of "
        "its time course on the moments at which pictures were shown."
    ),
    "trial": (
        "**Trial**: one showing of one picture, half a second long. It is named by session, "
        "run and trial, all counted from 1; trial k of a run is its k-th volume."
    ),
    "session": (
        "**Session**: one visit to the scanner. THINGS-fMRI has 12 of 10 runs for each person."
    ),
    "run": ("**Run**: one uninterrupted recording of a few minutes."),
    "concept": (
        "**Concept**: what the picture shows, such as 'aardvark'. THINGS has 1,854 concepts; "
        "people in the scanner saw 720 of them."
    ),
    "catch trial": (
        "**Catch trial**: an artificial object that asked for a button press, shown to keep "
        "people attentive. It has no ratings and no model is trained on it."
    ),
    "test image": (
        "**Test image**: one of the pictures shown once in every session, so that its "
        "responses can be averaged. The train pictures were shown once in all."
    ),
    "rating": (
        "**Property rating**: what many people said of the concept, for instance how heavy it "
        "is from 1 to 7. The bar is their mean, the line one standard deviation (SD) between "
        "people."
    ),
    "noise ceiling": (
        "**Noise ceiling**: the best score that any decoder or model could reach, given how "
        "much the same picture's responses (or the same concept's ratings) vary from one time "
        "to the next."
    ),
    "permutation p": (
        "**Permutation p**: the share of shuffled worlds, in which ratings were dealt out to "
        "other concepts, that scored as high as the real one. Small: hardly chance."
    ),
    "paired permutation test": (
        "**Paired permutation test**: if two decoders were equally good, each concept could as "
        "well have been predicted by the other. p is the share of worlds, in which a coin let "
        "them change places concept by concept, with a difference at least as large."
    ),
    "corrected q": (
        "**q**: the p corrected for the many tests that stand beside it (false discovery rate). "
        "Of all that has q up to 0.05, about 5 % are expected to be chance."
    ),
    "confidence interval": (
        "**95 % interval**: where the score lies in 95 of 100 resamplings of the concepts."
    ),
    "confidence": (
        "**Confidence**: the two-sided p of the prediction's z-score under the raters' own "
        "mean and SD. A constant prediction scores around one half, so it says little by "
        "itself."
    ),
    "ridge": (
        "**Ridge**: linear regression from voxels to ratings with a penalty on large weights; "
        "the plain method that any network has to beat."
    ),
    "chance": (
        "**Chance**: the average score over shuffled worlds, in which predictions were dealt out "
        "to other concepts. The grey band holds 95 of 100 of them."
    ),
    "mean": (
        "**Mean (prior-only)**: always predicts the average rating of the training trials; "
        "looks at no brain."
    ),
    "oracle": (
        "**Oracle**: the best possible decoder, which knows how the planted data were made. It "
        "exists for simulated data only."
    ),
    "prior-only": (
        "**Prior-only**: always names the classes that were most frequent in the training; looks "
        "at no brain."
    ),
    "identification": (
        "**Through ratings**: predicts the ratings of the object first, and names the concepts "
        "whose ratings are nearest to those."
    ),
    "top-k": (
        "**Top-k**: the share of trials whose true class is among the first k that the decoder "
        "names. By chance it is k over the number of classes."
    ),
    "z-score": (
        "**z-score**: a value minus its mean, divided by its standard deviation; here with "
        "mean and SD of the training trials of the same session."
    ),
    "roi": (
        "**Region of interest (ROI)**: a named group of voxels, such as V1 or the face area FFA."
    ),
    "crosshair": (
        "**Crosshair**: the one voxel that all three slices pass through. x grows to the "
        "right, y to the front, z to the top of the head, in millimetres."
    ),
    "colour limit": (
        "**Colour limit**: the scale ends at the 98th percentile of |beta| in the brain of "
        "this trial, on both sides of zero alike; stronger responses have the end colour."
    ),
    "pearson r": (
        "**r**: correlation of predicted and true ratings over trials. 1 is perfect, 0 is "
        "nothing; it ignores a wrong scale or offset."
    ),
    "mse": (
        "**MSE**: mean squared error; smaller is better, in squared units of the rating scale."
    ),
    "mae": ("**MAE**: mean absolute error; smaller is better, in units of the rating scale."),
    "average of repeats": (
        "**Average of repeats**: the mean response to several showings of the same picture. "
        "Noise shrinks with the root of their number, the response to the picture stays."
    ),
    "attention": (
        "**Attention**: how much a transformer mixes one token into another. It says where a "
        "model looks, not what it uses; the question 'Does the decoder use it?' tests that."
    ),
    "head": ("**Head**: one of several attentions that a layer computes side by side."),
    "token": ("**Token**: a block of voxels that the model treats as one word of a sentence."),
    "share of mass": (
        "**Share of mass**: the strongest voxels that together hold so much of the map. A raw "
        "value would mean something else in every map."
    ),
    "uniform attention": (
        "**Uniform attention**: the same for every token. Regions that hold many tokens get "
        "much of it, so a share means little without it. Enrichment is share / uniform share."
    ),
    "turned regions": (
        "**p**: how often the region would get this enrichment if all regions were turned "
        "together to random places of the brain; map and regions keep their smoothness. **q**: "
        "p corrected for the number of regions (false discovery rate)."
    ),
    "faithfulness": (
        "**Faithfulness**: blocks of voxels are replaced by their mean in the order of the map. "
        "If the map is right, the decoder's outputs fall apart sooner than in random order."
    ),
    "sanity": (
        "**Sanity check**: the decoder's weights are destroyed layer by layer. A map that stays "
        "the same shows the architecture or the data, not what was learned."
    ),
    "simulated": (
        "**SIMULATED**: the brain responses were made by a program with known truth, not "
        "measured. Good for learning the app and for judging methods; no finding about any "
        "brain."
    ),
    "prepare": (
        "**Prepare**: read a subject's files once, check them, and write a store from which "
        "any trial opens in a millisecond. The published files are not changed."
    ),
}


def glossary(term: str) -> str:
    """Return the hover text of a term of the field (one of GLOSSARY's keys)."""
    return GLOSSARY[term]
