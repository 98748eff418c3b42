"""What a job is on disk: its recipe, its folder, its files, and the list of all of them."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

# saved sbatch files, units and scripts start `python -m thingsviz.jobs.train` and its siblings
__path__.append(str(Path(__file__).parent / "old_names"))


class _JobsPackage(ModuleType):
    """Lets notebooks say `tv.jobs()`.

    A function of that name would hide this package, or be hidden by it, as imports happen to go.
    """

    def __call__(self) -> Any:  # noqa: ANN401
        """List all jobs, as `tv.list_jobs()`."""
        return import_module("thingsviz").list_jobs()


sys.modules[__name__].__class__ = _JobsPackage
