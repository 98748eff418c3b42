"""Whether maps of decoders mean anything: planted regions found, faithfulness, sanity, seconds."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from models.presets.presets import PRESETS
from thingsviz.analysis.maps.auc_gap import EVEN, above
from thingsviz.commands import maps, prepare, simulate, train
from thingsviz.core.errors import EXIT_BAD_INPUT, ThingsvizError
from thingsviz.explain import tests_of_maps
from thingsviz.explain.map_files import MapSet
from thingsviz.explain.map_methods import METHODS
from thingsviz.explain.planted_truth import LIMITS
from thingsviz.jobs.job_folder import JobFolder, create_job
from thingsviz.jobs.recipe import parse_config

# a decoder's best map, at the resolution that it claims, must find the planted voxels: of the
# demo, and of the tiny subject (84 trials)
GOAL_AUC, GOAL_AUC_SHORT = 0.90, 0.70
GOAL_SANITY = 0.90
TINY_VIT = {
    "name": "vit3d",
    "tokens": "brain",
    "patch_embedding": "local",
    "embed_dim": 16,
    "n_layers": 1,
    "n_heads": 2,
    "input_dropout": 0.5,
    "pooling": "sum",
    "final_norm": False,
    "start": "mean",
}
RECIPES: dict[str, dict[str, Any]] = {
    "transformer": {
        "model": PRESETS["fast_local"].model.model_dump(mode="json"),
        "fit": PRESETS["fast_local"].fit.model_dump(mode="json"),
    },
    "ridge": {"model": {"name": "ridge"}},
    "concept decoder": {"model": {"name": "concept_decoder"}},
}
SHORT: dict[str, dict[str, Any]] = {
    "transformer": {
        "model": TINY_VIT,
        "fit": {"epochs": 6, "batches_per_epoch": 6, "batch_size": 16, "precision": "float32"},
    },
    "ridge": {"model": {"name": "ridge", "n_selected_voxels": 2000}},
}


def main(argv: list[str] | None = None) -> int:
    """Train two decoders on planted data, make and judge their maps, print the table."""
    arguments = _parser().parse_args(argv)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            return run(arguments, Path(scratch))
    except ThingsvizError as error:
        print(f"maps: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.maps", description=__doc__)
    add = parser.add_argument
    add("dataset", type=Path, nargs="?", help="a planted dataset (default: one is planted)")
    add("--short", action="store_true", help="the tiny subject, quick decoders: within 45 s")
    return parser


def run(arguments: argparse.Namespace, scratch: Path) -> int:
    """Return 0 when all goals are met, 1 when a row misses its own."""
    root = arguments.dataset or _planted(scratch / "planted", arguments.short)
    os.environ["THINGSVIZ_JOBS"] = str(scratch / "jobs")
    if arguments.short:
        tests_of_maps.BUDGET_S, tests_of_maps.SANITY_TRIALS = 4.0, 8
    rows, limits = [], []
    for name, recipe in (SHORT if arguments.short else RECIPES).items():
        data = {"dataset": str(root.absolute()), "name": name.replace(" ", "-"), **recipe}
        job = create_job(parse_config(data))
        if train.main([str(job.path)]) or maps.main([str(job.path), "--judge"]):
            return 1
        rows += rows_of(name, job)
        limits = limits_of(job)
    goal = GOAL_AUC_SHORT if arguments.short else GOAL_AUC
    print(table([*limits, *rows]))
    misses = missed(rows, goal)
    print("\n".join(misses) or f"all goals met: best AUC ≥ {goal}, faithful, sane")
    return 1 if misses else 0


def _planted(root: Path, short: bool) -> Path:
    preset = "tiny" if short else "demo"
    if simulate.main([str(root), "--preset", preset, "--seed", "1"]) or prepare.main([str(root)]):
        msg = f"the {preset} subject could not be planted in {root}: is the disk full?"
        raise ThingsvizError(msg)
    return root


def rows_of(decoder: str, job: JobFolder) -> list[dict[str, Any]]:
    """Return a row a method of a job whose maps were made and judged, the even map first."""
    facts = MapSet(job, "test").facts()
    even = facts["truth"][EVEN]
    rows = [
        {"decoder": decoder, "method": EVEN, "resolution": "a choice"}
        | {"auc": even["auc"], "smooth": even["auc_smooth"]}
    ]
    # occlusion by region is not judged by the truth: the planted regions are the data's own
    for name in [n for n in METHODS if n in facts["made"] and n in facts["truth"]]:
        area, truth = facts["faithfulness"]["areas"][name], facts["truth"][name]
        rows.append(
            {
                "decoder": decoder,
                "method": METHODS[name].title,
                "resolution": METHODS[name].resolution,
                "auc": truth["auc"],
                "smooth": truth["auc_smooth"],
                "above": above(truth["over_even"]),
                "area": area["deletion"],
                "sanity": facts["sanity"][name][-1]["correlation"],
                "seconds": facts["made"][name]["seconds"],
            }
        )
    return rows


def limits_of(job: JobFolder) -> list[dict[str, Any]]:
    """Return a row for each map that needs no decoder: what any map can be expected to reach."""
    truth = MapSet(job, "test").facts()["truth"]
    return [
        {"decoder": "the limit: no decoder", "method": name, "resolution": "a voxel"}
        | {"auc": truth[name]["auc"], "smooth": truth[name]["auc_smooth"]}
        for name in LIMITS
    ]


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a Markdown table."""
    head = "| decoder | method | resolution | AUC | AUC, 12 mm | above even "
    lines = [head + "| faithfulness [95 %] | sanity r | s |", "|---" * 9 + "|"]
    for row in rows:
        line = f"| {row['decoder']} | {row['method']} | {row['resolution']} | {row['auc']:.3f} "
        lines.append(line + f"| {row['smooth']:.3f} | {_above(row)}{_judged(row)}")
    return "\n".join(lines)


def _above(row: dict[str, Any]) -> str:
    """Say by which AUC a method is surely above the even map; empty for what is no method."""
    if "above" not in row:
        return ""
    return {0: "**no** ", 2: "both "}.get(len(row["above"])) or f"{row['above'][0]} "


def _judged(row: dict[str, Any]) -> str:
    """Return the last columns of a row; empty where there is no decoder to judge by."""
    if "area" not in row:
        return "| | | |"
    value, low, high = row["area"]
    sanity = "flat" if row["sanity"] is None else f"{row['sanity']:+.2f}"
    return f"| {value:+.3f} [{low:+.3f}, {high:+.3f}] | {sanity} | {row['seconds']:.1f} |"


def missed(rows: list[dict[str, Any]], goal: float) -> list[str]:
    """Return a sentence for each goal that is missed."""
    words = [
        f"{row['decoder']}, {row['method']}: with its weights lost the map still correlates "
        f"{row['sanity']:.2f} with itself (goal < {GOAL_SANITY})"
        for row in rows
        if (row.get("sanity") or 0) >= GOAL_SANITY
    ]
    rows = [row for row in rows if "area" in row]  # what is no method has no goal
    for decoder in dict.fromkeys(row["decoder"] for row in rows):
        own = [row for row in rows if row["decoder"] == decoder]
        best = max(row["auc"] for row in own)
        if best < goal:
            words.append(
                f"{decoder}: the best AUC at a map's own resolution is {best:.3f} (goal ≥ {goal})"
            )
        if max(row["area"][1] for row in own) <= 0:
            words.append(f"{decoder}: no map is surely better than random order")
    return words


if __name__ == "__main__":
    sys.exit(main())
