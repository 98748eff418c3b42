import pytest

from benchmarks import __main__ as benchmarks


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
