"""Which trials are train, test or catch, when the published betas do not say so."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thingsviz.core.errors import DataError
from thingsviz.core.trial_key import CATCH, TEST, TRAIN
from thingsviz.data.things.image_names import base_name, exemplar_number, is_catch
from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.stimuli import types_of_images
from thingsviz.data.things.tables import read_table

# In the published design the 12 training exemplars of a concept bear the numbers 1 to 12 and its
# test image a higher one (checked on all 11,040 trials of sub-01).
LAST_TRAIN_EXEMPLAR = 12


def trial_types(dataset: Dataset, subject: str, table: pd.DataFrame) -> pd.Series:
    """Return the type of each trial: from the table release, else from events, else inferred."""
    known = types_from_stimuli(dataset, subject, table)
    known = known or types_from_events(dataset, subject, table)
    return pd.Series(known or infer_types(table), index=table.index).astype("str")


def infer_types(table: pd.DataFrame) -> NDArray[np.object_]:
    """Tell train, test and catch apart from (session, image_filename) alone, (n_trials,).

    A test image is one shown in more than one session. Where only some runs of a subject are
    there, a test image may not repeat; so, if the numbering is the published one (no repeated
    image has a number up to 12, and no concept has two images above), a number above 12 is
    test too.
    """
    images = table["image_filename"]
    catch = images.map(is_catch).to_numpy(dtype=bool)
    live = table[~catch]
    sessions = live.groupby("image_filename")["session"].nunique()
    repeats = set(sessions.index[sessions > 1])
    test = repeats | _numbered_as_test(live, repeats)
    types = np.where(images.isin(test), TEST, TRAIN).astype(object)
    types[catch] = CATCH
    return types


def _numbered_as_test(live: pd.DataFrame, repeats: set[str]) -> set[str]:
    """Return images whose number says test, none if the numbering is not the published one."""
    numbers = {image: exemplar_number(image) for image in live["image_filename"].unique()}
    above = {image for image, number in numbers.items() if number > LAST_TRAIN_EXEMPLAR}
    concepts = live.drop_duplicates("image_filename").set_index("image_filename")["concept"]
    one_each = not concepts[sorted(above)].duplicated().any()
    return above if repeats <= above and one_each else set()


def types_from_stimuli(dataset: Dataset, subject: str, table: pd.DataFrame) -> dict[int, str]:
    """Read trial types from the table release, {row: type}; {} unless it knows all images."""
    path = dataset.table_release(subject).stimuli
    if not path.is_file():
        return {}
    known = types_of_images(path)
    names = table["image_filename"]
    types = {
        row: CATCH if is_catch(n) else known.get(base_name(n), "") for row, n in names.items()
    }
    return {} if "" in types.values() else {int(str(row)): kind for row, kind in types.items()}


def types_from_events(dataset: Dataset, subject: str, table: pd.DataFrame) -> dict[int, str]:
    """Read trial types from BIDS events, {row: type}; {} unless all runs have them."""
    found: dict[int, str] = {}
    for rows in (group for _, group in table.groupby(["session", "run"])):
        session, run = int(rows["session"].iloc[0]), int(rows["run"].iloc[0])
        path = dataset.events_file(subject, session, run)
        if path is None:
            return {}
        events = read_table(path).cells
        if not {"trial_type", "file_path"} <= set(events.columns):
            return {}
        if events["file_path"].str.strip().tolist() != rows["image_filename"].tolist():
            msg = (
                f"{str(path)!r} lists other images than the conditions of the same run: remove one"
            )
            raise DataError(msg)
        kinds = events["trial_type"].str.strip().replace({"exp": TRAIN})
        found |= dict(zip(rows.index.tolist(), kinds.tolist(), strict=True))
    return found if set(found.values()) <= {TRAIN, TEST, CATCH} else {}
