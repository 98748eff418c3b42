"""Trainings as one of the processes of a team: `python -m ...team_work FOLDER`.

The test runs the same functions alone and compares.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from models.base.arrays import ArrayTrials
from models.base.errors import ModelError
from models.catalog.registry import blank_network, build_network
from models.classify.config import CNN3DConfig, MLPConfig
from models.training.checkpoint import newest_state, save_network, save_state
from models.training.config import FitConfig
from models.training.distributed.fabric import join
from models.training.distributed.processes import processes
from models.training.distributed.team import Team
from models.training.loop import FitData, Hooks, fit_network
from models.transformer.cnn_vit_config import CNNViTConfig
from models.transformer.vit3d_config import ViT3DConfig
from tests.models.conftest import PATCH, plant

# 13 trials in a batch do not divide by 2, and of the last batch of 1 one process has none.
N_TRAIN = 3 * 13 + 1
FIT = FitConfig(
    epochs=2,
    batches_per_epoch=None,
    batch_size=13,
    learning_rate=3e-3,
    noise_sd=0.3,
    repeat_mixing=0.5,
    precision="float32",
    device="cpu",
)
VIT = ViT3DConfig(
    patch_size=PATCH,
    tokens="brain",
    patch_embedding="local",
    embed_dim=16,
    n_layers=1,
    n_heads=2,
    dropout=0.1,
    input_dropout=0.2,
    attention_dropout=0.1,
    pooling="sum",
    start="mean",
)
CASES = {
    "vit3d": (VIT, FIT),
    "parts": (VIT, FIT.model_copy(update={"micro_batch_size": 5, "loss": "huber"})),
    "cls": (VIT.model_copy(update={"pooling": "cls", "patch_embedding": "shared"}), FIT),
    "linear": (VIT.model_copy(update={"start": "linear"}), FIT),
    "mlp": (MLPConfig(hidden=8), FIT.model_copy(update={"target_weights": "rating_sd"})),
    "cnn3d": (CNN3DConfig(channels=(3, 4, 5), hidden=8, stride=1), FIT),
    "cnn_vit": (
        CNNViTConfig(patch_size=(1, 1, 1), first_channels=3, last_channels=4, embed_dim=16),
        FIT.model_copy(update={"noise_sd": 0.0}),
    ),
}
# rows of 4 batches and an epoch, then of 1 batch more
STOPS_AT = 6


def data_of(fit):
    planted = plant(0.12)
    weights = None
    if fit.target_weights != "equal":
        weights = np.random.default_rng(5).uniform(0.5, 1.5, planted.Y.shape).astype("f4")
    parts = planted.train[:N_TRAIN], planted.validation
    return planted.mask, FitData(planted.X, planted.Y, *parts, planted.concepts, weights)


def train(name, folder, team=None, stop_after=None, data=None):
    """Train, or go on from the folder's state; returns the reported losses."""
    model, fit = CASES[name]
    mask, known = data_of(fit)
    resume, rows, asked = newest_state(folder), [], 0
    leads = team is None or team.here.leads

    def should_stop():
        nonlocal asked
        asked += 1
        return stop_after is not None and asked > stop_after

    # As in a job: only the first process draws the weights it begins with.
    network = (build_network if leads and resume is None else blank_network)(model, mask, 3)
    # Whoever wishes to stop need not be the first process.
    wish = should_stop if team is None or not leads else (lambda: False)
    hooks = Hooks(rows.append, wish, lambda state: save_state(folder, state), 1)
    result = fit_network(network, data or known, fit, hooks, resume, team)
    if leads and result.finished:
        save_network(folder / "best.safetensors", network, {})
    return [[row["train_loss"], row.get("validation_loss")] for row in rows]


def main(root: Path) -> None:
    torch.set_num_threads(1)
    here = processes()
    team, found = join(here), {}
    for name in CASES:
        found[name] = train(name, root / name, team)
    # a state of two processes, for one to go on from, and one of one process
    found["to_one"] = train("vit3d", root / "to_one", team, stop_after=STOPS_AT)
    found["to_two"] = train("vit3d", root / "to_two", team)
    found["faults"] = faults(root, team)
    (root / f"{here.rank}.json").write_text(json.dumps(found))
    team.part_ways()


def faults(root: Path, team: Team) -> list[str]:
    """Collect the sentences of what cannot work, in the order in which it is tried."""
    _, data = data_of(FIT)
    other = replace(data, Y=data.Y + team.here.rank)
    nothing = replace(data, X=ArrayTrials(np.full_like(data.X.array, np.nan)))
    broken = replace(data, X=Broken(data.X.array, team))
    said = []
    for wrong in (other, nothing, broken):
        try:
            train("vit3d", root / "none", team, data=wrong)
        except (ModelError, RuntimeError, OSError) as error:
            said.append(str(team.explain(error) or error))
            if isinstance(error, OSError):
                team.leave_note(str(error))
                team.part_ways()
    return said


class Broken(ArrayTrials):
    """Responses that the second process cannot read after a while."""

    def __init__(self, array, team):
        super().__init__(array)
        self.team, self.left = team, 3

    def batch(self, rows):
        self.left -= 1
        if self.team.here.rank == 1 and self.left < 0:
            msg = "the disk of the second machine is gone"
            raise OSError(msg)
        return super().batch(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
