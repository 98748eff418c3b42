"""The models package trains from a script, without the app."""

import subprocess
import sys

import numpy as np

SCRIPT = """
import numpy as np
from models import PRESETS, ArrayTrials, FitData, build_network, encoding_score, fit_network
from models import predict_network

with np.load("data.npz") as data:
    mask, X, Y, train, validation, test = (data[name] for name in data.files)
X = ArrayTrials(X)  # betas (n_trials, n_brain_voxels); Y: ratings (n_trials, n_targets)
model = PRESETS["fast_local"].model.model_copy(update={"patch_size": (3, 4, 5)})
score = encoding_score(X, train, Y[train])
network = build_network(model, mask, Y.shape[1], score)
result = fit_network(network, FitData(X, Y, train, validation), PRESETS["fast_local"].fit)
np.save("predicted.npy", predict_network(network, X, test))
print("best epoch", result.best_epoch)
"""


def test_a_network_is_trained_from_a_script(planted, tmp_path):
    p = planted
    np.savez(tmp_path / "data.npz", p.mask, p.X.array, p.Y, p.train, p.validation, p.test)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("best epoch")
    assert np.load(tmp_path / "predicted.npy").shape == p.Y[p.test].shape
