"""Checks the machine: the database's folder, free disk space, SQLite, free addresses, the clock."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.checks.findings import Finding, ok, problem, unreachable, warning
from bot.config import VARIABLES
from bot.config_loading import Problem
from bot.storage.files import is_file, is_folder, size_of, status_of
from bot.storage.sqlite.lock import remembered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

_FIXED_SQLITE = (3, 51, 3)
_MEBIBYTE = 2**20
_LITTLE_ROOM = 200 * _MEBIBYTE
_NO_ROOM = 20 * _MEBIBYTE
_TOLERANCE = timedelta(seconds=30)


def path_problems(path: Path) -> tuple[Problem, ...]:
    """Return why the database cannot be opened or created at ``path``, without opening it for writing."""
    try:
        message = _path_problem(path)
    except OSError as error:
        message = f"cannot be read ({error.strerror})"
    return (Problem("database.path", VARIABLES["database.path"], message),) if message else ()


def _path_problem(path: Path) -> str | None:
    if not (is_folder(path.parent) and is_folder(path.resolve().parent)):  # the path may be a link
        return "is in a directory that does not exist"
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return "is in a directory that SkinDesk may not write to"
    if status_of(path) is None:
        return None
    if not is_file(path):
        return "is not a file"
    if not os.access(path, os.R_OK | os.W_OK):
        return "is a file that SkinDesk may not read and write"
    return "is not an SQLite database" if _is_of_another_kind(path) else None


def _is_of_another_kind(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(16)
    # Where SkinDesk has had a database, the path is right and the file is damaged.
    return start not in (b"", b"SQLite format 3\0") and remembered(path.resolve()) is None


def check_sqlite() -> Finding:
    """Warn of SQLite versions that can damage a database when two connections write or checkpoint at the same moment.

    See sqlite.org/wal.html#walresetbug. SkinDesk has one connection that writes; another program could be the second.
    """
    if sqlite3.sqlite_version_info >= _FIXED_SQLITE:
        return ok("sqlite.version", f"SQLite {sqlite3.sqlite_version}")
    return warning(
        "sqlite.version",
        f"SQLite {sqlite3.sqlite_version} has a rare bug, fixed in 3.51.3, that damages a database when two "
        "connections write to it at the same moment",
        "use a Python with a newer SQLite; until then let no other program write to the database while SkinDesk runs",
    )


def check_room(database: Path) -> Finding:
    """Check that the database can grow, and be copied."""
    name = "database.room"
    free = shutil.disk_usage(database.parent).free
    size = size_of(database)
    what = f"{free // _MEBIBYTE:,} MiB are free beside the database, which has {size / _MEBIBYTE:,.1f} MiB"
    if free < _NO_ROOM:
        return problem(name, what, "free space on that disk: SkinDesk cannot write")
    if free < max(_LITTLE_ROOM, 3 * size):
        return warning(name, what, "free space on that disk: an upgrade keeps a copy of the database first")
    return ok(name, what)


def check_addresses(addresses: Mapping[str, tuple[str, int] | None], *, is_running: bool) -> list[Finding]:
    """Check that SkinDesk can listen on each address; the keys are settings."""
    return [
        _check_address(key, *address, is_running=is_running)
        for key, address in addresses.items()
        if address is not None
    ]


def _check_address(key: str, host: str, port: int, *, is_running: bool) -> Finding:
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and is_running:
            return ok(key, f"{shown} is in use, as expected while SkinDesk is running")
        what = f"SkinDesk cannot listen on {shown} ({error.strerror})"
        return problem(key, what, "choose an address of this machine and a port that is free", key=key)
    return ok(key, f"{shown} is free")


def check_clock(dates: Sequence[tuple[str | None, datetime]]) -> Finding:
    """Compare this machine's clock with ``Date`` headers, each with the moment it was received, by their median."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 -- a start checks only paths
    from statistics import median  # noqa: PLC0415 -- same

    differences = []
    for text, received in dates:
        try:
            differences.append((received - parsedate_to_datetime(text or "")).total_seconds())
        except (ValueError, OverflowError, TypeError):  # no date, or one without a time zone
            continue
    if not differences:
        return unreachable("clock", "no service told the time", "check again when one can be reached")
    difference = timedelta(seconds=round(median(differences)))
    if abs(difference) <= _TOLERANCE:
        return ok("clock", "it agrees with the clocks of the services")
    direction = "fast" if difference > timedelta(0) else "slow"
    return warning(
        "clock",
        f"this machine's clock is {abs(difference)} {direction}",
        "synchronise it with NTP: expiries, limits and signed tokens depend on it",
    )
