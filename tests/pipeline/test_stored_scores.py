"""Trainings, studies and maps give the numbers that they gave before: see stored_scores.json.

These are the numbers of commit 3c6f3a2 on the dataset `tiny` (plant --preset tiny --seed 7) with
one thread, rounded to nine digits: each row of scores.json, the differences, each epoch, a digest
of the predictions. Recipes are trained anew from their config.json alone and files are read as
they lie, so that a test here fails for a result, and not for a module that has moved.

Tests allow what other processors round otherwise; on the machine that stored the numbers they are
the same to the last digit. What differs there, and how to store what was changed on purpose:

    python -m pytest tests/pipeline/test_stored_scores.py --basetemp=ANEW
    python -m tests.pipeline.test_stored_scores ANEW/jobs0 [--store]
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import optuna
import pandas as pd
import pytest
from safetensors.numpy import load_file

STORED = Path(__file__).with_name("stored_scores.json")
KNOWN = json.loads(STORED.read_text()) if STORED.is_file() else {}
# one process for all of them: they share the rows of mean and ridge
pytestmark = pytest.mark.xdist_group("stored scores")

PLACE = ("model", "part", "n_averaged", "target", "metric")
VALUES = ("value", "low", "high", "p", "n_trials", "n_concepts", "hits")
VERSUS_VALUES = ("difference", "low", "high", "p")
VERSUS = ("versus", "part", "n_averaged", "target", "metric")
DIGITS = {"low": 6, "high": 6, "p": 6}
EPOCH = ("train_loss", "train_top1", "train_top10", "validation_loss", "validation_r")
EPOCH += ("validation_top1", "validation_top10", "lr", "best")
FACTS = ("best_epoch", "epochs", "best_by", "best_value", "n_parameters", "n_classes")
NETWORKS = {"vit3d", "cnn_vit", "logistic", "mlp", "cnn3d"}
WITH_BATCHNORM = {"cnn_vit", "cnn3d"}


class Room(NamedTuple):
    """By how much a number may differ: in units of itself where that is above 1.

    Measured beside the stored numbers: OpenBLAS for Skylake-X and Sandy Bridge, torch for AVX2 and
    without, and planted data that differ in a float16's last digit in five voxels. Intervals and
    p are order statistics of draws, which jump where two draws are nearly alike.
    """

    point: float
    predicted: float
    """In SDs of the prediction over trials."""
    interval: float = 0.03
    p: float = 0.005
    hits: int = 0


EXACT = Room(1e-9, 1e-9, 1e-9, 1e-9)  # of numbers rounded alike
LINEAR = Room(1e-5, 1e-4)  # measured: 2.4e-6 and 1e-5
LINEAR_OTHER_DATA = Room(1e-4, 1e-3)  # 3e-5 and 3e-4
NETWORK = Room(1e-3, 5e-3, p=0.02, hits=1)  # 1e-4 and 1.3e-3
# a bias before BatchNorm has no gradient but rounding, of which Adam makes steps; ratings feel it
BATCHNORM = Room(3e-3, 0.05, p=0.02, hits=1)  # 1e-3 and 1e-2


# reading a folder


def essence(job: Path) -> dict:
    """Return what a training's result is, without times and machines; its references apart."""
    recipe = told(job / "config.json")
    scores, manifest = told(job / "scores.json"), told(job / "manifest.json")
    name = recipe["model"]["name"]
    own = [row for row in scores["rows"] if row["model"] in {name, "chance"}]
    beside = [row for row in scores["rows"] if row["model"] not in {name, "chance"}]
    curves = {
        "/".join(curve[key] for key in PLACE[:3]): curve["hits"]
        for curve in scores.get("curves", [])
        if curve["model"] == name
    }
    return {
        "recipe": recipe,
        "split": manifest["split"],
        "facts": {key: rounded(manifest[key]) for key in FACTS if key in manifest},
        "epochs": [
            {key: rounded(row[key]) for key in EPOCH if key in row}
            for row in lines(job / "metrics.jsonl")
            if row["kind"] == "epoch"
        ],
        "scores": table(own, PLACE, VALUES),
        "references": table(beside, PLACE, VALUES),
        "differences": table(scores["differences"], VERSUS, VERSUS_VALUES),
        "audit": scores["audit"],
        "hits": curves,
        "predictions": predictions(job / "predictions.parquet"),
    }


def told(path: Path) -> dict:
    """Return a JSON file's content without its checksum and version of format."""
    return {key: v for key, v in json.loads(path.read_text()).items() if key != "crc32"}


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def table(rows: list[dict], place: tuple[str, ...], values: tuple[str, ...]) -> dict[str, list]:
    """Return values by their place, which names a row once."""
    found = {
        "/".join(str(row[key]) for key in place): [
            rounded(row.get(key), DIGITS.get(key, 9)) for key in values
        ]
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def rounded(value: object, digits: int = 9) -> object:
    if not isinstance(value, float):
        return value
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def predictions(path: Path) -> dict:
    """Return a digest: how many rows there are, and of each column mean, SD and first values."""
    frame, found = pd.read_parquet(path), {}
    for name in frame.columns:
        if name.startswith("pred_") or name in {"row", "rank", "p_true"}:
            column = frame[name].astype(float)
            found[name] = [rounded(float(v)) for v in (column.mean(), column.std(), *column[:20])]
    if "top_1" in frame:
        found["top_1"] = list(frame["top_1"][:20])
    return {"n": len(frame), "columns": found}


def study_essence(study: Path) -> dict:
    """Return each candidate's settings and values, and the table of final trainings."""
    storage, searches = f"sqlite:///{study / 'study.sqlite3'}", {}
    for name in (study.name, f"{study.name}-random"):
        found = optuna.load_study(study_name=name, storage=storage).trials
        searches[name] = [
            {
                "index": trial.user_attrs["index"],
                "state": trial.state.name,
                "params": {key: rounded(v) for key, v in sorted(trial.params.items())},
                "value": rounded(trial.value) if trial.values else None,
                "epochs": [rounded(v) for _, v in sorted(trial.intermediate_values.items())],
            }
            for trial in sorted(found, key=lambda trial: trial.user_attrs["index"])
        ]
    rows = told(study / "result.json")["rows"]
    return {
        "recipe": told(study / "config.json"),
        "searches": searches,
        "finals": [plain(row, {"message", "search_seconds", "final_seconds"}) for row in rows],
    }


def plain(found: object, without: set[str]) -> object:
    """Return nested values rounded, without some keys."""
    if isinstance(found, dict):
        return {key: plain(v, without) for key, v in found.items() if key not in without}
    return [plain(v, without) for v in found] if isinstance(found, list) else rounded(found)


def overfitting_essence(study: Path) -> dict:
    """Return the curves of each training."""
    rows = [plain(row, {"seconds", "crc32"}) for row in lines(study / "rows.jsonl")]
    return {"recipe": told(study / "config.json"), "rows": rows}


def map_essence(folder: Path) -> dict:
    """Return sums and percentiles of each map, and of how many trials it is."""
    facts, found = told(folder / "facts.json"), {}
    for path in sorted(folder.glob("*.safetensors")):
        values = load_file(path)["values"].astype(float)
        parts = (values.sum(), np.abs(values).sum(), (values**2).sum())
        parts += tuple(np.percentile(values, (0, 5, 25, 50, 75, 95, 100)))
        found[path.stem] = {
            "n_trials": facts["made"][path.stem]["n_trials"],
            "shape": list(values.shape),
            "parts": [rounded(float(part)) for part in parts],
        }
    return found


# making it anew


@pytest.fixture(autouse=True)
def _small():
    """Draw as many permutations as a user's trainings do, not the few of this room's tests."""


@pytest.fixture(scope="module")
def anew(tiny, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield Anew(tiny, tmp_path_factory.mktemp("jobs"), patch)


class Anew:
    """A jobs folder in which what is asked for is made once."""

    def __init__(self, datasets: Path, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root = root
        patch.setenv("THINGSVIZ_DATA", str(datasets))
        patch.setenv("THINGSVIZ_JOBS", str(root))
        patch.setenv("THINGSVIZ_THREADS", "1")
        # as a user's trainings draw, whatever a test before this one has left
        patch.setattr("thingsviz.analysis.scores.resampling.N_DRAWS", 1000)
        patch.delenv("THINGSVIZ_DERIVATIVES", raising=False)
        store = datasets / "tiny" / "derivatives" / "thingsviz" / "sub-01" / "manifest.json"
        self.fingerprint = told(store)["fingerprint"]
        self.same_data = self.fingerprint == KNOWN.get("dataset_fingerprint")

    def job(self, name: str) -> Path:
        """Train a stored recipe, unless it was."""
        path = self.root / name
        return path if path.exists() else self.run("train", path, KNOWN["jobs"][name]["recipe"])

    def study(self) -> Path:
        return self.run("tune", self.root / ".studies" / "study", KNOWN["study"]["recipe"])

    def overfitting(self) -> Path:
        path = self.root / ".overfitting" / f"{self.fingerprint[:16]}-concepts"
        return self.run("overfitting", path, KNOWN["overfitting"]["recipe"])

    def maps(self, name: str) -> Path:
        job = self.job(name)
        methods = ",".join(KNOWN["maps"][name])
        assert command("maps", str(job), "--part", "test", "--methods", methods) == 0
        return job / "maps" / "test--all"

    def run(self, module: str, path: Path, recipe: dict) -> Path:
        path.mkdir(parents=True)
        (path / "config.json").write_text(json.dumps(recipe))
        assert command(module, str(path)) == 0
        return path


def command(module: str, *arguments: str) -> int:
    """Do what `python -m thingsviz.commands.NAME` does, or by its old name thingsviz.jobs.NAME."""
    places = ("thingsviz.commands", "thingsviz.jobs")
    place = next(place for place in places if find_spec(place))
    return import_module(f"{place}.{module}").main(list(arguments))


# comparing


def differing(ours: object, known: object, room: Room, where: str = "") -> list[str]:
    """Return a line for each value that differs; `room` says what may, by the value's place."""
    if isinstance(known, dict) and isinstance(ours, dict):
        gone = [f"{where}/{key} is gone" for key in known if key not in ours]
        new = [f"{where}/{key} is new" for key in ours if key not in known]
        both = [key for key in known if key in ours]
        return gone + new + flat(differing(ours[k], known[k], room, f"{where}/{k}") for k in both)
    if isinstance(known, list) and isinstance(ours, list):
        if len(ours) != len(known):
            return [f"{where}: {len(known)} values, now {len(ours)}"]
        return flat(
            differing(a, b, room, f"{where}[{i}]")
            for i, (a, b) in enumerate(zip(ours, known, strict=True))
        )
    if is_number(ours) and is_number(known):
        off, may = abs(ours - known), room.point * max(1, abs(known))
        return [said(where, ours, known)] if off > may else []
    return [] if ours == known else [said(where, ours, known)]


def said(where: str, ours: object, known: object) -> str:
    return f"{where}: {known!r}, now {ours!r}"


def flat(found) -> list[str]:
    return [line for lines in found for line in lines]


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def differing_rows(ours: dict, known: dict, room: Room, names: tuple[str, ...]) -> list[str]:
    """Compare tables: counts are the same, points and intervals as near as `room` says."""
    found = [f"{place} is gone" for place in known if place not in ours]
    found += [f"{place} is new" for place in ours if place not in known]
    for place in known.keys() & ours.keys():
        rows = dict(zip(names, zip(ours[place], known[place], strict=True), strict=True))
        may = room_of_row(place, rows, room)
        for name, (a, b) in rows.items():
            where = f"{place} {name}"
            if not (is_number(a) and is_number(b)):
                found += [said(where, a, b)] if a != b else []
            elif abs(a - b) > may.get(name, 0) * (1 if name in {"p", "hits"} else max(1, abs(b))):
                found.append(said(where, a, b))
    return sorted(found)


def room_of_row(place: str, rows: dict, room: Room) -> dict[str, float]:
    may = dict.fromkeys(("value", "difference"), room.point)
    may |= {"low": room.interval, "high": room.interval, "p": room.p, "hits": room.hits}
    metric, hits = place.rsplit("/", 1)[1], rows.get("hits", (None, None))
    if room.hits and (metric.startswith("top") or metric == "mean_rank"):
        # one trial more or less, and what follows from it
        n = rows["n_trials"][1] if "n_trials" in rows else 8
        step = 1 if metric == "mean_rank" else 1 / n
        may |= {"value": step, "difference": step, "p": 1, "low": 1, "high": 1}
        if hits[0] == hits[1] and hits[0] is not None:
            may |= {"value": room.point, "low": room.interval, "high": room.interval}
    return may


def differing_predictions(ours: dict, known: dict, room: Room) -> list[str]:
    if (ours["n"], ours["columns"].keys()) != (known["n"], known["columns"].keys()):
        return [
            said("predictions", (ours["n"], [*ours["columns"]]), (known["n"], [*known["columns"]]))
        ]
    found = []
    for name, values in known["columns"].items():
        mine = ours["columns"][name]
        if name in {"rank", "top_1"} and room.hits:
            continue  # their hits are among the scores
        sd = values[1] if name.startswith("p") else 1
        may = {"row": 0, "rank": room.point, "top_1": 0}.get(name, room.predicted * (sd or 1))
        for i, (a, b) in enumerate(zip(mine, values, strict=True)):
            if (abs(a - b) > may) if is_number(a) and is_number(b) else a != b:
                found.append(said(f"predictions/{name}[{i}]", a, b))
    return found


def differing_job(ours: dict, known: dict, room: Room, beside: Room) -> list[str]:
    """Return a line for each number of a training that differs from the stored one."""
    found = []
    for part in ("recipe", "split", "facts", "epochs", "audit"):
        found += differing(ours[part], known[part], room, part)
    found += differing_rows(ours["scores"], known["scores"], room, VALUES)
    found += [
        f"references/{d}"
        for d in differing_rows(ours["references"], known["references"], beside, VALUES)
    ]
    found += [
        f"versus {d}"
        for d in differing_rows(ours["differences"], known["differences"], room, VERSUS_VALUES)
    ]
    found += differing(ours["hits"], known["hits"], room._replace(point=room.hits), "hits")
    return found + differing_predictions(ours["predictions"], known["predictions"], room)


def differing_maps(ours: dict, known: dict, room: Room) -> list[str]:
    """Compare maps; a percentile counts in units of the largest value."""
    found = differing(
        {k: v["shape"] for k, v in ours.items()}, {k: v["shape"] for k, v in known.items()}, room
    )
    for name in known.keys() & ours.keys():
        a, b = (np.array(one[name]["parts"]) for one in (ours, known))
        size = np.concatenate(
            [np.maximum(np.abs(b[:3]), b[1] / 1000), np.full(len(b) - 3, np.abs(b[3:]).max())]
        )
        off = np.abs(a - b) > room.point * size
        found += [said(f"{name}[{i}]", a[i], b[i]) for i in np.flatnonzero(off)]
        if ours[name]["n_trials"] != known[name]["n_trials"]:
            found.append(said(name, ours[name]["n_trials"], known[name]["n_trials"]))
    return found


def rooms(recipe: dict, *, same_data: bool) -> tuple[Room, Room]:
    """Return the room of a model's own numbers, and of the linear decoders beside it."""
    name, linear = recipe["model"]["name"], LINEAR if same_data else LINEAR_OTHER_DATA
    if name not in NETWORKS:
        return linear, linear
    rough = name in WITH_BATCHNORM and recipe["learns"] == "ratings"
    return BATCHNORM if rough else NETWORK, linear


def known_job(name: str) -> dict:
    job = KNOWN["jobs"][name]
    return job | {"references": KNOWN["references"][job["references"]]}


# the tests


def explained(found: list[str]) -> str:
    return "\n".join([f"{len(found)} numbers differ", *found[:20]])


@pytest.mark.parametrize("name", KNOWN.get("jobs", ()))
def test_a_training_gives_what_it_gave(name, anew):
    known = known_job(name)
    own, beside = rooms(known["recipe"], same_data=anew.same_data)
    found = differing_job(essence(anew.job(name)), known, own, beside)
    assert not found, explained(found)


def test_a_study_gives_what_it_gave(anew):
    found = differing(study_essence(anew.study()), KNOWN["study"], NETWORK)
    found = [line for line in found if not re.search("/(low|high): ", line)]
    assert not found, explained(found)


def test_overfitting_gives_what_it_gave(anew):
    ours, known = overfitting_essence(anew.overfitting()), KNOWN["overfitting"]
    for a, b in zip(ours["rows"], known["rows"], strict=True):
        for key in ("validation_top1", "validation_top10"):
            if not differing(a[key], b[key], NETWORK._replace(point=1.01 / b["n_validation"])):
                a[key] = b[key]  # one trial more or less
    found = differing(ours, known, BATCHNORM)
    assert not found, explained(found)


@pytest.mark.parametrize("name", KNOWN.get("maps", ()))
def test_maps_give_what_they_gave(name, anew):
    own, _ = rooms(known_job(name)["recipe"], same_data=anew.same_data)
    found = differing_maps(map_essence(anew.maps(name)), KNOWN["maps"][name], own)
    assert not found, explained(found)


@pytest.mark.parametrize(
    ("name", "part", "change"),
    [
        ("ridge", "split", {"seed": 4}),
        ("vit", "fit", {"seed": 4}),
        ("logistic", "fit", {"batch_size": 17}),
        ("lda-concepts", "model", {"n_components": 19}),
    ],
)
def test_another_recipe_gives_other_numbers(name, part, change, anew):
    """That the room is not too wide: what changes a result is seen."""
    known = known_job(name)
    recipe = known["recipe"] | {part: known["recipe"][part] | change}
    job = anew.run("train", anew.root / f"{name}-other", recipe)
    own, beside = rooms(recipe, same_data=anew.same_data)
    found = differing_job(essence(job), known, own, beside)
    assert len([line for line in found if not line.startswith("recipe")]) > 10


# storing


def main() -> int:
    """Say what differs in a jobs folder from what is stored, to the last digit; or store it."""
    parser = argparse.ArgumentParser(prog="python -m tests.pipeline.test_stored_scores")
    parser.add_argument("jobs", type=Path, help="a jobs folder that this module has filled")
    parser.add_argument("--store", action="store_true", help="store its numbers")
    options = parser.parse_args()
    ours = gathered(options.jobs)
    found = exact(ours) if KNOWN else ["nothing is stored"]
    sys.stdout.write("\n".join(found or ["every number is as it was"]) + "\n")
    if options.store:
        STORED.write_text(written(ours))
    return bool(found) and not options.store


def gathered(root: Path) -> dict:
    """Return what a jobs folder holds, in the form in which it is stored."""
    names = [path.parent.name for path in sorted(root.glob("*/scores.json"))]
    jobs = {name: essence(root / name) for name in names if not name.endswith("-other")}
    jobs = {name: job for name, job in jobs.items() if job["recipe"]["study"] is None}
    manifest, references = told(root / next(iter(jobs)) / "manifest.json"), []
    for job in jobs.values():
        if job["references"] not in references:
            references.append(job["references"])
        job["references"] = references.index(job["references"])
    (overfitting,) = (root / ".overfitting").glob("*-concepts")
    maps = {name: root / name / "maps" / "test--all" for name in jobs}
    return {
        "dataset_fingerprint": manifest["dataset_fingerprint"],
        "versions": manifest["versions"],
        "columns": {"scores": VALUES, "differences": VERSUS_VALUES},
        "jobs": jobs,
        "references": references,
        "study": study_essence(root / ".studies" / "study"),
        "overfitting": overfitting_essence(overfitting),
        "maps": {name: map_essence(path) for name, path in maps.items() if path.is_dir()},
    }


def exact(ours: dict) -> list[str]:
    """Return a line for each number that is not the stored one."""
    found = []
    for part in ("jobs", "study", "overfitting", "maps"):
        mine, theirs = ours[part], KNOWN[part]
        if part == "jobs":
            mine, theirs = (
                {
                    n: job | {"references": all_["references"][job["references"]]}
                    for n, job in all_["jobs"].items()
                }
                for all_ in (ours, KNOWN)
            )
        found += differing(mine, theirs, EXACT, part)
    return found


def written(found: dict) -> str:
    """Return JSON with a row a line."""
    text = json.dumps(found, indent=1)
    return re.sub(r"\[[^\[\]{}]*\]", lambda row: re.sub(r"\s*\n\s*", " ", row[0]), text) + "\n"


if __name__ == "__main__":
    sys.exit(main())
