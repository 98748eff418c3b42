from thingsviz.jobs.run_folder import RunStatus
from thingsviz.ui.training import watch
from thingsviz.ui.training.watch import progress_text, stopped_text


def test_progress_says_epoch_batch_and_time_left():
    status = RunStatus("running", 3, 8, 210, 800, eta_s=41.0, message="epoch 3 of 8")
    assert progress_text(status) == "epoch 3 of 8 · batch 210 of 800 · about 41 s left"


def test_before_the_first_batch_the_message_is_all_there_is():
    assert progress_text(RunStatus("running", message="reading the data")) == "reading the data"
    assert progress_text(RunStatus("queued")) == "queued"


def test_a_stopping_job_promises_no_time():
    status = RunStatus(
        "stopping", 3, 8, 210, 800, eta_s=41.0, message="will stop after this batch"
    )
    assert "left" not in progress_text(status)
    assert progress_text(status).endswith("will stop after this batch")


def test_a_stopped_job_says_where_and_why():
    status = RunStatus("stopped", 3, 8, message="the process ended without a word")
    assert stopped_text(status) == (
        "Stopped after epoch 3 of 8: the process ended without a word. "
        "Resume goes on from the last saved state."
    )
    assert stopped_text(RunStatus("stopped")).startswith("Stopped. Resume")


def test_a_look_without_a_new_point_draws_nothing(monkeypatch):
    drawings = []
    watch.drawn.cache_clear()
    monkeypatch.setattr(
        watch, "draw_curves", lambda info, theme: drawings.append(theme) or object()
    )
    rows = [{"kind": "epoch", "epoch": 1, "step": 5, "train_loss": 0.5, "validation_loss": 0.6}]
    first = watch.drawn(watch.curves_info(rows, "MSE", 1.0), "light")
    assert (
        watch.drawn(watch.curves_info([dict(row) for row in rows], "MSE", 1.0), "light") is first
    )
    assert drawings == ["light"]
    watch.drawn(
        watch.curves_info([*rows, rows[0] | {"epoch": 2, "step": 10}], "MSE", 1.0), "light"
    )
    watch.drawn(watch.curves_info(rows, "MSE", 1.0), "dark")
    assert drawings == ["light", "light", "dark"]
    watch.drawn.cache_clear()
