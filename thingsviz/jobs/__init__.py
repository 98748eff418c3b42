"""What a job is on disk: its recipe, its folder, its files, and the list of all of them."""

from pathlib import Path

# saved sbatch files, units and scripts start `python -m thingsviz.jobs.train` and its siblings
__path__.append(str(Path(__file__).parent / "old_names"))
