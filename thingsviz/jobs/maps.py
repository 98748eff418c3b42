"""Command: make the maps of a finished job, and judge them, in the background of the app."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import torch

from models.errors import ModelError
from thingsviz.analysis import maps_faithful
from thingsviz.analysis.parcellation import by_name
from thingsviz.core.errors import EXIT_BAD_INPUT, ConfigError, JobError, ThingsvizError
from thingsviz.core.progress import Progress, Report
from thingsviz.inference.decoder import Decoder, open_decoder
from thingsviz.inference.judging import (
    RANDOM,
    block_values,
    judge_faithfulness,
    judge_permuted,
    judge_sanity,
)
from thingsviz.inference.method_list import METHODS, SHARES
from thingsviz.inference.methods import (
    Found,
    check_method,
    compute,
    methods_for,
    peak_bytes,
)
from thingsviz.inference.permuted import permuted_network, seconds_of
from thingsviz.jobs.engine.console import Console
from thingsviz.jobs.folder.store import JobFolder
from thingsviz.jobs.mapping.asked import (
    asked_rows,
    default_methods,
    output_names,
    rows_of,
    target_index,
)
from thingsviz.jobs.mapping.epochs import EpochMaps
from thingsviz.jobs.mapping.files import ALL, MapSet
from thingsviz.jobs.mapping.film import make_film, place_of
from thingsviz.jobs.mapping.truth import pattern_rows, truth_rows
from thingsviz.jobs.training.fitting import default_threads
from thingsviz.jobs.training.material import Rows

EXIT_INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        with Console("maps", arguments.progress) as report:
            made = make(arguments, report)
            report(Progress(1, 1, f"{len(made)} maps of {arguments.part} are made"))
    except (ThingsvizError, ModelError) as error:
        print(f"maps: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except OSError as error:
        place = error.filename or arguments.job
        print(f"maps: {str(place)!r} cannot be used: {error.strerror or error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print("maps: interrupted; the maps that were made are kept", file=sys.stderr)
        return EXIT_INTERRUPTED
    print(f"{', '.join(made)}: in {made_in(arguments).path}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="thingsviz.jobs.maps", description=__doc__)
    add = parser.add_argument
    add("job", type=Path, help="folder of a finished job")
    add("--part", default="test", help="test, validation, exemplars, row-17 or concept-dog")
    add("--target", default=ALL, help="one output, such as heavy (default: all of them)")
    add("--methods", default="", help="methods, with commas between (default: all that fit)")
    add("--regions", default="", help="a parcellation of your own, by name, to leave out")
    add(
        "--permuted",
        action="store_true",
        help="only train a network on permuted labels and compare",
    )
    add("--epochs", action="store_true", help="maps of the epochs whose weights were kept")
    add("--film", default="", metavar="LAYER,HEAD", help="with --epochs: also a GIF of this head")
    add("--judge", action="store_true", help="also judge the maps: faithfulness, sanity, truth")
    add("--progress", type=Path, help=argparse.SUPPRESS)
    return parser


def made_in(arguments: argparse.Namespace) -> MapSet:
    """Return the set of maps that a command is about."""
    kind = EpochMaps if arguments.epochs else MapSet
    return kind(JobFolder(arguments.job.absolute()), arguments.part, arguments.target)


def make(arguments: argparse.Namespace, report: Report) -> list[str]:
    """Make and keep the maps; return the methods' names."""
    torch.set_num_threads(default_threads())
    there = made_in(arguments)
    report(Progress(0, 1, "opening the job and its data"))
    decoder = open_decoder(there.job)
    if arguments.regions:
        material = decoder.material
        decoder.named = by_name(material.dataset, material.store, arguments.regions)
    rows = rows_of(decoder, there.part)
    target = target_index(decoder, there.target)
    if arguments.permuted:
        return judge_labels(there, decoder, target, report)
    methods = [m for m in arguments.methods.split(",") if m]
    if isinstance(there, EpochMaps):
        films = [place_of(arguments.film)] if arguments.film else []
        return make_film(there, decoder, methods, target, films, report)
    methods = methods or default_methods(decoder, rows)
    for name in methods:
        check_method(decoder, name)
        check_memory(decoder, name)
    fingerprint = decoder.fingerprint()
    if there.facts().get("fingerprint") not in (None, fingerprint):
        there.forget()
    found = {}
    for n, name in enumerate(methods):
        began = time.monotonic()
        asked = asked_rows(decoder, name, rows)
        found[name] = compute(decoder, name, asked, target, within(report, n, len(methods) + 2))
        there.save(name, found[name].values, fingerprint)
        note_made(there, decoder, found[name], time.monotonic() - began)
    if arguments.judge and len(rows) > 1:
        judge(there, decoder, found, rows, target, within(report, len(methods), len(methods) + 2))
    return methods


def check_memory(decoder: Decoder, name: str) -> None:
    """Refuse a method that needs more memory than the machine has free, before it starts."""
    needed, free = peak_bytes(decoder, name), psutil.virtual_memory().available
    if needed > 0.8 * free:
        msg = (
            f"the map {name!r} needs about {needed / 2**30:.1f} GB, but {free / 2**30:.1f} GB "
            "are free: choose another method, or close something"
        )
        raise JobError(msg)


def note_made(there: MapSet, decoder: Decoder, found: Found, seconds: float) -> None:
    """Write down what a map is of."""
    from models import collect

    facts = there.facts()
    made = facts.get("made", {})
    made[found.method] = {
        "n_trials": found.n_trials,
        "seconds": round(seconds, 2),
        "shape": list(found.values.shape),
        "peak_bytes": peak_bytes(decoder, found.method),
        "regions": decoder.regions.source if found.method == "occlusion_region" else "",
    }
    has_attention = decoder.network is not None and decoder.n_layers
    there.add_facts(
        fingerprint=decoder.fingerprint(),
        made=made,
        model=decoder.material.config.model.name,
        methods=methods_for(decoder),
        outputs=output_names(decoder),
        n_layers=decoder.n_layers,
        n_heads=decoder.n_heads,
        n_tokens=decoder.tokens.n_tokens,
        read_out=collect.read_out(decoder.network) if has_attention else "",  # type: ignore[arg-type]
        token_note=decoder.tokens.note,
        made_at=time.time(),
    )
    there.save_tokens(decoder.tokens)


def judge(
    there: MapSet,
    decoder: Decoder,
    found: dict[str, Found],
    rows: Rows,
    target: int | None,
    report: Report,
) -> None:
    """Judge the maps and write the judgement."""
    blocks = {name: block_values(decoder, one) for name, one in found.items()}
    curves = judge_faithfulness(decoder, blocks, rows, report)
    there.add_facts(faithfulness=faithfulness_rows(curves, list(found)))
    there.add_facts(truth=truth_rows(decoder, found))
    if decoder.network is not None:
        there.add_facts(permuted_seconds=seconds_of(decoder.material))
    sanity = {}
    for name in found:
        sanity[name] = [s._asdict() for s in judge_sanity(decoder, name, rows, target, report)]
        there.add_facts(sanity=sanity)


def judge_labels(there: MapSet, decoder: Decoder, target: int | None, report: Report) -> list[str]:
    """Train a network on permuted labels; write how alike its maps are to those that are there."""
    methods = there.methods()
    if decoder.network is None or not methods:
        msg = "permuted labels are asked of a network whose maps are made: make them first"
        raise ConfigError(msg)
    other = permuted_network(decoder, report)
    found: dict[str, float] = {}
    for name in methods:
        asked = pattern_rows(decoder) if name in SHARES else rows_of(decoder, there.part)
        found |= judge_permuted(decoder, other, [name], asked, target)
        report(Progress(len(found), len(methods), f"{METHODS[name].title}, permuted labels"))
        there.add_facts(permuted=found)
    return methods


def faithfulness_rows(curves: maps_faithful.Curves, methods: Sequence[str]) -> dict[str, Any]:
    """Return curves and areas as plain values."""
    names = [RANDOM, *[n for n in curves.deletion if n != RANDOM]]
    judged = {name: maps_faithful.faithfulness(curves, name, RANDOM) for name in names}
    return {
        "shares": list(curves.shares),
        "deletion": {n: curves.deletion[n][0].tolist() for n in names},
        "insertion": {n: curves.insertion[n][0].tolist() for n in names},
        "areas": {
            n: {
                "deletion": list(judged[n].deletion),
                "insertion": list(judged[n].insertion),
                "comprehensiveness": judged[n].comprehensiveness,
            }
            for n in names[1:]
        },
        "methods": list(methods),
    }


def within(report: Report, n: int, of: int) -> Report:
    """Report the n-th of several pieces of work as a share of all."""

    def tell(progress: Progress) -> None:
        share = progress.done / progress.total if progress.total else 0.0
        report(Progress(math.floor(1000 * (n + min(share, 1.0))), 1000 * of, progress.message))

    return tell


if __name__ == "__main__":
    sys.exit(main())
