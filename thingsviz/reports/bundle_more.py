"""What may travel with a job beside its own files, where that is wished: its maps, kept epochs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from thingsviz.core.errors import JobError, ThingsvizError
from thingsviz.explain.map_files import PART, TARGET, TOKENS, EpochMaps, map_sets
from thingsviz.explain.map_methods import METHODS
from thingsviz.jobs.job_folder import JobFolder

MAPS, EPOCHS = "maps", "epochs"
WORDS = {MAPS: "maps", EPOCHS: "kept epochs"}
FACTS = "facts.json"
OF_EPOCHS = "maps/epochs/"
KEPT = re.compile(r"checkpoints/epoch-\d{5}\.safetensors", re.ASCII)
# a layer, head or token more than any model of ours has would only be there to fill the memory
MOST_PLACES = 1_000_000
COUNTS = ("n_layers", "n_heads", "n_tokens")
BY_METHOD = ("made", "faithfulness", "truth", "sanity", "permuted")


def kind_of(name: str) -> str | None:
    """Return to which of WORDS a file of a job folder belongs by its name; None to none."""
    if KEPT.fullmatch(name):
        return EPOCHS
    parts = name.removeprefix(OF_EPOCHS).split("/")
    if not name.startswith(OF_EPOCHS):
        parts = parts[1:] if parts[0] == "maps" else []
    if len(parts) != 2 or not _is_set(parts[0]):
        return None
    known = {FACTS, TOKENS, *[f"{method}.safetensors" for method in METHODS]}
    return MAPS if parts[1] in known else None


def _is_set(folder: str) -> bool:
    part, _, target = folder.partition("--")
    return bool(PART.fullmatch(part) and TARGET.fullmatch(target))


def more_files(job: JobFolder, kinds: Iterable[str]) -> list[str]:
    """Return the names of a job's files of these kinds, relative to its folder."""
    wanted, found = set(kinds), []
    for top in ("checkpoints", "maps"):
        for path in sorted(job.file(top).rglob("*")):
            name = path.relative_to(job.path).as_posix()
            if kind_of(name) in wanted and path.is_file() and not path.is_symlink():
                found.append(name)
    return found


def size_of(job: JobFolder, kind: str) -> int:
    """Return how many bytes a job's files of a kind have; 0: there are none."""
    return sum(job.file(name).stat().st_size for name in more_files(job, [kind]))


def check_maps(job: JobFolder) -> None:
    """Read each map of a job once; JobError for what no page could show."""
    for there in [*map_sets(job), *map_sets(job, EpochMaps)]:
        try:
            _check_facts(there.facts())
            there.tokens()
            for method in there.methods():
                there.load(method)
        except (ThingsvizError, ValueError, KeyError, IndexError, TypeError) as error:
            msg = f"the maps of {there.part} cannot be shown ({error})"
            raise JobError(msg) from None


def _check_facts(facts: dict[str, Any]) -> None:
    """Refuse facts whose kinds are not those that are written; ValueError says which."""
    for key in BY_METHOD:
        if not isinstance(facts.get(key) or {}, dict):
            msg = f"{key} should hold a row a method"
            raise ValueError(msg)
    for key in COUNTS:
        if not 0 <= int(facts.get(key) or 0) <= MOST_PLACES:
            msg = f"{key} is {facts[key]}"
            raise ValueError(msg)
    for epoch in facts.get("epochs") or []:
        int(epoch)
