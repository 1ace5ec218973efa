"""The checks of the machine: SQLite, disk space, addresses, the clock."""

import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.checks.command import exit_code
from bot.checks.findings import Finding, Level, ok, problem, unreachable, warning
from bot.checks.machine import check_addresses, check_clock, check_room, check_sqlite
from bot.exit_codes import ExitCode

NOW = datetime(2026, 3, 29, 1, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("version", "level"), [((3, 51, 2), Level.WARNING), ((3, 51, 3), Level.OK), ((3, 53, 0), Level.OK)]
)
def test_sqlite(version: tuple[int, ...], level: Level, monkeypatch: pytest.MonkeyPatch):
    """SQLite with the bug of resetting the journal is a warning."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)

    assert check_sqlite().level is level


@pytest.mark.parametrize(
    ("free", "level"), [(10 * 2**20, Level.PROBLEM), (150 * 2**20, Level.WARNING), (2**31, Level.OK)]
)
def test_room(free: int, level: Level, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A warning comes before the disk is full."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))

    assert check_room(tmp_path / "desk.db").level is level


@pytest.mark.parametrize(
    ("seconds", "level"), [(0, Level.OK), (30, Level.OK), (31, Level.WARNING), (-31, Level.WARNING)]
)
def test_clock(seconds: int, level: Level):
    """A clock that differs from the median of the services is a warning."""
    there = format_datetime(NOW - timedelta(seconds=seconds), usegmt=True)
    heard = [(there, NOW)] * 3 + [("yesterday", NOW), (None, NOW), ("Thu, 01 Jan 1970 00:00:00 GMT", NOW)]

    finding = check_clock(heard)

    assert finding.level is level
    if level is Level.WARNING:
        assert f"0:00:31 {'fast' if seconds > 0 else 'slow'}" in finding.what


def test_no_clock():
    """Without an answer the clock cannot be checked."""
    assert check_clock([(None, NOW)]).is_unreachable


def test_addresses():
    """An address in use is a problem unless SkinDesk runs; another machine's address always is one."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        wanted = {"links.listen": ("127.0.0.1", port), "observability.listen": None}

        [finding] = check_addresses(wanted, is_running=False)
        [running] = check_addresses(wanted, is_running=True)
        [elsewhere] = check_addresses({"links.listen": ("192.0.2.1", port)}, is_running=True)

    assert (finding.level, finding.key) == (Level.PROBLEM, "links.listen")
    assert (running.level, elsewhere.level) == (Level.OK, Level.PROBLEM)
    [free] = check_addresses({"links.listen": ("127.0.0.1", port)}, is_running=False)
    assert free.level is Level.OK


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([ok("a", "b")], ExitCode.OK),
        ([warning("a", "b", "c")], ExitCode.OK),
        ([ok("a", "b"), unreachable("a", "b", "c")], ExitCode.UNAVAILABLE),
        ([unreachable("a", "b", "c"), problem("a", "b", "c")], ExitCode.CONFIG),
    ],
)
def test_exit_code(findings: list[Finding], code: ExitCode):
    """Problems here come before services that do not answer; warnings do not count."""
    assert exit_code(findings) is code
