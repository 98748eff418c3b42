"""A training as a notebook sees it: its state, and in the end its scores and predictions."""

from __future__ import annotations

import html
import time

import pandas as pd

from thingsviz.api.maps import Map, explain
from thingsviz.api.score_table import tabulated
from thingsviz.core.errors import JobError
from thingsviz.jobs.folds import fold_scores
from thingsviz.jobs.job_folder import JobFolder, merge, open_job
from thingsviz.jobs.recipe import JobConfig
from thingsviz.jobs.run_folder import ALIVE, RunStatus


class Job:
    """A training's folder: its recipe, its state, and in the end its scores and predictions.

    Attributes
    ----------
    name : str
        Its name, under which all pages find it.
    state : {"queued", "running", "stopping", "stopped", "done", "failed"}
    recipe : JobConfig
        All that decides its result.
    """

    def __init__(self, folder: JobFolder | str) -> None:
        self.folder = open_job(folder) if isinstance(folder, str) else folder

    def __repr__(self) -> str:
        return f"Job({self.name!r}: {self.recipe.model.name}, {self.state})"

    def _repr_html_(self) -> str:
        words = f"<b>{html.escape(repr(self))}</b> {html.escape(self.status.message)}"
        return words + (self.scores.to_html() if self.state == "done" else "")

    @property
    def name(self) -> str:
        """The folder's name, which is the job's address."""
        return self.folder.name

    @property
    def status(self) -> RunStatus:
        """Where it is: state, epoch, seconds left, one line on what it does."""
        return self.folder.status()

    @property
    def state(self) -> str:
        """The first word of its status."""
        return self.status.state

    @property
    def recipe(self) -> JobConfig:
        """All that decides its result."""
        return self.folder.config()

    @property
    def scores(self) -> pd.DataFrame:
        """A row a property (of classes: the shares of hits), its references beside, as `score`.

        JobError before the end.
        """
        tidy = self.tidy_scores
        metric = "r" if self.recipe.learned.kind == "ratings" else "top1"
        return tabulated(tidy, self.recipe.model.name, metric=metric)

    @property
    def tidy_scores(self) -> pd.DataFrame:
        """Every score: a row a model, part, averaging, property and metric; JobError before."""
        return self._there(self.folder.scores(), "scores")

    @property
    def predictions(self) -> pd.DataFrame:
        """A row a predicted trial: part, true_… and pred_… on the raters' scales; JobError before.

        Rows with `n_averaged` above 1 are means over an image's repeats.
        """
        return self._there(self.folder.predictions(), "predictions")

    @property
    def curves(self) -> pd.DataFrame:
        """A row a report of the training: epoch, step, losses; empty before the first."""
        rows, _ = self.folder.metrics()
        return pd.DataFrame(merge([], rows))

    @property
    def folds(self) -> pd.DataFrame:
        """A row a fold of a cross-validation: fold, n_train, n_test, its and references' scores.

        Mean over properties; empty of a job without folds.
        """
        found = fold_scores(self.folder)
        if found is None:
            return pd.DataFrame(columns=["fold", "n_train", "n_test"])
        sizes = {"fold": found.names, "n_train": found.n_train, "n_test": found.n_test}
        metric = "r" if self.recipe.learned.kind == "ratings" else "top1"
        models = dict.fromkeys(key[0] for key in found.values)
        scores = {model: found.of(model, metric) for model in models}
        return pd.DataFrame(sizes | {model: row for model, row in scores.items() if row})

    @property
    def could_not_show(self) -> list[str]:
        """Sentences on what these scores cannot show."""
        return self.folder.could_not_show()

    def _there(self, table: pd.DataFrame | None, what: str) -> pd.DataFrame:
        if table is None:
            msg = f"{self.name!r} has no {what} yet: it is {self.state} ({self.status.message})"
            raise JobError(msg)
        return table

    def wait(self, timeout_s: float | None = None) -> Job:
        """Wait until it neither waits nor runs; TimeoutError after `timeout_s` seconds."""
        began = time.monotonic()
        while self.state in ALIVE:
            if timeout_s is not None and time.monotonic() - began > timeout_s:
                msg = f"{self.name!r} is still {self.state} after {timeout_s:g} s"
                raise TimeoutError(msg)
            time.sleep(0.2)
        return self

    def stop(self) -> None:
        """Take it out of the queue, or let it write a checkpoint and end."""
        from thingsviz.queue.submit import stop

        stop(self.folder)

    def explain(self, method: str, part: str = "test", target: str = "all") -> Map:
        """Ask where the decoder looks; a map that was made before is read.

        Parameters
        ----------
        method : str
            "occlusion", "pattern", "weights" of linear decoders, "rollout" of transformers, and
            the others of the Attention page.
        part : str
            "test", "validation", "exemplars", "row-17" or "concept-dog".
        target : str
            One property or class; "all": all of them.

        Returns
        -------
        Map

        Raises
        ------
        ConfigError, JobError
            The method does not suit the decoder, or the job is not done.
        """
        return explain(self.folder, method, part, target)
