"""Checks the machine: the place of the database, room on the disk, SQLite, free addresses, the clock."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sqlite3
from datetime import timedelta
from email.utils import parsedate_to_datetime
from statistics import median
from typing import TYPE_CHECKING

from bot.checks.findings import Finding, ok, problem, unreachable, warning
from bot.config import VARIABLES
from bot.config_loading import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

_MENDED = (3, 51, 3)
_MEBIBYTE = 2**20
_LITTLE_ROOM = 200 * _MEBIBYTE
_NO_ROOM = 20 * _MEBIBYTE
_APART = timedelta(seconds=30)


def path_problems(path: Path) -> tuple[Problem, ...]:
    """Say whether the database could be opened or made at ``path``, without opening it for writing."""
    try:
        what = _path_problem(path)
    except OSError as refused:
        what = f"cannot be read ({refused.strerror})"
    return (Problem("database.path", VARIABLES["database.path"], what),) if what else ()


def _path_problem(path: Path) -> str | None:
    if not path.parent.is_dir():
        return "is in a directory that does not exist"
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return "is in a directory that SkinDesk may not write to"
    if not path.exists():
        return None
    if not path.is_file():
        return "is not a file"
    if not os.access(path, os.R_OK | os.W_OK):
        return "is a file that SkinDesk may not read and write"
    with path.open("rb") as file:
        start = file.read(16)
    return None if start in (b"", b"SQLite format 3\0") else "is not an SQLite database"


def check_sqlite() -> Finding:
    """Warn of an SQLite that can damage a database, however rarely.

    The bug is in resetting the write-ahead log: of two connections that write or checkpoint at the same moment one
    can overlook what the other has put there (sqlite.org/wal.html#walresetbug, since 3.7.0). SkinDesk has one
    connection that writes, and its backup and this check read only; another program that writes could bring it about.
    """
    if sqlite3.sqlite_version_info >= _MENDED:
        return ok("sqlite.version", f"SQLite {sqlite3.sqlite_version}")
    return warning(
        "sqlite.version",
        f"SQLite {sqlite3.sqlite_version} is older than 3.51.3, which mended a rare bug that damages a database when "
        "two connections write to it at the same moment",
        "use a Python with a newer SQLite, and until then let no other program write to the database while SkinDesk "
        "runs",
    )


def check_room(database: Path) -> Finding:
    """Say whether there is room for the database to grow, and for a copy of it."""
    name = "database.room"
    free = shutil.disk_usage(database.parent).free
    size = database.stat().st_size if database.exists() else 0
    what = f"{free // _MEBIBYTE:,} MiB are free beside the database, which has {size / _MEBIBYTE:,.1f} MiB"
    if free < _NO_ROOM:
        return problem(name, what, "make room on that disk: SkinDesk cannot keep what it has to")
    if free < max(_LITTLE_ROOM, 3 * size):
        return warning(name, what, "make room on that disk: an upgrade keeps a copy of the database first")
    return ok(name, what)


def check_addresses(addresses: Mapping[str, tuple[str, int] | None], *, is_running: bool) -> list[Finding]:
    """Say whether each address, by its setting, could be listened on."""
    return [
        _check_address(key, *address, is_running=is_running)
        for key, address in addresses.items()
        if address is not None
    ]


def _check_address(key: str, host: str, port: int, *, is_running: bool) -> Finding:
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and is_running:
            return ok(key, f"{shown} is in use, as it should be while SkinDesk is running")
        what = f"SkinDesk cannot listen on {shown} ({error.strerror})"
        return problem(key, what, "choose an address of this machine and a port that is free", key=key)
    return ok(key, f"{shown} is free")


def check_clock(heard: Sequence[tuple[str | None, datetime]]) -> Finding:
    """Compare this machine's clock with the ``Date`` headers heard, each with the moment it was heard.

    The middle one counts: one provider's clock may be wrong.
    """
    differences = [(at - there).total_seconds() for text, at in heard if (there := _date(text)) is not None]
    if not differences:
        return unreachable("clock", "nobody said what time it is", "check again when somebody can be reached")
    apart = timedelta(seconds=round(median(differences)))
    if abs(apart) <= _APART:
        return ok("clock", "it agrees with the clocks of those who answered")
    direction = "fast" if apart > timedelta(0) else "slow"
    return warning(
        "clock",
        f"this machine's clock is {abs(apart)} {direction} (or everybody else's is wrong)",
        "let it be set by NTP: expiries, limits and signed tokens go by it",
    )


def _date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None
