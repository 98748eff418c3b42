"""How a planted subject is written in the published layout: equal numbers, equal bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
from isal import isal_zlib
from numpy.typing import NDArray

from thingsviz.core.space import Grid
from thingsviz.data.planted.concepts import coarse_table, fine_table
from thingsviz.data.planted.fields import Float32
from thingsviz.data.planted.regions import REGIONS, Anatomy

SUBJECT = "sub-01"
STEP = (
    2.0**-6
)  # of int16 betas, in units of a voxel's noise SD of about 1: float32 holds every product exactly
SIMULATED = b"SIMULATED responses, planted by thingsviz"
TRIAL_S = 4.5
README = """\
SIMULATED data: no person was scanned. The responses are computed from a known truth, which lies
in derivatives/planted/sub-01:
- truth.npz: tuning (weights: latents x signal_voxels), noise ceilings, regions, latents of
  concepts and trials, noise and session parameters; voxels in C order of the brain mask.
- oracle.parquet: what the best linear decoder, which knows the truth, makes of each trial and of
  each test image's averaged repeats. oracle.json: its scores.
"""
GZIP = 31  # zlib's window bits for a gzip header, which isal writes without time and name


def _gzip(*parts: bytes | memoryview) -> bytes:
    """Compress as gzip: isal's level 1 takes 1 to 2 ns a byte, a tenth of what zlib does."""
    packer = isal_zlib.compressobj(1, wbits=GZIP)
    return b"".join([*(packer.compress(part) for part in parts), packer.flush()])


def _nifti_header(grid: Grid, n_volumes: int, dtype: type, slope: float) -> bytes:
    """Return a NIfTI-1 header (352 bytes) that says SIMULATED in `descrip`."""
    header = nib.Nifti1Header()
    header.set_data_shape((*grid.shape, n_volumes) if n_volumes else grid.shape)
    header.set_data_dtype(dtype)
    header.set_qform(grid.matrix, code=1)
    header.set_sform(grid.matrix, code=1)
    header.set_xyzt_units("mm", "sec")
    if n_volumes:
        header["pixdim"][4] = TRIAL_S
    header["scl_slope"], header["scl_inter"] = slope, 0
    header["descrip"] = SIMULATED
    header["magic"], header["vox_offset"] = b"n+1", 352
    return bytes(header.binaryblock) + bytes(4)


class LayoutWriter:
    """Writes one subject below `root`; every method may be called from several threads."""

    def __init__(self, root: Path, grid: Grid, anatomy: Anatomy) -> None:
        self.root, self.grid = root, grid
        i, j, k = np.nonzero(anatomy.brain)
        x, y, _ = grid.shape
        self.at = i + x * (
            j + y * k
        )  # (n_voxels,) places in a volume whose first axis runs fastest
        self.ijk = np.stack([i, j, k], 1)
        self.anatomy = anatomy

    def path(self, *parts: str) -> Path:
        """Return a path below the root whose folder exists."""
        path = self.root.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def run(self, session: int, run: int, betas: Float32, image_names: list[str]) -> None:
        """Write betas (n_trials, n_voxels) and conditions of a run."""
        folder = f"ses-things{session:02d}"
        stem = f"{SUBJECT}_{folder}_run-{run:02d}"
        parts = ("betas_vol", "scalematched", SUBJECT, folder)
        limit = np.iinfo(np.int16).max
        values = np.clip(np.rint(betas * np.float32(1 / STEP)), -limit, limit).astype("<i2")
        volumes = np.zeros((len(betas), self.grid.n_voxels), "<i2")
        volumes[:, self.at] = values
        header = _nifti_header(self.grid, len(betas), np.int16, STEP)
        self.path(*parts, f"{stem}_betas.nii.gz").write_bytes(
            _gzip(header, volumes.data.cast("B"))
        )
        table = pd.DataFrame({"image_filename": image_names})
        table.to_csv(self.path(*parts, f"{stem}_conditions.tsv"), sep="\t", lineterminator="\n")

    def brain_mask(self) -> None:
        """Write the brain mask."""
        header = _nifti_header(self.grid, 0, np.uint8, 1.0)
        volume = np.asfortranarray(self.anatomy.brain.astype(np.uint8)).tobytes("F")
        path = self.path("brainmasks", f"{SUBJECT}_space-T1w_brainmask.nii.gz")
        path.write_bytes(_gzip(header, volume))

    def voxel_metadata(self, ceiling: Float32, n_repeats: int) -> None:
        """Write VoxelMetadata.csv: noise ceilings in % (single, repeats), regions as 0/1."""
        voxel = np.arange(len(self.ijk))
        repeated = ceiling / np.maximum(ceiling + (1 - ceiling) / max(n_repeats, 1), 1e-9)
        columns: dict[str, NDArray[Any]] = {"voxel_id": voxel, "subject_id": np.ones_like(voxel)}
        columns |= {f"voxel_{axis}": self.ijk[:, n] for n, axis in enumerate("xyz")}
        columns |= {
            "nc_singletrial": (100 * ceiling).round(4),
            "nc_testset": (100 * repeated).round(4),
        }
        own = self.anatomy.region
        columns |= {r.name: (own == n).astype(np.uint8) for n, r in enumerate(REGIONS)}
        path = self.path("betas_csv", f"{SUBJECT}_VoxelMetadata.csv")
        pd.DataFrame(columns).to_csv(path, index=False, lineterminator="\n")

    def ratings(self, table: pd.DataFrame) -> None:
        """Write the property ratings."""
        path = self.path("image", "02_object-level", "_property-ratings.tsv")
        table.to_csv(path, sep="\t", index=False, lineterminator="\n")

    def categories(self, names: Sequence[str], kinds: Sequence[str]) -> None:
        """Write both category tables; `names` in the order of the ratings, `kinds` theirs."""
        folder = ("image", "03_category-level")
        tables = {"53_wide-format": fine_table(names, kinds), "27_manual": coarse_table(kinds)}
        for name, table in tables.items():
            path = self.path(*folder, f"category{name}.tsv")
            table.to_csv(path, sep="\t", index=False, lineterminator="\n")

    def image_paths(self, names: list[str]) -> None:
        """Write the list of image paths, which has no header."""
        path = self.path("image", "01_image-level", "image-paths.csv")
        path.write_text("".join(f"images/{name}\n" for name in sorted(names)))

    def picture(self, concept: str, name: str, data: bytes) -> None:
        """Write a picture into its concept's folder."""
        folder = ("image", "_image_database_things", "images", concept)
        self.path(*folder, Path(name).name).write_bytes(data)

    def description(self, planted: dict[str, Any], credit: str) -> None:
        """Write dataset_description.json and README; both say that responses are simulated."""
        about = {
            "Name": f"SIMULATED THINGS-fMRI ({planted['preset']}, seed {planted['seed']})",
            "BIDSVersion": "1.10.0",
            "DatasetType": "derivative",
            "Simulated": True,
            "Space": "T1w",
            # the command's first name: data of a seed keep their bytes, and so their fingerprint
            "GeneratedBy": [{"Name": "thingsviz.jobs.plant"}],
            "Planted": planted,
        }
        text = json.dumps(about, indent=1, ensure_ascii=False)
        self.path("dataset_description.json").write_text(text + "\n", encoding="utf-8")
        self.path("README").write_text(f"{README}{credit}\n".rstrip() + "\n", encoding="utf-8")

    def derivative(self, name: str) -> Path:
        """Return the path of a file of the truth."""
        return self.path("derivatives", "planted", SUBJECT, name)
