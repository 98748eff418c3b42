"""Simulate a subject, look at what was planted, and check that a decoder finds it.

    python examples/simulate.py FOLDER

Responses are simulated, so that the truth is known: which voxels answer to which property, and
how well the best linear decoder could do (the column `oracle`).
"""

# %% Plant a subject into a new folder, and prepare it
import sys

import numpy as np
import pandas as pd

import thingsviz as tv

folder = sys.argv[1] if len(sys.argv) > 1 else "data/simulated"
sub = tv.simulate(folder, preset="tiny", seed=3)
print(sub)

# %% One trial: what was seen, how it is rated, how the brain answered
trial = sub.trial(session=1, run=2, trial=3)
print(trial)
print(f"mean |response| {np.abs(trial.response).mean():.2f} % signal change")
tv.plot_slices(sub, trial.row).write_html(f"{folder}/trial.html")

# %% Where signal was planted: the regions, and the noise ceiling of their voxels
voxels = sub.store.voxels
regions = [name for name in voxels.columns if voxels[name].dtype == bool]
ceilings = {name: voxels.loc[voxels[name], "nc_singletrial"].mean() for name in regions}
table = pd.Series(ceilings, name="noise ceiling, %").sort_values(ascending=False)
print(table.head(8).round(1).to_string())

# %% A decoder finds it; without signal it scores at chance
targets = ["heavy", "lives", "manmade"]
null = tv.simulate(f"{folder}-null", preset="tiny", seed=3, snr=0.0)
for name, one in {"signal": sub, "no signal": null}.items():
    split = one.split("unseen_concepts", seed=0)
    X, Y = one.responses(split), one.ratings(targets)
    ridge = tv.models.Ridge().fit(X[split.train], Y[split.train], groups=split.groups)
    mean = tv.score(ridge, one, split, targets=targets, X=X).iloc[0]
    print(f"{name}: r {mean['r']:.2f}, 95 % interval {mean['low']:.2f} to {mean['high']:.2f}")
