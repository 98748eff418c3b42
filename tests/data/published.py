"""Writes small subjects in the published layout, with named counts; not the planted brain."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from thingsviz.data.things.layout import Dataset
from thingsviz.data.things.ratings import TARGETS_10, mean_column, sd_column

GRID = (5, 6, 4)
AFFINE = np.array([[2.0, 0, 0, -10], [0, 2.0, 0, -12], [0, 0, 2.0, -8], [0, 0, 0, 1]])
N_BRAIN_VOXELS = 50
N_SESSIONS, N_RUNS = 3, 2
CONCEPTS = ("dog", "ferris_wheel", "chicken_wire", "mango", "acorn", "sim_card")
TEST_IMAGES = ("sim/sim_card_13s.jpg", "mango/mango_14s.jpg")  # one a run, in each session
N_TRAIN, N_TEST, N_CATCH = 6, 1, 1  # in each run
N_VOLUMES = N_TRAIN + N_TEST + N_CATCH
N_TRIALS = N_SESSIONS * N_RUNS * N_VOLUMES


def images_of(session: int, run: int) -> list[str]:
    """Each concept once a run, always a new exemplar; then a test image; then a catch."""
    number = (session - 1) * N_RUNS + run
    train = [f"{name}/{name}_{number:02d}s.jpg" for name in CONCEPTS]
    return [*train, TEST_IMAGES[run - 1], f"catch{number:03d}.jpg"]


def brain() -> np.ndarray:
    inside = np.zeros(GRID, bool)
    inside.ravel()[np.random.default_rng(3).permutation(inside.size)[:N_BRAIN_VOXELS]] = True
    return inside


def values_of(session: int, run: int, n: int = N_VOLUMES) -> np.ndarray:
    """Betas of a run, (X, Y, Z, n) float32, exact in float16: any reader must give these."""
    rng = np.random.default_rng([session, run])
    return (rng.integers(-500, 500, (*GRID, n)) / 64).astype(np.float32)


def write_nifti(path: Path, values: np.ndarray, affine: np.ndarray = AFFINE, **header: object):
    image = nib.Nifti1Image(values, affine, dtype=values.dtype)
    if "scl_slope" in header:
        image.header.set_slope_inter(header["scl_slope"], header.get("scl_inter", 0))
    if "descrip" in header:
        image.header["descrip"] = header["descrip"]
    raw = image.to_bytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(raw, 5, mtime=0) if path.suffix == ".gz" else raw)


def write_conditions(path: Path, images: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"image_filename": images}).to_csv(path, sep="\t")


def run_path(root: Path, session: int, run: int, part: str, tree: str = "scalematched") -> Path:
    name = f"sub-01_ses-things{session:02d}_run-{run:02d}_{part}"
    return root / "betas_vol" / tree / "sub-01" / f"ses-things{session:02d}" / name


def write_ratings(path: Path, concepts: tuple[str, ...] = CONCEPTS) -> None:
    rng = np.random.default_rng(5)
    columns = {"Word": concepts, "uniqueID": concepts}
    for prop in TARGETS_10:
        columns[mean_column(prop)] = rng.uniform(1, 7, len(concepts)).round(4)
        columns[sd_column(prop)] = rng.uniform(0.3, 2, len(concepts)).round(4)
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(columns).to_csv(path, sep="\t", index=False)


def write_subject(root: Path, *, tree: str = "scalematched", dtype: type = np.float32) -> Dataset:
    """Write all of `sub-01`: betas, conditions, mask, ratings, image paths, description."""
    for session in range(1, N_SESSIONS + 1):
        for run in range(1, N_RUNS + 1):
            images = images_of(session, run)
            write_conditions(run_path(root, session, run, "conditions.tsv", tree), images)
            values = values_of(session, run, len(images)).astype(dtype)
            write_nifti(run_path(root, session, run, "betas.nii.gz", tree), values)
    dataset = Dataset(root)
    write_nifti(dataset.brain_mask("sub-01"), brain().astype(np.uint8))
    write_ratings(dataset.ratings_file)
    lines = [f"images/{c}/{c}_{n:02d}s.jpg" for c in CONCEPTS for n in range(1, 20)]
    dataset.image_paths_file.parent.mkdir(parents=True)
    dataset.image_paths_file.write_text("\n".join(lines) + "\n")
    text = json.dumps({"Name": "little", "BIDSVersion": "1.8.0", "DatasetType": "derivative"})
    dataset.description_file.write_text(text)
    return dataset


def expected_betas() -> np.ndarray:
    """What the store must hold, (n_trials, n_voxels)."""
    blocks = [
        values_of(session, run)[brain()].T
        for session in range(1, N_SESSIONS + 1)
        for run in range(1, N_RUNS + 1)
    ]
    return np.concatenate(blocks)
