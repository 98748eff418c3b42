"""Command: make the maps of a finished job, and judge them, in the background of the app."""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path

import psutil
import torch

from models.base.errors import ModelError
from thingsviz.analysis.regions.parcellation import by_name
from thingsviz.core.errors import EXIT_BAD_INPUT, JobError, ThingsvizError
from thingsviz.core.progress import Progress, Report
from thingsviz.explain.decoder import Decoder, open_decoder
from thingsviz.explain.judgement import judge, judge_labels, keep_map, kept_map, maker
from thingsviz.explain.map_files import ALL, EpochMaps, MapSet
from thingsviz.explain.methods import MethodMap, check_method, compute, methods_for, peak_bytes
from thingsviz.explain.request import (
    Request,
    asked_rows,
    default_methods,
    output_names,
    rows_of,
    target_index,
)
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.pipeline.fit import default_threads
from thingsviz.queue.progress_bar import ProgressBar
from thingsviz.reports.film import make_film, place_of

EXIT_INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        with ProgressBar("maps", arguments.progress) as report:
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
    parser = argparse.ArgumentParser(prog="thingsviz.commands.maps", description=__doc__)
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
    add("--anew", action="store_true", help="make maps again that are there already")
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
    request, found = Request(rows, target, fingerprint), {}
    for n, name in enumerate(methods):
        kept = None if arguments.anew else kept_map(there, decoder, name, fingerprint)
        tell = within(report, n, len(methods) + 2)
        found[name] = kept or make_one(there, decoder, name, request, tell)
    there.save_tokens(decoder.tokens)  # whatever became of the file
    if arguments.judge and len(rows) > 1:
        judge(there, decoder, found, rows, target, within(report, len(methods), len(methods) + 2))
    return methods


def make_one(
    there: MapSet, decoder: Decoder, name: str, request: Request, report: Report
) -> MethodMap:
    """Make and keep a method's map."""
    began = time.monotonic()
    rows = asked_rows(decoder, name, request.rows)
    found = compute(decoder, name, rows, request.target, report)
    keep_map(there, name, found.values, request.fingerprint)
    note_made(there, decoder, found, time.monotonic() - began, request.fingerprint)
    return found


def check_memory(decoder: Decoder, name: str) -> None:
    """Refuse a method that needs more memory than the machine has free, before it starts."""
    needed, free = peak_bytes(decoder, name), psutil.virtual_memory().available
    if needed > 0.8 * free:
        msg = (
            f"the map {name!r} needs about {needed / 2**30:.1f} GB, but {free / 2**30:.1f} GB "
            "are free: choose another method, or close something"
        )
        raise JobError(msg)


def note_made(
    there: MapSet, decoder: Decoder, found: MethodMap, seconds: float, fingerprint: str
) -> None:
    """Write down what a map is of."""
    from models.explain import attention_maps

    facts = there.facts()
    made = facts.get("made", {})
    made[found.method] = {
        "n_trials": found.n_trials,
        "seconds": round(seconds, 2),
        "shape": list(found.values.shape),
        "peak_bytes": peak_bytes(decoder, found.method),
        **maker(decoder, found.method),
    }
    has_attention = decoder.network is not None and decoder.n_layers
    there.add_facts(
        fingerprint=fingerprint,
        made=made,
        model=decoder.material.config.model.name,
        methods=methods_for(decoder),
        outputs=output_names(decoder),
        n_layers=decoder.n_layers,
        n_heads=decoder.n_heads,
        n_tokens=decoder.tokens.n_tokens,
        read_out=attention_maps.read_out(decoder.network) if has_attention else "",  # type: ignore[arg-type]
        token_note=decoder.tokens.note,
        made_at=time.time(),
    )
    there.save_tokens(decoder.tokens)


def within(report: Report, n: int, of: int) -> Report:
    """Report the n-th of several pieces of work as a share of all."""

    def tell(progress: Progress) -> None:
        share = progress.done / progress.total if progress.total else 0.0
        report(Progress(math.floor(1000 * (n + min(share, 1.0))), 1000 * of, progress.message))

    return tell


if __name__ == "__main__":
    sys.exit(main())
