"""The ten lines of the README train without the app."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
SCRIPT = """\
from thingsviz.commands import train
from thingsviz.jobs.recipe import JobConfig
from thingsviz.jobs.job_folder import create_job
from models import FitConfig, ViT3DConfig

model = ViT3DConfig(tokens="brain", patch_embedding="local", embed_dim=64, n_layers=2, n_heads=4)
job = create_job(JobConfig(name="my-vit", dataset="demo", model=model, fit=FitConfig(epochs=8)))
train.main([str(job.path)])
scores = job.scores().query("part == 'test' and metric == 'r' and target == 'mean'")
print(scores[["model", "n_averaged", "value", "low", "high", "p"]])
"""


def test_the_readme_prints_its_ten_lines():
    assert len(SCRIPT.splitlines()) == 10
    assert f"```python\n{SCRIPT}```" in (REPO / "README.md").read_text()


@pytest.mark.slow
def test_the_script_trains(tiny, tmp_path):
    text = SCRIPT.replace('"demo"', '"tiny"').replace("epochs=8", "epochs=1, batches_per_epoch=2")
    path = tmp_path / "train.py"
    path.write_text(text)
    env = {**os.environ, "PYTHONPATH": str(REPO), "THINGSVIZ_DATA": str(tiny)}
    env["THINGSVIZ_JOBS"] = str(tmp_path / "jobs")
    done = subprocess.run(
        [sys.executable, str(path)],
        env=env,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for model in ("vit3d", "ridge", "mean", "chance", "ceiling", "oracle"):
        assert re.search(rf"\b{model}\b +(single|mean of 4)", done.stdout), (model, done.stdout)
