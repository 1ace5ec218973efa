"""Reports to systemd: ready, what SkinDesk waits for, reloading, stopping, and that the event loop runs.

The protocol (sd_notify(3)) is one datagram a report, and the libraries for it are old or need a C compiler.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from bot.shards import disconnections, progress, troubles

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from bot.client import SkinDeskClient

_CHECK_EVERY = 1.0
"""Seconds between two checks of the status."""


class ServiceManager:
    """systemd, or nothing if it did not start this process with ``Type=notify``."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._socket: socket.socket | None = None
        if address.startswith(("/", "@")):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
        self._watchdog = _watchdog_seconds(environment)
        self._status = ""
        self._is_ready = False
        self._is_stopping = False

    def waits(self, status: str) -> None:
        """Report what SkinDesk does or waits for; ``systemctl status`` shows it."""
        if status != self._status:
            self._status = status
            self._send(f"STATUS={status}")

    def reload(self, reload: Callable[[], object]) -> None:
        """Call ``reload`` and report when it began and ended."""
        if not self._is_ready:
            reload()
            return
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1_000}")
        try:
            reload()
        finally:
            self._send("READY=1")

    def stops(self) -> None:
        """Report that SkinDesk stops."""
        self._is_stopping = True
        self._send("STOPPING=1\nSTATUS=stopping")

    @asynccontextmanager
    async def watching(self, client: SkinDeskClient) -> AsyncIterator[None]:
        """Report readiness, status and, at half of systemd's limit, that the event loop runs.

        A broken database does not end these reports: a restart would not heal it.
        """
        if self._socket is None:
            yield
            return
        watch = asyncio.create_task(self._watch(client), name="service manager")
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.wait({watch})

    async def _watch(self, client: SkinDeskClient) -> None:
        pinged = -float("inf")
        while not self._is_stopping:
            self.waits(_status(client))
            if not self._is_ready and client.is_ready():
                self._is_ready = True
                self._send("READY=1")
            if self._watchdog is not None and time.monotonic() - pinged >= self._watchdog / 2:
                pinged = time.monotonic()
                self._send("WATCHDOG=1")
            await asyncio.sleep(_CHECK_EVERY if self._watchdog is None else min(_CHECK_EVERY, self._watchdog / 4))

    def _send(self, report: str) -> None:
        if self._socket is not None:
            with suppress(OSError):  # systemd is busy or gone; the next report will do
                self._socket.sendto(report.encode(), self._address)


def _status(client: SkinDeskClient) -> str:
    """Return what ``systemctl status`` shows of a bot that is up."""
    if (fault := client.database_fault()) is not None:
        return f"the database cannot be used: {fault}"
    shards = client.shards_health()
    trouble = troubles(shards)
    if not client.is_ready():
        so_far = f" {progress(shards)}" if len(shards) > 1 else ""
        return f"connecting to Discord{so_far}{trouble and f': {trouble}'}"
    if disconnected := disconnections(shards):
        return f"{'; '.join(disconnected)}: {trouble}"
    served = sum(client.services.guilds.serves(guild.id) for guild in client.guilds)
    return f"serving {served} {'server' if served == 1 else 'servers'}"


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """Return the seconds after which systemd ends a process that does not report, or None if it does not."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None  # it is about another process
    microseconds = environment.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1_000_000 if microseconds.isdecimal() and int(microseconds) else None
