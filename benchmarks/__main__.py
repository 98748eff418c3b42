"""Lists the benchmarks, one line each, or runs one: `python -m benchmarks access [...]`."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from types import ModuleType

import benchmarks


def found() -> dict[str, ModuleType]:
    """Return every module of this folder that has a main."""
    names = [module.name for module in pkgutil.iter_modules(benchmarks.__path__)]
    modules = {
        name: importlib.import_module(f"benchmarks.{name}") for name in names if name[0] != "_"
    }
    return {name: module for name, module in modules.items() if hasattr(module, "main")}


def main(argv: list[str] | None = None) -> int:
    """List, or run one with the arguments behind its name."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments:
        known = found()
        if arguments[0] not in known:
            print(f"there is no benchmark {arguments[0]!r}: {', '.join(known)}", file=sys.stderr)
            return 2
        return int(known[arguments[0]].main(arguments[1:]))
    print("python -m benchmarks NAME [--help]")
    for name, module in found().items():
        print(f"  {name:12s} {(module.__doc__ or '').strip().splitlines()[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
