"""Compare decoders in a notebook: the models alone, and the same recipes through jobs.

Cells begin with `# %%`: editors that know the percent format run them one by one, and
`python examples/compare_decoders.py DATASET` runs all of them on a prepared dataset.
"""

# %% Which data, and which split: all decoders below answer the same question
import sys

import numpy as np

import thingsviz as tv

sub = tv.load_subject(sys.argv[1] if len(sys.argv) > 1 else "demo")
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 8
split = sub.split("unseen_concepts", seed=0)
targets = ["manmade", "precious", "lives", "heavy", "natural", "moves"]
truth = sub.ratings(targets)[split.test]

# %% Two decoders: ridge regression, and a small transformer over patches of the brain
decoders = {
    "ridge": tv.models.Ridge(),
    "transformer": tv.models.ViT3D(
        mask=sub.mask,
        tokens="brain",
        patch_embedding="local",
        embed_dim=32,
        n_layers=1,
        n_heads=4,
        pooling="sum",
        epochs=epochs,
        batch_size=32,
        batches_per_epoch=16,
        learning_rate=1e-3,
    ),
}

# %% Through jobs: each leaves a folder that the Train, Predictions and Compare pages show
jobs = {
    name: tv.train(decoder, sub, split, name=f"example-{name}", targets=targets)
    for name, decoder in decoders.items()
}

# %% The decoders alone: trials that train, and those that choose the best epoch
X, Y = sub.responses(split), sub.ratings(targets)
rows = np.concatenate([split.train, split.validation])
decoders["ridge"].fit(X[split.train], Y[split.train], groups=split.groups)
decoders["transformer"].fit(
    X[rows], Y[rows], sub.concepts[rows], validation=np.isin(rows, split.validation)
)
alone = {name: decoder.predict(X[split.test]) for name, decoder in decoders.items()}

# %% Both ways give the same numbers, but for the rounding of another scale of ratings
for name, job in jobs.items():
    table = job.predictions.query("part == 'test' and n_averaged == 1")
    by_job = table[[f"pred_{target}" for target in targets]].to_numpy()
    difference = np.abs(by_job - alone[name]).max()
    pairs = zip(truth.T, alone[name].T, strict=True)
    r = np.mean([np.corrcoef(true, guess)[0, 1] for true, guess in pairs])
    print(
        f"{name}: mean r {r:.3f}; largest difference from the job's predictions {difference:.1g}"
    )

# %% Do they differ by more than chance? The same test as on the Compare page
for row in tv.compare(jobs["transformer"], jobs["ridge"]).to_dict("records"):
    span = f"{row['low']:+.3f} to {row['high']:+.3f}"
    print(f"{row['target']:>12}: {row['difference']:+.3f} ({span}), p = {row['p_holm']:.3f}")

# %% Fold by fold over concepts, with scikit-learn's own tools
from sklearn.model_selection import GridSearchCV, GroupKFold  # noqa: E402

search = GridSearchCV(tv.models.Ridge(), {"score_power": [0.0, 0.5]}, cv=GroupKFold(3))
search.fit(X[split.train], Y[split.train], groups=split.groups)
print(f"best weights of voxels: {search.best_params_}")
