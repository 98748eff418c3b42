import json
import subprocess
import sys

import pytest

from thingsviz.commands import simulate
from thingsviz.data.planted import is_planted


def run(*args):
    return simulate.main([str(arg) for arg in args])


@pytest.fixture
def counted(monkeypatch):
    """Count plantings instead of doing them."""
    orders = []
    monkeypatch.setattr(simulate, "plant", lambda out, order, report: orders.append((out, order)))
    return orders


def test_options_reach_the_order(counted, tmp_path):
    given = ("--snr", "0.5", "--seed", "9", "--response", "gain", "--images", tmp_path)
    assert run(tmp_path / "data", "--preset", "tiny", *given) == 0
    ((out, order),) = counted
    assert out == tmp_path / "data"
    assert (order.preset, order.seed, order.snr, order.response) == ("tiny", 9, 0.5, "gain")
    assert order.sources.images == tmp_path
    assert order.sources.design is None


def test_if_missing_plants_once(tiny, counted, tmp_path, capsys):
    assert run(tiny / "tiny", "--preset", "tiny", "--if-missing") == 0
    assert counted == []
    assert run(tmp_path / "data", "--preset", "tiny", "--if-missing") == 0
    assert len(counted) == 1


def test_progress_is_kept_in_a_file(tmp_path):
    file = tmp_path / "progress.json"
    assert run(tmp_path / "data", "--preset", "tiny", "--progress", file) == 0
    row = json.loads(file.read_text())
    assert row["done"] == row["total"] > 0


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("--preset", "huge"), "preset 'huge' is unknown: choose one of tiny, demo, full, null"),
        (("--snr", "-2"), "snr -2 cannot be planted"),
        (("--seed", "-1"), "seed -1"),
        (("--response", "cubic"), "response 'cubic'"),
        (("--images", "nowhere"), "'nowhere' does not exist"),
        (("--design", "nowhere"), "'nowhere' holds no ses-"),
        (("--ratings", "nowhere.tsv"), "nowhere.tsv"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(tmp_path, monkeypatch, capsys, args, sentence):
    monkeypatch.chdir(tmp_path)
    preset = () if "--preset" in args else ("--preset", "tiny")
    assert run("data", *preset, *args) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_other_files_is_refused(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("all I have")
    assert run(tmp_path, "--preset", "tiny") == 2
    assert "give a new folder" in capsys.readouterr().err
    assert (tmp_path / "thesis.tex").exists()


def test_an_interruption_leaves_nothing(tmp_path, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("thingsviz.data.planted.planting.make_filters", interrupted)
    assert run(tmp_path / "data", "--preset", "tiny") == 130
    assert "interrupted" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_path_with_spaces_and_unicode(tmp_path):
    out = tmp_path / "données de démo"
    assert run(out, "--preset", "tiny") == 0
    assert is_planted(out)


def test_a_full_disk_leaves_nothing_half_made(tmp_path):
    """The kernel refuses files over 100 KiB, as a full disk would: a process of its own."""
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100 * 1024,) * 2)\n"
        "from thingsviz.commands.simulate import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "data"), "--preset", "tiny"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2, done.stderr
    assert "no space is left" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
