"""Compare decoders in a notebook: the models alone, and the same recipes through jobs.

Cells begin with `# %%`: editors that know the percent format run them one by one, and
`python thingsviz/examples/compare_decoders.py DATASET` runs all of them on a prepared dataset.
"""

# %% Which data, and which split: all decoders below answer the same question
import sys

import numpy as np

from models import (
    FitData,
    RidgeConfig,
    ViT3DConfig,
    build_linear,
    build_network,
    encoding_score,
    fit_network,
    needs_score,
    predict_network,
)
from models.presets.presets import PRESETS
from thingsviz.analysis.scores.metrics import pearson
from thingsviz.commands import train
from thingsviz.jobs.job_folder import create_job
from thingsviz.jobs.recipe import JobConfig
from thingsviz.pipeline.tasks.registry import open_task
from thingsviz.reports.comparable import read_finished
from thingsviz.reports.comparison import pair_tests

dataset = sys.argv[1] if len(sys.argv) > 1 else "demo"
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 8

# %% Two recipes: ridge regression, and a small transformer over patches of the brain
preset = PRESETS["fast_local"]
fit = preset.fit.model_copy(update={"epochs": epochs, "seed": 0})
recipes = {
    "ridge": JobConfig(name="example-ridge", dataset=dataset, model=RidgeConfig(), seed=0),
    "transformer": JobConfig(
        name="example-vit", dataset=dataset, model=preset.model, fit=fit, seed=0
    ),
}

# %% Through jobs: each leaves a folder that the Train, Predictions and Compare pages show
jobs = {}
for name, recipe in recipes.items():
    jobs[name] = create_job(recipe)
    if train.main([str(jobs[name].path)]):
        sys.exit(f"{name} did not train: see {jobs[name].path / 'log.txt'}")

# %% What the jobs hold: responses z-scored by session, ratings on the training scale, the split
material = open_task(jobs["ridge"])
X, Y, split = material.responses, material.answers, material.split
truth = material.ratings[split.test]

# %% The models alone: ridge is fitted in one go
ridge = build_linear(recipes["ridge"].model)
ridge.fit(X, split.train, Y[split.train], material.concepts[split.train])
alone = {"ridge": material.scale.to_ratings(ridge.predict(X, split.test))}

# %% … and the transformer batch by batch, from weights that the seed draws
config: ViT3DConfig = recipes["transformer"].model
score = encoding_score(X, split.train, Y[split.train]) if needs_score(config) else None
network = build_network(config, material.store.mask, Y.shape[1], score, fit.seed)
fit_network(network, FitData(X, Y, split.train, split.validation), fit)
alone["transformer"] = material.scale.to_ratings(predict_network(network, X, split.test, fit))

# %% Both ways give the same numbers
for name, job in jobs.items():
    rows = job.predictions().query("part == 'test' and n_averaged == 1")
    by_job = rows[[f"pred_{target}" for target in material.config.targets]].to_numpy()
    difference = np.abs(by_job - alone[name]).max()
    r = np.nanmean(pearson(truth, alone[name]))
    print(
        f"{name}: mean r {r:.3f}; largest difference from the job's predictions {difference:.1g}"
    )

# %% Do they differ by more than chance? The same test as on the Compare page
both = [read_finished(jobs[name]) for name in ("transformer", "ridge")]
for row in pair_tests(both, "test", averaged=False, metric="r"):
    span = f"{row['low']:+.3f} to {row['high']:+.3f}"
    print(f"{row['target']:>12}: {row['difference']:+.3f} ({span}), p = {row['p_holm']:.3f}")
