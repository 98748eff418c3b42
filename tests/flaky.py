"""Marks by room, and second runs: a browser test that fails runs once more and is listed as flaky.

A browser on a busy machine can be late. More than `MOST` flaky tests fail the run: that many are a
fault of the tests or of the app, not of the machine.
"""

from __future__ import annotations

import pytest

MOST = 2
# marks of whole rooms; what else is slow says so itself
ROOMS = {
    "service": (
        "tests/slurm/",
        "tests/studies/test_postgres.py",
        "tests/browser/test_behind_nginx.py",
        "tests/browser/test_login.py",
    ),
    "slow": (
        *("tests/api/", "tests/commands/", "tests/explain/", "tests/pages/", "tests/pipeline/"),
        *("tests/queue/", "tests/replication/", "tests/reports/", "tests/studies/"),
        *("tests/data/planted/", "tests/data/prepare/", "tests/ui/brain/", "tests/ui/server/"),
        *("tests/test_benchmark", "tests/test_examples", "tests/test_flaky", "tests/test_fuzz"),
    ),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their room, and let a browser test that fails run a second time."""
    for item in items:
        for mark, places in ROOMS.items():
            if item.nodeid.startswith(places):
                item.add_marker(mark)
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def flaky_tests(config: pytest.Config) -> list[str]:
    """Return the tests that passed at their second run."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return []
    again = {report.nodeid for report in reporter.stats.get("rerun", [])}
    failed = {
        report.nodeid for kind in ("failed", "error") for report in reporter.stats.get(kind, [])
    }
    return sorted(again - failed)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which too many tests passed only at their second run."""
    if len(flaky_tests(session.config)) > MOST and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the flaky tests by name."""
    names = flaky_tests(terminalreporter.config)
    if not names:
        return
    verdict = f"more than {MOST}: the run has failed" if len(names) > MOST else f"{MOST} may be"
    terminalreporter.section(f"flaky: {len(names)} passed at the second run ({verdict})")
    for name in names:
        terminalreporter.write_line(name)
