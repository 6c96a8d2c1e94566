"""Turns skipped tests into a failure where ``PERIJOVE_NO_SKIPS`` is 1."""

import os

import pytest


def _skipped(config: pytest.Config) -> int:
    """Count what was skipped; 0 in workers, whose results the main process counts."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return len(reporter.stats.get("skipped", [])) if reporter else 0


def _forbidden() -> bool:
    return os.environ.get("PERIJOVE_NO_SKIPS") == "1"


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that would have passed but for what it skipped."""
    if _forbidden() and _skipped(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say why such a run failed."""
    if _forbidden() and (count := _skipped(config)):
        terminalreporter.write_line(f"{count} skipped, which PERIJOVE_NO_SKIPS=1 forbids", red=True)
