"""The stages of a job after its recipe is known to be sound: fit, predict, compare, write down."""

from __future__ import annotations

from thingsviz.data.trials.splits import audit
from thingsviz.jobs.job_folder import SCORES
from thingsviz.jobs.manifest import add_to_manifest, now
from thingsviz.pipeline.fit import default_threads, fit
from thingsviz.pipeline.load_model import load_predict
from thingsviz.pipeline.manifest_facts import begin_manifest
from thingsviz.pipeline.references import differences, reference_scores
from thingsviz.pipeline.resource_usage import metered
from thingsviz.pipeline.tasks.base import Predicted, Task
from thingsviz.queue.reporter import Interruptible, Reporter


def run(reporter: Reporter, task: Task) -> None:
    """Go through all stages that are not done yet; any of them may raise StoppedError."""
    reporter.announce("reading the data")
    begin_manifest(reporter.job, task, default_threads(), reporter.peers.n_processes)
    with metered(reporter.job):
        fit(reporter, task)
    if task.config.role != "candidate":
        _score(reporter, task, _predict_once(reporter, task))


def _predict_once(reporter: Reporter, task: Task) -> Predicted:
    """Predict with the best weights; the only place that looks at test trials, once a job."""
    job = reporter.job
    known = task.kept(job)
    if known is not None:
        return known
    reporter.announce("predicting the test trials")
    touched = [*job.manifest().get("test_set_touched", []), now()]
    add_to_manifest(job, test_set_touched=touched)
    X = Interruptible(task.responses, reporter)
    predicted = task.predict(load_predict(job, task, X), task.config.model)
    task.keep(job, predicted)
    return predicted


def _score(reporter: Reporter, task: Task, predicted: Predicted) -> None:
    """Score beside the references, and write down what the scores could not show."""
    reporter.announce("scoring")
    name = task.config.model.name
    rows, curves = task.score(name, predicted, own=True)
    X = Interruptible(task.responses, reporter)
    beside = reference_scores(task, X, reporter.announce, reporter.check)
    rows += [row for row in beside.rows if row["model"] != name]
    curves += [curve for curve in beside.curves if curve["model"] != name]
    compared = differences(task, predicted)
    checked = audit(task.store.trials, task.split)
    record = {
        "rows": rows + task.more_rows(predicted),
        **({"curves": curves} if curves else {}),
        "differences": compared,
        "could_not_show": task.limits(rows, compared, checked),
        "audit": checked._asdict(),
        **task.score_facts(predicted),
    }
    SCORES.write(reporter.job.file("scores.json"), record)
