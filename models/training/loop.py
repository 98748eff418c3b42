"""The loop over batches: seeded, stoppable between batches, resumed bit for bit."""

from __future__ import annotations

import copy
import math
import time
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.base.arrays import Rows
from models.base.errors import ModelError
from models.base.network import Network
from models.base.upgrades import STATE_VERSION, upgraded_state
from models.training.augment import augmentations
from models.training.batches import batches_in_epoch
from models.training.best_epoch import (
    FittedStart,
    blocks_of,
    keep,
    sign_of,
    validation_rows,
    validation_scores,
)
from models.training.config import FitConfig
from models.training.data import FitData, FitResult, Hooks, Report, TrainingProgress
from models.training.distributed.fabric import FabricLike, make_fabric
from models.training.distributed.layers import share_layers
from models.training.distributed.processes import check_processes
from models.training.distributed.shares import ProcessShare, read_epoch
from models.training.distributed.team import Team
from models.training.losses import Batch, supervised
from models.training.optimizer import Optimizer
from models.training.predict import forward_all, predict_network
from models.training.state import (
    TrainingState,
    check_same_recipe,
    load_random_state,
    random_state,
    seed_everything,
    signature,
    take,
    under,
)
from models.training.warm_start import start_fitted

__all__ = ["FitData", "FitResult", "Hooks", "TrainingState", "fit_network", "predict_network"]


def fit_network(
    network: Network,
    data: FitData,
    config: FitConfig,
    hooks: Hooks | None = None,
    resume: TrainingState | None = None,
    team: Team | None = None,
) -> FitResult:
    """Train `network` in place; with `resume`, go on as if there had been no interruption.

    On a CPU with the same number of threads the resumed weights and reports are the same bit
    for bit; on a GPU they are only as equal as its kernels are. The generators of Python, NumPy
    and torch are seeded, the thread count of a resumed training is set to the recorded one.

    The processes of a `team` (distributed.fabric.join) all call this with the same arguments and
    compute a share of each batch; the first one's hooks are given reports and states. Losses and
    weights are those of one process within rounding, so a state may go on in any number of them.
    """
    data.check()
    return _Training(network, data, config, hooks or Hooks(), team or Team()).run(resume)


class _Training:
    """One training from its first batch, or from a state, to its end or a stop."""

    def __init__(
        self, network: Network, data: FitData, config: FitConfig, hooks: Hooks, team: Team
    ) -> None:
        self.network, self.data, self.config, self.hooks = network, data, config, hooks
        self.team = team
        check_processes(config, team.here)
        self.fabric: FabricLike = make_fabric(config, team.here)
        self.optimizer = Optimizer(network, config)
        if not team.alone:
            share_layers(network, lambda: team.part)
        self.model = self.fabric.setup_module(network)
        self.n_batches = batches_in_epoch(config, len(data.train))
        self.place = TrainingProgress()
        self.varied = augmentations(config, data.groups, data.train)
        self.loss = hooks.step or supervised(config)
        self.best: dict[str, Tensor] = {}
        self.rows = validation_rows(config, data.validation)
        self.start: FittedStart | None = None
        self.saved_at = time.monotonic()

    def run(self, resume: TrainingState | None) -> FitResult:
        """Train until the last epoch, early stopping, or a stop that was asked for."""
        self.team.check_same(signature(self._recipe(), resume), "data, recipe and saved state")
        if resume is not None:
            self._restore(resume)
        elif not self._begin():
            return self._result()
        else:
            self._tell_end(0)
        while not self.place.finished:
            if not self._train_epoch():
                self._save()
                return self._result()
            self._end_epoch()
            self._tell_end(self.place.epoch)
            self._save()
        self.network.load_state_dict(self.best)
        return self._result()

    def _begin(self) -> bool:
        """Seed, scale, and judge a network that starts fitted; False when a stop was asked for."""
        seed_everything(self.config.seed)
        if self.config.target_scaling == "z" and self.config.loss != "cross_entropy":
            self.network.target_scale.fit(self.data.Y[self.data.train])
        if self.network.starts_fitted:
            self.hooks.say("fitting the linear start")
            leads = self.team.here.leads
            began = start_fitted(self.network, self.data, self.hooks) if leads else True
            if self.team.any(not began):
                return False
            self.team.spread(self.network)
            guess = self._guess()
            scores = self._scores(guess)
            self.start = self._began(guess) if self.config.start_margin > 0 else None
            row = {"kind": "epoch", "train_loss": None, **scores, "best": self._keep(scores, 0)}
            self._report(row | {"epoch": 0})
            self.hooks.say("training")
        return True

    def _train_epoch(self) -> bool:
        """Train the rest of an epoch; False when a stop was asked for."""
        self.network.train()
        here = self.team.here
        for share in read_epoch(self.config, self.data, self.varied, self.place, here):
            if self.team.any(self.hooks.should_stop()):
                return False
            self._save_in_time()
            self._count(self._step(share))
        return not self.team.any(self.hooks.should_stop())

    def _step(self, share: ProcessShare) -> float:
        """One step of the optimiser on a batch, part by part; returns the whole batch's loss."""
        truth, weight = self._targets(share.rows), self._weights(share.rows)
        n, total = sum(part.whole for part in share.parts), 0.0
        for part in share.parts:
            self.team.part, own = part, part.own
            more = not self.team.alone and part is not share.parts[-1]
            counts = None if weight is None else weight[own]
            with self.fabric.without_sync(self.model, enabled=more):
                x = self.fabric.to_device(torch.from_numpy(share.block[own]))
                for one in self.varied:
                    x = one.change(x, part)
                loss = self.loss(self.model, Batch(x, truth[own], counts)) * (len(x) / n)
                # Before the gradients: here a process that has ended is noticed at once.
                value = self.team.sum(loss)
                # DDP averages over the processes what is a sum of their shares.
                self.fabric.backward(loss * self.team.here.size)
            total += value.item()
        if not math.isfinite(total):
            msg = (
                f"the loss became {total} in epoch {self.place.epoch + 1}, batch "
                f"{self.place.batch + 1}: lower the learning rate, or look for NaN in the betas"
            )
            raise ModelError(msg)
        self.optimizer.step(self.place.step)
        return total

    def _count(self, loss: float) -> None:
        place = self.place
        place.batch += 1
        place.step += 1
        place.epoch_loss += loss
        place.recent_loss += loss
        place.n_recent += 1
        if place.n_recent >= self.hooks.report_every or place.batch == self.n_batches:
            mean = place.recent_loss / place.n_recent
            place.recent_loss, place.n_recent = 0.0, 0
            self._report({"kind": "step", "train_loss": mean})

    def _end_epoch(self) -> None:
        """Validate, keep the best weights, move the schedule, and see whether it is over."""
        place = self.place
        scores = self._scores(self._guess())
        is_best = self._keep(scores, place.epoch + 1)
        train_loss = place.epoch_loss / self.n_batches
        row = {"kind": "epoch", "train_loss": train_loss, **scores, "best": is_best}
        self._report(row)
        self.optimizer.end_epoch(scores["validation_loss"])
        waited = place.epoch + 1 - place.lowest_epoch
        patience = self.config.early_stopping
        place.epoch, place.batch, place.epoch_loss = place.epoch + 1, 0, 0.0
        place.finished = place.epoch >= self.config.epochs or bool(patience and waited >= patience)

    def _keep(self, scores: dict[str, float], epoch: int) -> bool:
        """Remember the weights if they are the best so far; `epoch` 0 is the fitted start."""

        def take() -> None:
            self.best = {k: v.detach().clone() for k, v in self.network.state_dict().items()}

        return keep(self.config, self.place, scores, epoch, take)

    def _guess(self) -> Tensor:
        """Return what the network says of the validation trials, on the learned scale."""
        size = self.config.micro_batch_size or self.config.batch_size
        compute = partial(forward_all, self.fabric, self.model, self.data.X, size=size)
        return self.team.gather(self.rows, self.network.n_targets, compute)

    def _scores(self, guess: Tensor) -> dict[str, float]:
        scores = validation_scores(self.config, guess, self._targets(self.rows).cpu())
        scores |= self.start.gain(self.config, guess) if self.start else {}
        return self.team.as_first(scores)

    def _began(self, guess: Tensor) -> FittedStart:
        truth = self._targets(self.rows).cpu()
        return FittedStart(guess, truth, blocks_of(self.data.groups, self.rows))

    def state(self) -> TrainingState:
        """Everything that `_restore` needs."""
        moments, schedule = self.optimizer.state()
        generators, generator_facts = random_state()
        tensors = {
            **under("network", self.network.state_dict()),
            **under("best", self.best),
            **under("optimizer", moments),
            **under("rng", generators),
        }
        tensors |= under("start", {"guess": self.start.guess}) if self.start else {}
        facts = {
            **copy.deepcopy(vars(self.place)),
            "optimizer": schedule,
            "rng": generator_facts,
            **self._recipe(),
            "version": STATE_VERSION,
            "threads": torch.get_num_threads(),
            "processes": self.team.here.size,
            "device": str(self.fabric.device),
            "precision": self.fabric.precision,
            "torch": torch.__version__,
        }
        return TrainingState(tensors, facts)

    def _restore(self, state: TrainingState) -> None:
        facts, tensors = upgraded_state(state.facts, self._recipe()), state.tensors
        check_same_recipe(facts, self._recipe())
        if facts.get("processes", 1) == self.team.here.size:
            torch.set_num_threads(facts["threads"])
        self.network.load_state_dict(take("network", tensors))
        self.best = take("best", tensors)
        self.optimizer.load(take("optimizer", tensors), facts["optimizer"])
        self.place = TrainingProgress(**{name: facts[name] for name in vars(TrainingProgress())})
        load_random_state(take("rng", tensors), facts["rng"], self.fabric.device)
        if began := take("start", tensors):
            self.start = self._began(began["guess"])

    def _recipe(self) -> dict[str, Any]:
        """What must be the same for a resume to make sense: all that changes the weights."""
        return {
            "fit": self.config.model_dump(mode="json", exclude={"keep_epochs"}),
            "model": self.network.config.model_dump(mode="json"),
            "data": self.data.fingerprint(),
        }

    def _targets(self, rows: Rows) -> Tensor:
        truth = self.fabric.to_device(torch.from_numpy(np.asarray(self.data.Y[rows], np.float32)))
        return self.network.target_scale.learned(truth)

    def _weights(self, rows: Rows) -> Tensor | None:
        weights = self.data.weights
        if weights is None:
            return None
        return self.fabric.to_device(torch.from_numpy(np.asarray(weights[rows], np.float32)))

    def _report(self, row: Report) -> None:
        place = self.place
        row = {"epoch": place.epoch + 1, **row, "step": place.step, "lr": self.optimizer.rate}
        place.n_reports += 1
        place.history.append(row) if row["kind"] == "epoch" else None
        self.hooks.report(row)

    def _save_in_time(self) -> None:
        if time.monotonic() - self.saved_at >= self.hooks.save_every_s:
            self._save()

    def _save(self) -> None:
        if self.team.here.leads:
            self.hooks.save(self.state())
            self.saved_at = time.monotonic()

    def _tell_end(self, epoch: int) -> None:
        if self.team.here.leads:
            self.hooks.epoch_end(epoch)

    def _result(self) -> FitResult:
        place = self.place
        best = math.nan if place.best_value is None else sign_of(self.config) * place.best_value
        return FitResult(place.finished, place.epoch, place.best_epoch, best, list(place.history))
