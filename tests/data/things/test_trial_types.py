import pandas as pd
import pytest

from tests.data import published
from thingsviz.core.errors import DataError
from thingsviz.data.things.image_names import concept_of
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.trial_types import infer_types
from thingsviz.data.things.trials import build_trials


def table(*shown: tuple[int, str]) -> pd.DataFrame:
    frame = pd.DataFrame(shown, columns=["session", "image_filename"])
    return frame.assign(concept=frame["image_filename"].map(concept_of))


def test_an_image_of_two_sessions_is_a_test_image():
    shown = table((1, "a/a_01s.jpg"), (1, "b/b_13s.jpg"), (2, "b/b_13s.jpg"), (2, "catch001.jpg"))
    assert infer_types(shown).tolist() == ["train", "test", "test", "catch"]


def test_in_one_session_the_number_tells():
    shown = table((1, "a/a_12s.jpg"), (1, "a/a_13s.jpg"), (1, "b/b_02n.jpg"))
    assert infer_types(shown).tolist() == ["train", "test", "train"]


def test_the_number_is_not_believed_where_it_is_not_the_published_one():
    repeated_low = table((1, "a/a_05s.jpg"), (2, "a/a_05s.jpg"), (1, "b/b_20s.jpg"))
    assert infer_types(repeated_low).tolist() == ["test", "test", "train"]
    two_of_one_concept = table((1, "a/a_13s.jpg"), (1, "a/a_14s.jpg"), (2, "b/b_01s.jpg"))
    assert infer_types(two_of_one_concept).tolist() == ["train", "train", "train"]


@pytest.mark.parametrize(("sessions", "runs"), [(1, 10), (1, 1), (2, 3), (12, 2), (12, 10)])
def test_any_part_of_the_published_design(real, sessions, runs):
    """Whoever has only some runs gets the same types as with all of them."""
    whole = build_trials(Dataset(real), "sub-01").table
    part = whole[(whole["session"] <= sessions) & (whole["run"] <= runs)]
    assert infer_types(part).tolist() == part["trial_type"].tolist()


def test_sessions_with_different_runs(real):
    """Session 1 has runs 1 and 2, session 2 others: few test images repeat."""
    whole = build_trials(Dataset(real), "sub-01").table
    part = whole[(whole["run"] % 3) == (whole["session"] % 3)]
    assert infer_types(part).tolist() == part["trial_type"].tolist()


def write_events(dataset, session, run, kinds, images=None):
    images = images or published.images_of(session, run)
    folder = dataset.root / f"events/sub-01/ses-things{session:02d}/func"
    folder.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame({"onset": 1.0, "trial_type": kinds, "file_path": images})
    name = f"sub-01_ses-things{session:02d}_task-things_run-{run:02d}_events.tsv"
    frame.to_csv(folder / name, sep="\t", index=False)


def all_events(dataset, kinds):
    for session in (1, 2, 3):
        for run in (1, 2):
            write_events(dataset, session, run, kinds)


def test_events_beside_the_betas_decide(little):
    all_events(little, ["test", *["exp"] * 6, "catch"])
    kinds = build_trials(little, "sub-01").table["trial_type"].tolist()
    assert kinds[:8] == ["test", *["train"] * 6, "catch"]


def test_events_of_some_runs_are_left_aside(little):
    write_events(little, 1, 1, ["test", *["exp"] * 6, "catch"])
    assert build_trials(little, "sub-01").table["trial_type"].iloc[0] == "train"


def test_events_of_other_images_are_refused(little):
    all_events(little, ["exp"] * 8)
    write_events(little, 1, 1, ["exp"] * 8, images=["x/x_01s.jpg"] * 8)
    with pytest.raises(DataError, match="lists other images than the conditions of the same run"):
        build_trials(little, "sub-01")


def test_the_table_release_decides_first(little):
    all_events(little, ["exp"] * 8)
    names = {
        image.split("/")[-1]
        for session in (1, 2, 3)
        for run in (1, 2)
        for image in published.images_of(session, run)
        if not image.startswith("catch")
    }
    path = little.table_release("sub-01").stimuli
    path.parent.mkdir()
    rows = {"session": 1, "run": 1, "trial_id": range(len(names)), "stimulus": sorted(names)}
    pd.DataFrame({"trial_type": "train", **rows}).assign(
        trial_type=["test" if name == "dog_01s.jpg" else "train" for name in sorted(names)]
    ).to_csv(path, index=False)
    kinds = build_trials(little, "sub-01").table["trial_type"]
    assert kinds.iloc[:8].tolist() == ["test", *["train"] * 6, "catch"]
