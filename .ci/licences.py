"""The licences of all that the app installs, as a table; exits 1 where one is unknown or unfit.

    python .ci/licences.py            prints the table
    python .ci/licences.py --check    prints only what is wrong

A licence is fit if whoever runs the app need not publish anything. One that is not is named here
with what it means; README says it too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

REQUIREMENTS = Path(__file__).parents[1] / "requirements.txt"
FIT = re.compile(
    r"MIT|BSD|Apache|PSF|Python Software Foundation|MPL|Mozilla Public|ISC|Zlib|Unlicense|CC0|HPND"
    r"|CC-BY-SA-4\.0|BSL-1\.0|OSI Approved"
)
KNOWN = {
    "stpyvista": "GPL-3: handing thingsviz on together with it puts the whole under the GPL-3",
}


def main(argv: list[str]) -> int:
    """Print the table or its faults; returns the exit code."""
    found = {name: licence_of(package) for name, package in sorted(installed().items())}
    bad = {n: text for n, text in found.items() if not FIT.search(text) and n not in KNOWN}
    if "--check" not in argv:
        print("| package | licence |\n|---|---|")
        for name, text in found.items():
            print(f"| {name} | {text}{f' ({KNOWN[name]})' if name in KNOWN else ''} |")
    for name, text in bad.items():
        print(f"{name}: {text!r} is new here, add it to FIT or KNOWN", file=sys.stderr)
    print(f"{len(found)} packages, {len(bad)} with a licence to look at", file=sys.stderr)
    return 1 if bad else 0


def installed() -> dict[str, Distribution]:
    """Return what requirements.txt asks for and what those ask for, by name."""
    found: dict[str, Distribution] = {}
    waiting = list(asked_for(REQUIREMENTS.read_text()))
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # for another system
            continue
        needs = map(Requirement, found[name].requires or [])
        waiting += [r.name for r in needs if not r.marker or r.marker.evaluate({"extra": ""})]
    return found


def asked_for(text: str) -> Iterator[str]:
    """Yield the names in a requirements file."""
    for line in text.splitlines():
        wanted = line.split("#")[0].strip()
        if wanted:
            yield Requirement(wanted).name


def licence_of(package: Distribution) -> str:
    """Return what a package says of its licence, the newest way of saying it first."""
    told = package.metadata
    classified = [
        text.split(" :: ")[-1]
        for text in told.get_all("Classifier") or []
        if text.startswith("License ::")
    ]
    free_text = (told.get("License") or "not said").splitlines()[0][:60]
    return told.get("License-Expression") or "; ".join(classified) or free_text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
