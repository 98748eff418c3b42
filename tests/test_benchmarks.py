import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import _datasets, job_pages, jobs_page


def test_each_benchmark_says_in_a_line_what_it_measures(capsys):
    assert benchmarks.main([]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines
    assert all(len(line.split(maxsplit=1)[1]) > 20 for line in lines)


def test_an_unknown_benchmark_lists_those_there_are(capsys):
    assert benchmarks.main(["nix"]) == 2
    assert "there is no benchmark 'nix': " in capsys.readouterr().err


def test_access_runs_on_the_tiny_subject(tiny, capsys):
    code = benchmarks.main(["access", str(tiny / "tiny"), "--trials", "5", "--slow-trials", "2"])
    out = capsys.readouterr().out
    assert code == 0
    assert "faster than nibabel (goal ≥ 500)" in out
    assert "a raw map (goal ≤ 1.5)" in out


@pytest.mark.parametrize("name", sorted(benchmarks.found()))
def test_each_has_a_help(name, capsys):
    with pytest.raises(SystemExit, match="0"):
        benchmarks.main([name, "--help"])
    assert "--" in capsys.readouterr().out


def test_the_jobs_page_is_measured_on_a_few_jobs(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path))
    monkeypatch.setattr(jobs_page, "FEW", 30)
    monkeypatch.setattr(jobs_page, "GOAL_RATIO", 1e9)
    assert benchmarks.main(["jobs_page", "--jobs", "60", "--rounds", "1"]) == 0
    out = capsys.readouterr().out
    assert all(what in out for what in (*jobs_page.LOOKS, *jobs_page.ONCE))
    monkeypatch.setattr(jobs_page, "GOAL_RATIO", 0.0)
    monkeypatch.setattr(
        jobs_page, "measure", lambda n, rounds: dict.fromkeys(jobs_page.LOOKS, 1.0)
    )
    assert jobs_page.main([]) == 1


def test_the_pages_of_trainings_are_measured_on_a_few_jobs(tiny_env, monkeypatch, capsys):
    monkeypatch.setattr(job_pages, "FEW", 3)
    monkeypatch.setattr(job_pages, "GOAL_RATIO", 1e9)
    assert benchmarks.main(["job_pages", "--jobs", "6", "--rounds", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-9:-2]] == list(job_pages.LOOKS)
    slow = dict.fromkeys(job_pages.LOOKS, (1.0, 4.0))
    times = iter((dict.fromkeys(slow, (1.0, 1.0)), slow))
    monkeypatch.setattr(job_pages, "GOAL_RATIO", 3.0)
    monkeypatch.setattr(job_pages, "trained", lambda: None)
    monkeypatch.setattr(job_pages, "measure", lambda *_: next(times))
    assert job_pages.main([]) == 1


def test_a_dataset_that_is_missing_is_planted_or_refused_in_a_sentence(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("THINGSVIZ_DATA", str(tmp_path))
    assert _datasets.quickest() == "tiny"
    with pytest.raises(SystemExit, match=r"no dataset 'mine' in .* can be planted: tiny"):
        _datasets.at_hand("mine")
    folder = _datasets.at_hand("tiny")
    assert (folder / "betas_vol").is_dir()
    assert "SIMULATED" in capsys.readouterr().err
    assert _datasets.at_hand("tiny") == folder
    assert "planting" not in capsys.readouterr().err
    (tmp_path / "demo" / "betas_vol").mkdir(parents=True)
    assert _datasets.quickest() == "demo"
