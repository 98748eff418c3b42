"""The places that the mutation check breaks: old text, new text, tests that must notice."""

from __future__ import annotations

from typing import NamedTuple


class Mutation(NamedTuple):
    """One fault: `old` occurs exactly once in `file` and becomes `new`; `tests` must then fail."""

    name: str
    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


DATA, SCORES = "tests/data", "tests/analysis/scores"
ACTIONS = "tests/ui/test_actions.py"
REFUSED = f"{ACTIONS}::test_what_is_somebody_elses_is_left_alone"

PLACES = (
    Mutation(
        "fold",
        "a fold trains on the trials that it tests",
        "thingsviz/data/trials/folds.py",
        "rest, test = rows[fold_of != n], rows[fold_of == n]",
        "rest, test = rows, rows[fold_of == n]",
        (f"{DATA}/trials/test_folds.py",),
    ),
    Mutation(
        "split",
        "training keeps the trials of the test's concepts",
        "thingsviz/data/trials/splits.py",
        "rest, exemplars = train[~shown], train[shown]",
        "rest, exemplars = train, train[shown]",
        (f"{DATA}/trials/test_splits.py",),
    ),
    Mutation(
        "gzip_checksum",
        "a gzip is unpacked without its CRC being compared",
        "thingsviz/data/volumes/gzip_stream.py",
        "self._file = igzip.GzipFile(fileobj=file)",
        # 10 bytes of header, then plain deflate
        'plain = __import__("zlib").decompressobj(-15)\n'
        "            self._file = io.BytesIO(plain.decompress(file.read()[10:]))",
        (f"{DATA}/volumes/test_gzip_stream.py::test_no_single_flipped_bit_passes",),
    ),
    Mutation(
        "folder_fsync",
        "the folder of an atomic write is not synced",
        "thingsviz/core/files.py",
        "        raise\n    fsync_folder(path.parent)\n",
        "        raise\n",
        ("tests/core/test_files.py",),
    ),
    Mutation(
        "checkpoint_folder_fsync",
        "the folder of an atomically written checkpoint is not synced",
        "models/base/atomic_files.py",
        "        raise\n    sync_folder(path.parent)\n",
        "        raise\n",
        ("tests/models/base/test_atomic_files.py",),
    ),
    Mutation(
        "rename",
        "a file is written in place instead of being renamed to",
        "thingsviz/core/files.py",
        "        temporary.replace(path)\n",
        "        path.write_bytes(temporary.read_bytes())\n        temporary.unlink()\n",
        ("tests/core/test_files.py",),
    ),
    Mutation(
        "builder_lock",
        "two processes build one store at a time",
        "thingsviz/data/prepare/build.py",
        "                if won:\n",
        "                if True:\n",
        (f"{DATA}/prepare/test_build.py::test_waiting_is_said",),
    ),
    Mutation(
        "brought_sha256",
        "the sha256 of a brought job's files is not compared",
        "thingsviz/reports/bundle.py",
        "if left or digest.hexdigest() != sha256:",
        "if left:",
        ("tests/reports/test_bundle.py::test_what_is_not_as_it_should_be_is_one_sentence",),
    ),
    Mutation(
        "brought_path",
        "a brought zip may write any path",
        "thingsviz/reports/bundle.py",
        "if entry.filename not in {*KNOWN, LIST} and not kind_of(entry.filename):",
        "if not entry.filename:",
        ("tests/reports/test_bundle.py::test_a_path_that_the_list_names_too_is_not_let_in",),
    ),
    Mutation(
        "note_markup",
        "a job's note is shown without escaping",
        "thingsviz/ui/jobs/detail.py",
        "plain(about.note)",
        "about.note",
        ("tests/pages/test_jobs.py::test_a_note_is_shown_as_it_was_written",),
    ),
    Mutation(
        "owner_of_states",
        "`clean_up` does not ask whose the states are",
        "thingsviz/ui/actions.py",
        "        check_may_change(JobFolder(jobs_root() / one.name))\n",
        "        pass\n",
        (f"{REFUSED}[clean_up]",),
    ),
    Mutation(
        "owner_of_resumed_study",
        "`resume_study` does not ask whose the study is",
        "thingsviz/ui/actions.py",
        "    check_may_change(study)\n    if more:\n",
        "    if more:\n",
        (f"{REFUSED}[resume_study]",),
    ),
    Mutation(
        "owner_of_ended_study",
        "`end_study` does not ask whose the study is",
        "thingsviz/ui/actions.py",
        "    check_may_change(study)\n    stop_study(study)\n",
        "    stop_study(study)\n",
        (f"{REFUSED}[end_study]",),
    ),
    Mutation(
        "map_sign",
        "a map of occlusion has the wrong sign",
        "models/explain/attribution.py",
        "out[:, there] = found[:, first[there]]",
        "out[:, there] = -found[:, first[there]]",
        ("tests/models/explain/test_attribution.py",),
    ),
    Mutation(
        "voxel_scores",
        "a network's voxels are selected on validation trials too",
        "thingsviz/pipeline/tasks/base.py",
        "        rows = self.split.train\n        return encoding_score(",
        "        rows = np.concatenate([self.split.train, self.split.validation])\n"
        "        return encoding_score(",
        ("tests/pipeline/test_training_data.py::test_voxels_are_scored_on_training_trials_alone",),
    ),
    Mutation(
        "ridge_voxels",
        "ridge selects its voxels on the concepts that it holds out",
        "models/linear/ridge.py",
        "        metric = self._metric(X, rows[fitting], Y[fitting])\n",
        "        metric = self._metric(X, rows, Y)\n",
        ("tests/models/linear/test_ridge.py",),
    ),
    Mutation(
        "ridge_penalty",
        "ridge takes the penalty that fits its own rows best: the smallest",
        "models/linear/ridge.py",
        "chosen = error.argmin(0)",
        "chosen = np.zeros(n_targets, int)",
        ("tests/models/linear/test_ridge.py",),
    ),
    Mutation(
        "z_scores",
        "z-scores are learned from all trials of a session, the test's too",
        "thingsviz/data/trials/standardise.py",
        "_sums(store, rows[of_trial[rows] == session], origin)",
        "_sums(store, np.flatnonzero(of_trial == session), origin)",
        (f"{DATA}/trials/test_standardise.py::test_test_trials_do_not_touch_the_scaling",),
    ),
    Mutation(
        "permutation",
        "trials are permuted instead of concepts",
        "thingsviz/analysis/scores/resampling.py",
        '(in THINGS they are equal).\n    """\n',
        '(in THINGS they are equal).\n    """\n'
        "    data = data._replace(concepts=np.arange(data.n_trials).astype(str))\n",
        (f"{SCORES}/test_resampling.py",),
    ),
    Mutation(
        "bootstrap",
        "trials are drawn instead of concepts",
        "thingsviz/analysis/scores/resampling.py",
        "rng.multinomial(n_concepts, np.full(n_concepts, 1 / n_concepts), size=draws)",
        "rng.multinomial(int(sums.n.sum()), sums.n / sums.n.sum(), size=draws) / sums.n",
        (f"{SCORES}/test_resampling.py",),
    ),
    Mutation(
        "best_epoch",
        "the best epoch is chosen by the test part",
        "thingsviz/pipeline/fit.py",
        "parts = task.split.train, task.split.validation",
        "parts = task.split.train, task.split.test",
        ("tests/pipeline/test_training_data.py::test_epochs_are_judged_by_the_validation_part",),
    ),
    Mutation(
        "candidate",
        "the candidates of a study are judged on the test part",
        "thingsviz/pipeline/run.py",
        'if task.config.role != "candidate":',
        "if task.config.role:",
        ("tests/studies/test_study.py::test_a_whole_study",),
    ),
    Mutation(
        "concept",
        "a concept is taken from the folder, which is wrong for five images",
        "thingsviz/data/things/image_names.py",
        'return found["concept"] if found else PurePosixPath(name).stem',
        "return PurePosixPath(image_filename).parent.name or PurePosixPath(name).stem",
        (f"{DATA}/things/test_image_names.py",),
    ),
    Mutation(
        "catch_trials",
        "catch trials count as data",
        "thingsviz/data/things/trials.py",
        'usable = (trials["trial_type"] != CATCH) & trials["uniqueID"].notna()',
        "usable = np.ones(len(trials), bool)",
        (f"{DATA}/trials/test_splits.py",),
    ),
    Mutation(
        "random_state",
        "a training is resumed without the state of the random generators",
        "models/training/loop.py",
        '        load_random_state(take("rng", tensors), facts["rng"], self.fabric.device)\n',
        "",
        ("tests/models/training/test_resume.py",),
    ),
    Mutation(
        "chance_of_top_k",
        "chance of a hit among the first k is one class too low",
        "thingsviz/analysis/classes/hits.py",
        "return np.arange(1, n_classes + 1) / n_classes",
        "return np.arange(n_classes) / n_classes",
        ("tests/analysis/classes/test_hits.py",),
    ),
    Mutation(
        "rating_scale",
        "predictions stay on the scale that was learned",
        "thingsviz/pipeline/tasks/ratings.py",
        "return self.scale.to_ratings(values).astype(np.float32)",
        "return values",
        ("tests/pipeline/test_references.py::test_predictions_are_on_the_raters_own_scales",),
    ),
    Mutation(
        "fold_interval",
        "an interval over folds takes them as independent",
        "thingsviz/analysis/scores/folds.py",
        "math.sqrt((1 / n + sizes.ratio) * ",
        "math.sqrt((1 / n) * ",
        (f"{SCORES}/test_folds.py::test_the_interval_is_nadeau_and_bengios",),
    ),
    Mutation(
        "repeats_interval",
        "an interval of hits takes the trials of a concept as independent",
        "thingsviz/analysis/classes/hits.py",
        "deff = max(cluster_variance(hits, index) / (p * (1 - p) / (n - 1)), 1.0)",
        "deff = 1.0",
        ("tests/analysis/classes/test_hits.py",),
    ),
)
