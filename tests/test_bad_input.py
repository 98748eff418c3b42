"""Bad input over all doors: each gets one sentence with what to do, and nothing is left behind."""

from __future__ import annotations

import gzip
import importlib
import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from models.base.errors import ModelError
from models.catalog.config import parse_model
from models.training.config import parse_fit
from thingsviz.core.errors import ThingsvizError
from thingsviz.data.things.layout import open_dataset
from thingsviz.jobs.job_folder import open_job
from thingsviz.jobs.recipe import parse_config
from thingsviz.ui.access.policy import read_policy

GOOD = {"name": "job", "dataset": "tiny", "model": {"name": "ridge"}}
VIT = {"name": "vit3d", "patch_size": [6, 7, 5]}


def command(name: str, arguments: list[str], capsys) -> tuple[int, str]:
    """Run a command of the project as a shell would; returns its code and what it said."""
    module = importlib.import_module(f"thingsviz.commands.{name}")
    try:
        code = module.main(arguments)
    except SystemExit as end:
        code = int(end.code)
    said = capsys.readouterr().err
    lines = said.splitlines()
    if "usage: " in said:  # argparse repeats how it is used before its sentence
        lines = [line for line in lines if "error: " in line]
    return code, "\n".join(lines)


def write(path: Path, content: bytes | str | dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, dict):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def evil_zip(name: str, *, link: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        info = zipfile.ZipInfo(name)
        info.external_attr = (0o120777 if link else 0o100644) << 16
        file.writestr(info, "/etc/passwd")
    return out.getvalue()


# door, arguments (JOBS and DATA stand for the folders), files to put there first, words expected
COMMANDS = [
    ("simulate", ["JOBS/x", "--seed", "abc"], {}, "invalid int value: 'abc'"),
    ("simulate", ["JOBS/x", "--seed", "-1"], {}, "seed"),
    ("simulate", ["JOBS/x", "--preset", "huge"], {}, "tiny"),
    ("simulate", ["JOBS/x", "--snr", "-2"], {}, "snr"),
    ("simulate", ["JOBS/x", "--snr", "nan"], {}, "snr"),
    ("simulate", ["JOBS/x", "--response", "cubic"], {}, "linear"),
    ("simulate", ["JOBS/x", "--preset", "tiny", "--images", "JOBS/none"], {}, "none"),
    ("simulate", ["JOBS/x", "--preset", "tiny", "--design", "JOBS/none"], {}, "none"),
    ("simulate", ["JOBS/x", "--preset", "tiny", "--ratings", "JOBS/none"], {}, "none"),
    ("prepare", ["JOBS/none"], {}, "none"),
    ("prepare", ["DATA/tiny", "--subject", "sub-99"], {}, "sub-99"),
    ("prepare", ["DATA/tiny", "--subject", "../../etc"], {}, "etc"),
    ("prepare", ["DATA/tiny", "--release", "csv"], {}, "invalid choice"),
    ("train", [], {}, "give the folder of a job"),
    ("train", ["JOBS/none"], {}, "needs a config.json"),
    ("train", ["JOBS/a"], {"a/config.json": "{"}, "should hold a JSON object"),
    ("train", ["JOBS/a"], {"a/config.json": "[]"}, "holds a list"),
    ("train", ["JOBS/a"], {"a/config.json": b"\xff\xfe\x00"}, "should hold a JSON object"),
    ("train", ["JOBS/a"], {"a/config.json": {**GOOD, "dataset": "none"}}, "no dataset 'none'"),
    ("train", ["JOBS/a"], {"a/config.json": {**GOOD, "dataset": "../.."}}, "holds no betas_vol"),
    ("train", ["JOBS/a"], {"a/config.json": {**GOOD, "subject": "sub-9"}}, "sub-9"),
    ("train", ["JOBS/a"], {"a/config.json": {**GOOD, "targets": ["charm"]}}, "no charm"),
    ("tune", ["JOBS/none"], {}, "config.json"),
    ("tune", ["JOBS/s"], {"s/config.json": "nonsense"}, "config.json"),
    ("maps", ["JOBS/none"], {}, "none"),
    ("maps", ["JOBS/a"], {"a/config.json": GOOD}, "a"),
    ("leaderboard", ["JOBS/none"], {}, "none"),
    ("leaderboard", ["DATA/tiny", "--subject", "sub-99"], {}, "sub-99"),
    ("learning_curves", ["DATA/tiny", "--model", "cnn9"], {}, "cnn9"),
    ("replicate", ["JOBS/out", "--dataset", "none"], {}, "none"),
    ("backup", ["keep", "x.tar"], {}, "invalid choice"),
    ("backup", ["restore", "JOBS/none.tar"], {}, "is not empty"),
    ("export", ["JOBS/none", "JOBS/out.zip"], {}, "none"),
    ("export", ["--import", "JOBS/none.zip"], {}, "none.zip"),
    ("export", ["--import", "JOBS/x.zip"], {"x.zip": b"PK\x03\x04 torn"}, "x.zip"),
    ("export", ["--import", "JOBS/x.zip"], {"x.zip": evil_zip("../../evil")}, "evil"),
    ("export", ["--import", "JOBS/x.zip"], {"x.zip": evil_zip("/etc/evil")}, "evil"),
    ("export", ["--import", "JOBS/x.zip"], {"x.zip": evil_zip("a/l", link=True)}, "x.zip"),
]


@pytest.mark.parametrize("case", COMMANDS, ids=lambda case: f"{case[0]} {case[3]}")
def test_commands(tiny_env, tiny, capsys, case):
    name, arguments, files, words = case
    for path, content in files.items():
        write(tiny_env / path, content)
    write(tiny_env / "there.txt", "x")
    before = {p: p.read_bytes() for p in tiny_env.rglob("*") if p.is_file()}
    given = [a.replace("JOBS", str(tiny_env)).replace("DATA", str(tiny)) for a in arguments]
    code, said = command(name, given, capsys)
    assert code == 2, said
    assert words in said
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1, said
    for path, content in before.items():
        if path.name not in {"status.json", "log.txt", "lock"}:
            assert path.read_bytes() == content
    assert not list(tiny_env.rglob("*.tmp"))


RECIPES = [
    ({"modell": 1}, "did you mean 'model'"),
    ({"version": 99}, "version"),
    ({"name": "../x"}, "cannot be a folder"),
    ({"name": ""}, "cannot be a folder"),
    ({"name": "a" * 81}, "cannot be a folder"),
    ({"name": "a\x00b"}, "cannot be a folder"),
    ({"dataset": ""}, "dataset"),
    ({"dataset": "d" * 5000}, "dataset"),
    ({"targets": []}, "targets"),
    ({"targets": ["heavy", "heavy"]}, "more than once"),
    ({"targets": "heavy"}, "targets"),
    ({"learns": "colours"}, "learns"),
    ({"split": {"kind": "unheard"}}, "split"),
    ({"split": {"kind": "trial", "fractions": [0.5, 0.5, 0.5]}}, "add up to 1"),
    ({"split": {"kind": "trial", "fractions": [0, 0.5, 0.5]}}, "shares of trials"),
    ({"split": {"kind": "trial", "fractions": [1.5, -0.5, 0.0]}}, "fractions"),
    ({"split": {"seed": -1}}, "seed"),
    ({"seed": 2**40}, "seed"),
    ({"seed": "one"}, "seed"),
    ({"rating_scale": "stars"}, "rating_scale"),
    ({"standardise": "maybe"}, "standardise"),
    ({"model": {"name": "vit4d"}}, "did you mean 'vit3d'"),
    ({"model": {}}, "is not a model"),
    ({"model": {**VIT, "n_heads": 7}}, "does not divide"),
    ({"model": {**VIT, "patch_size": [0, 7, 5]}}, "patch_size"),
    ({"model": {**VIT, "patch_size": [6, 7]}}, "patch_size"),
    ({"model": {**VIT, "dropout": 1.0}}, "dropout"),
    ({"model": {**VIT, "dropout": float("nan")}}, "dropout"),
    ({"model": {**VIT, "embed_dim": 10**9}}, "embed_dim"),
    ({"model": {**VIT, "n_layers": -1}}, "n_layers"),
    ({"model": {**VIT, "n_selected_tokens": 5}}, "tokens='brain'"),
    ({"model": {"name": "ridge", "log10_alpha_min": 3, "log10_alpha_max": -3}}, "swap them"),
    ({"model": {"name": "ridge", "held_out": 1.0}}, "held_out"),
    ({"fit": {"epochs": 0}}, "epochs"),
    ({"fit": {"epochs": 10**9}}, "epochs"),
    ({"fit": {"learning_rate": float("inf")}}, "learning_rate"),
    ({"fit": {"learning_rate": 0}}, "learning_rate"),
    ({"fit": {"batch_size": 2.5}}, "batch_size"),
    ({"fit": {"loss": "l3"}}, "loss"),
    ({"fit": {"precision": "int3"}}, "precision"),
    ({"fit": {"device": "toaster"}}, "device"),
]


@pytest.mark.parametrize(("changes", "words"), RECIPES)
def test_recipes(changes, words):
    with pytest.raises(ThingsvizError, match=words) as error:
        parse_config({**GOOD, **changes})
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 600


@pytest.mark.parametrize("data", [None, [], "x", 3, {"dataset": None}, {"model": []}])
def test_things_that_are_no_recipe(data):
    with pytest.raises(ThingsvizError, match="config"):
        parse_config(data)


@pytest.mark.parametrize("parse", [parse_model, parse_fit])
def test_a_script_is_told_in_one_sentence_too(parse):
    with pytest.raises(ModelError, match=r"remove it|not a model"):
        parse({"name": "none", "nix": 1})


NAMES = ["..", "../x", "a/../../x", "/etc", "a\x00b", "", ".", "~root", "a\\..\\b", "x" * 300]


@pytest.mark.parametrize("name", NAMES)
def test_no_name_leads_out_of_the_roots(tiny_env, tiny, name):
    (tiny_env / "out").symlink_to("/etc")
    for opened in (open_dataset, open_job):
        with pytest.raises(ThingsvizError) as error:
            opened(name)
        assert "\n" not in str(error.value)


def test_no_link_leads_out_of_the_roots(tiny_env):
    (tiny_env / "out").symlink_to("/etc")
    with pytest.raises(ThingsvizError):
        open_job("out")


SETTINGS = [
    ("THINGSVIZ_SLOTS", "many"),
    ("THINGSVIZ_SLOTS", "-1"),
    ("THINGSVIZ_QUOTA", "x"),
    ("THINGSVIZ_QUOTA", "²"),
    ("THINGSVIZ_JOB_MEMORY_MB", "9" * 200),
    ("THINGSVIZ_JOB_MEMORY_MB", "1 GB"),
    ("THINGSVIZ_JOB_HOURS", "soon"),
    ("THINGSVIZ_ENGINE", "cloud"),
]


@pytest.mark.parametrize(("name", "value"), SETTINGS)
def test_settings_of_the_engine(monkeypatch, name, value):
    from thingsviz.queue.limits import engine, read_limits

    monkeypatch.setenv(name, value)
    with pytest.raises(ThingsvizError, match=name) as error:
        (engine if name == "THINGSVIZ_ENGINE" else read_limits)()
    assert value in str(error.value)


@pytest.mark.parametrize("value", ["opne", "local,open"])
def test_settings_of_the_doors(value):
    with pytest.raises(ThingsvizError, match="THINGSVIZ_ACCESS"):
        read_policy({"THINGSVIZ_ACCESS": value})


ADDRESSES = [
    ("trials", {"dataset": "../../etc"}),
    ("trials", {"dataset": "tiny", "subject": "<script>"}),
    ("trials", {"session": "99", "run": "1", "trial": "1"}),
    ("trials", {"session": "one", "run": "-1", "trial": "1e9"}),
    ("train", {"job": "../../etc/passwd"}),
    ("predictions", {"job": "\x00"}),
    ("jobs", {"job": "none"}),
    ("compare", {"jobs": "a,,../b," + "x" * 500}),
]


@pytest.mark.parametrize(("page", "query"), ADDRESSES)
def test_addresses(tiny_env, page, query):
    app = AppTest.from_file(f"../pages/{page}.py", default_timeout=90)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    shown = [one.value for one in (*app.warning, *app.error, *app.info)]
    assert shown
    assert all("\n" not in sentence and "Traceback" not in sentence for sentence in shown)


DAMAGE = {
    "empty": lambda data: b"",
    "torn": lambda data: data[: len(data) // 2],
    "not gzip": lambda data: b"no gzip at all",
    "a bomb": lambda data: gzip.compress(bytes(348) + bytes(2**22)),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_volumes(tiny_copy, monkeypatch, tmp_path, capsys, kind):
    monkeypatch.setenv("THINGSVIZ_DATA", str(tiny_copy))
    shutil.rmtree(tiny_copy / "tiny" / "derivatives" / "thingsviz")
    path = next((tiny_copy / "tiny").rglob("*_betas.nii.gz"))
    path.chmod(0o644)
    path.write_bytes(DAMAGE[kind](path.read_bytes()))
    code, said = command("prepare", [str(tiny_copy / "tiny")], capsys)
    assert code == 2
    assert path.name in said.splitlines()[-1]
    assert "Traceback" not in said


def test_there_are_enough_of_them():
    counted = (COMMANDS, RECIPES, NAMES, SETTINGS, ADDRESSES, DAMAGE)
    assert sum(map(len, counted)) >= 60
