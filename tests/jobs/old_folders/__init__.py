"""Job folders as earlier versions of thingsviz wrote them, on the dataset `tiny` (plant --seed 7).

Each archive is a jobs folder made by the code of that time and changed in nothing; locks, caches
and lines of the log that named a machine are left out. session-1: commit 5781996, before recipes
could learn classes: a ridge, a small transformer, and the same one stopped in its second epoch.
session-2: commit 2d3fafe: those that were done, a classifier, a study with its candidates, words
about a job. session-3: commit 3c6f3a2: a job of each kind of model, studies and studies of
overfitting, whole and stopped, maps, and a recipe that could not be trained. Whatever changes a
file of a job folder adds an archive here and a step in thingsviz/jobs/recipe.py.
"""

import tarfile
from pathlib import Path

SESSIONS = ("session-1", "session-2", "session-3")


def unpack(session: str, root: Path) -> Path:
    """Put the folders of a session below a jobs folder."""
    archive = Path(__file__).with_name(f"{session}.tar.xz")
    with tarfile.open(archive) as file:
        file.extractall(root, filter="data")
    return root
