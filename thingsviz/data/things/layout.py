"""Every file name and folder of THINGS-fMRI, and where our own results lie beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from typing_extensions import TypedDict

from thingsviz.core.errors import DataError
from thingsviz.core.json_files import OPEN, JsonFile, Refusal, read_json
from thingsviz.core.settings import FolderSettings
from thingsviz.core.trial_key import TrialKey, parse_subject
from thingsviz.data.things.image_names import concept_of

RUN_FILE = re.compile(
    r"(sub-\w+)_ses-(?:things)?(\d+)_run-(\d+)_(betas\.nii(?:\.gz)?|conditions\.tsv)", re.ASCII
)
# Trees that hold runs, best first; `conditions` is a tree without betas, for tables alone.
RUN_TREES = ("betas_vol/scalematched", "betas_vol", "conditions")
RATINGS = (
    "image/02_object-level/_property-ratings.tsv",
    "image/02_object-level/property-ratings.tsv",
    "_property-ratings.tsv",
    "property-ratings.tsv",
)
IMAGE_FOLDERS = (
    "image/_image_database_things/images",
    "image/_image_database_things/object_images",
    "image/images",
    "image/object_images",
    "images",
    "object_images",
)
TABLE_PARTS = ("ResponseData.h5", "StimulusMetadata.csv", "VoxelMetadata.csv")


class Description(TypedDict, total=False):
    """What of dataset_description.json is read here."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    Simulated: bool
    Space: str


MEND = Refusal(DataError, "mend or remove it")
DESCRIPTION: JsonFile[dict[str, Any]] = JsonFile("description", Description, refusal=MEND)


class RunFiles(NamedTuple):
    """The two files of a run; one may be missing."""

    session: int
    run: int
    betas: Path | None
    conditions: Path | None

    def __str__(self) -> str:
        """Read like the file names."""
        return str(TrialKey(self.session, self.run, 0)).rsplit(" trial", 1)[0]


class TableRelease(NamedTuple):
    """The three files of the table release; each may be missing."""

    responses: Path
    stimuli: Path
    voxels: Path

    @property
    def complete(self) -> bool:
        """Whether all three are there."""
        return all(path.is_file() for path in self)


@dataclass(frozen=True)
class Dataset:
    """A folder in the published layout; `derivatives` says where results go if not into it."""

    root: Path
    derivatives: Path | None = None

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.root.resolve().name

    @property
    def description_file(self) -> Path:
        """What BIDS calls the file that describes a dataset, whether it is there or not."""
        return self.root / "dataset_description.json"

    def description(self) -> dict[str, Any]:
        """Return what dataset_description.json says, {} without one."""
        path = self.description_file
        data = read_json(path, MEND)
        return {} if data is None else DESCRIPTION.checked(data, path)

    @property
    def simulated(self) -> bool:
        """Whether the responses are planted, not measured."""
        return self.description().get("Simulated") is True

    @property
    def space(self) -> str:
        """The space of the voxels: T1w (the subject's own) unless the dataset declares another."""
        return str(self.description().get("Space", "T1w"))

    def subjects(self) -> list[str]:
        """Return the subjects that have runs or a table release."""
        trees = (self.root / tree for tree in RUN_TREES)
        found = {p.name for t in trees if t.is_dir() for p in t.glob("sub-*") if p.is_dir()}
        tables = self.root / "betas_csv"
        found |= {p.name.split("_")[0] for p in tables.glob("sub-*_ResponseData.h5")}
        return sorted(name for name in found if re.fullmatch(r"sub-\w+", name, re.ASCII))

    def run_tree(self, subject: str) -> Path | None:
        """Return the folder of the subject's sessions: `scalematched/` before the plain tree."""
        folders = [self.root / tree / parse_subject(subject) for tree in RUN_TREES]
        return next((f for f in folders if f.is_dir() and any(_run_files(f))), None)

    def runs(self, subject: str) -> list[RunFiles]:
        """Return the subject's runs, sorted by (session, run)."""
        tree = self.run_tree(subject)
        found: dict[tuple[int, int], dict[str, Path]] = {}
        for path, match in _run_files(tree) if tree else ():
            session, run = int(match[2]), int(match[3])
            part = "betas" if match[4].startswith("betas") else "conditions"
            files = found.setdefault((session, run), {})
            if part in files:
                both = f"{str(files[part])!r} and {str(path)!r}"
                msg = f"two files claim to be the {part} of one run: {both}; keep one of them"
                raise DataError(msg)
            files[part] = path
        return [
            RunFiles(s, r, files.get("betas"), files.get("conditions"))
            for (s, r), files in sorted(found.items())
        ]

    def events_file(self, subject: str, session: int, run: int) -> Path | None:
        """Return the published BIDS events of a run, if they are beside the betas."""
        subject = parse_subject(subject)
        name = f"{subject}_ses-things{session:02d}_task-things_run-{run:02d}_events.tsv"
        part = f"{subject}/ses-things{session:02d}/func/{name}"
        places = (self.root / part, self.root / "events" / part)
        return next((path for path in places if path.is_file()), None)

    def brain_mask(self, subject: str) -> Path:
        """Return the brain mask in the dataset's space, else the one in T1w."""
        subject, folder = parse_subject(subject), self.root / "brainmasks"
        spaces = (self.space, "T1w")
        paths = [folder / f"{subject}_space-{space}_brainmask.nii.gz" for space in spaces]
        return next((path for path in paths if path.is_file()), paths[0])

    def table_release(self, subject: str) -> TableRelease:
        """Return the paths of the table release, whether they are there or not."""
        subject = parse_subject(subject)
        folder = self.root / "betas_csv"
        return TableRelease(*(folder / f"{subject}_{part}" for part in TABLE_PARTS))

    def voxel_metadata(self, subject: str) -> Path:
        """Return the path of VoxelMetadata.csv, whether it is there or not."""
        return self.table_release(subject).voxels

    def image_file(self, image_filename: str) -> Path | None:
        """Return the picture on disk, found through its base name: its folder may be wrong."""
        name = PurePosixPath(image_filename.replace("\\", "/")).name
        concept = concept_of(name)
        if concept is None or concept in {"", ".", ".."}:
            return None
        paths = (self.root / folder / concept / name for folder in IMAGE_FOLDERS)
        return next((path for path in paths if path.is_file()), None)

    @property
    def ratings_file(self) -> Path:
        """The property ratings; the published place if none is found."""
        paths = [self.root / place for place in RATINGS]
        return next((path for path in paths if path.is_file()), paths[0])

    @property
    def image_paths_file(self) -> Path:
        """The list of image paths, whether it is there or not."""
        return self.root / "image/01_image-level/image-paths.csv"

    def store_dir(self, subject: str) -> Path:
        """Return the folder of the prepared store."""
        subject = parse_subject(subject)
        outside = self.derivatives or FolderSettings.read().derivatives
        base = outside / self.name if outside else self.root / "derivatives"
        return base / "thingsviz" / subject

    def planted_dir(self, subject: str) -> Path:
        """Return the folder of the truth, in planted data."""
        return self.root / "derivatives" / "planted" / parse_subject(subject)

    def relative(self, path: Path) -> str:
        """Write a path of this dataset from its root, with forward slashes."""
        return path.relative_to(self.root).as_posix()


def _run_files(tree: Path) -> Iterator[tuple[Path, re.Match[str]]]:
    """Yield the run files below a subject's folder with their parsed names."""
    for folder in sorted(tree.glob("ses-*")):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            match = RUN_FILE.fullmatch(path.name)
            if match and match[1] == tree.name:
                yield path, match


def is_dataset(folder: Path) -> bool:
    """Whether a folder looks like the published layout."""
    return any((folder / part).is_dir() for part in ("betas_vol", "betas_csv", "conditions"))


def datasets_root() -> Path:
    """Return the folder of datasets: THINGSVIZ_DATA, or ./data."""
    return FolderSettings.read().data.expanduser()


def find_datasets() -> list[Dataset]:
    """Return the datasets in the root, or the root itself if it is one."""
    root = datasets_root()
    if is_dataset(root):
        return [Dataset(root)]
    if not root.is_dir():
        return []
    folders = (p for p in sorted(root.iterdir()) if p.is_dir() and not p.name.startswith("."))
    return [Dataset(folder) for folder in folders if is_dataset(folder)]


def open_dataset(name_or_path: str | Path, derivatives: Path | None = None) -> Dataset:
    """Open a dataset by name (text, may come from a URL: never leaves the root) or by Path."""
    if isinstance(name_or_path, Path):
        return _open_path(name_or_path, derivatives)
    known = {dataset.name: dataset for dataset in find_datasets()}
    if name_or_path not in known:
        there = ", ".join(known) or "none"
        root = str(datasets_root())
        msg = f"there is no dataset {name_or_path!r} in {root!r}; those there: {there}"
        raise DataError(msg)
    return Dataset(known[name_or_path].root, derivatives)


def _open_path(path: Path, derivatives: Path | None) -> Dataset:
    """Open a trusted path; say what is missing in it."""
    if not path.is_dir():
        wanted = "give the folder that holds betas_vol/ or betas_csv/"
        msg = f"the dataset folder {str(path)!r} does not exist: {wanted}"
        raise DataError(msg)
    if not is_dataset(path):
        wanted = "give the folder right above them"
        msg = f"{str(path)!r} holds no betas_vol/, betas_csv/ or conditions/: {wanted}"
        raise DataError(msg)
    return Dataset(path, derivatives)
