"""The bot as a process of its own that talks to the loopback Discord and ends with its test."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.support.discord_server import LoopbackDiscord
from tests.support.turns import Turns

T = TypeVar("T")

RUN = """
import sys
from bot.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
"""The real program, as its console script starts it."""

# discord.py has no setting for Discord's address. The pipe ends with its parent: no bot outlives its test run.
_SETUP = """
import os, threading
import discord, yarl

def _leave_with_parent():
    os.read(int(os.environ["LOOPBACK_LIFELINE"]), 1)
    os._exit(70)

threading.Thread(target=_leave_with_parent, daemon=True).start()
discord.http.Route.BASE = os.environ["LOOPBACK_API_BASE"]
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["LOOPBACK_GATEWAY_URL"])
discord.Asset.BASE = os.environ["LOOPBACK_CDN_BASE"]
"""
_LAST_LINES = 40


class BotExited(Exception):
    """The process ended while a test waited for something else: its exit code and last lines."""


class BotProcess:
    """``async with BotProcess(discord_server, cwd=tmp_path, settings={…}) as bot:`` runs the program.

    ``settings`` become environment variables; SKINDESK_ variables of the test run itself are removed.
    ``program`` is Python source to run instead of the real program, with the same ``arguments``.
    """

    _process: Process
    turns: Turns
    """The seconds in which it had its turn since its start. All limits below are such seconds."""

    def __init__(
        self,
        server: LoopbackDiscord,
        *,
        cwd: Path,
        settings: Mapping[str, str] | None = None,
        arguments: Sequence[str] = ("run",),
        program: str = RUN,
    ) -> None:
        self._server = server
        self._cwd = cwd
        self._settings = {"SKINDESK_DISCORD__TOKEN": server.token} | dict(settings or {})
        self._arguments = arguments
        self._program = program
        self._readers: list[asyncio.Task[None]] = []
        self._lifeline = -1
        self.name = token_hex(8)
        """By it the loopback gateway knows this process."""
        self._news = asyncio.Event()
        self.stderr_lines: list[str] = []
        self.stdout_lines: list[str] = []

    async def __aenter__(self) -> Self:
        child_end, self._lifeline = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                _SETUP + self._program,
                *self._arguments,
                cwd=self._cwd,
                env=self._environment(child_end),
                pass_fds=(child_end,),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
            )
        finally:
            os.close(child_end)
        self.turns = await Turns(self.pid).__aenter__()
        self._server.turns.append(self.turns)
        self._readers = [
            asyncio.create_task(self._collect(self._process.stdout, self.stdout_lines)),
            asyncio.create_task(self._collect(self._process.stderr, self.stderr_lines)),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.kill()
        finally:
            os.close(self._lifeline)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.returncode

    @property
    def stderr(self) -> str:
        """All complete lines of stderr so far."""
        return "\n".join(self.stderr_lines)

    async def wait_ready(self, within: float = 30.0, *, shards: int = 1) -> None:
        """Wait until the process is connected with so many shards and its commands are synced; BotExited if it ends."""
        gateway, commands = self._server.gateway, self._server.commands
        await self._while_running(
            self._server.until(lambda: gateway.connected(self.name) >= shards and len(commands) > 0, within)
        )

    async def wait_line(self, text: str, within: float = 30.0) -> str:
        """Wait for a line of stderr that contains ``text`` and return it; BotExited if the process ends before."""
        return await self._while_running(self._line(text, within))

    async def wait(self, within: float = 30.0) -> int:
        """Wait for the process to end by itself and return its exit code; TimeoutError kills it."""
        try:
            code = await self._in_time(self._process.wait(), within)
        except TimeoutError:
            await self.kill()
            raise TimeoutError(self._last_lines()) from None
        await self._drain()
        return code

    async def terminate(self, within: float = 30.0) -> int:
        """Send SIGTERM and return the exit code; TimeoutError after ``within`` seconds."""
        self.send_signal(signal.SIGTERM)
        return await self.wait(within)

    async def kill(self) -> int:
        """Kill the process and return its exit code."""
        self.send_signal(signal.SIGKILL)
        code = await self._process.wait()
        await self.turns.__aexit__()
        await self._drain()
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal if the process still runs."""
        if self._process.returncode is None:
            self.turns.is_held = number == signal.SIGSTOP
            self._process.send_signal(number)

    async def _collect(self, stream: asyncio.StreamReader | None, lines: list[str]) -> None:
        assert stream is not None
        unfinished = b""
        while chunk := await stream.read(65_536):
            *whole, unfinished = (unfinished + chunk).split(b"\n")
            lines.extend(line.decode(errors="replace") for line in whole)
            self._news.set()
        if unfinished:
            lines.append(unfinished.decode(errors="replace"))
            self._news.set()

    async def _drain(self) -> None:
        """Wait for the last output, with a limit: a grandchild can hold the pipes open."""
        ended = asyncio.gather(*self._readers, return_exceptions=True)
        await self._server.own_turns.wait(ended, 2.0)
        ended.cancel()

    async def _line(self, text: str, within: float) -> str:
        async def read() -> str:
            seen = 0
            while True:
                for line in self.stderr_lines[seen:]:
                    if text in line:
                        return line
                seen = len(self.stderr_lines)
                self._news.clear()
                await self._news.wait()

        return await self._in_time(read(), within)

    async def _in_time(self, awaited: Coroutine[Any, Any, T], within: float) -> T:
        """Wait for something that the process does; TimeoutError once it had its turn for ``within`` seconds."""
        task = asyncio.create_task(awaited)
        try:
            if not await self.turns.wait(task, within):
                raise TimeoutError
            return task.result()
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _while_running(self, awaited: Coroutine[Any, Any, T]) -> T:
        task, ended = asyncio.create_task(awaited), asyncio.create_task(self._process.wait())
        try:
            await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await self._drain()
                await self._server.own_turns.wait(task, 0.2)  # its last lines may be the awaited ones
            if not task.done():
                raise BotExited(self.returncode, self._last_lines())
            return task.result()
        except TimeoutError:
            raise TimeoutError(self._last_lines()) from None
        finally:
            task.cancel()
            ended.cancel()
            await asyncio.gather(task, ended, return_exceptions=True)

    def _last_lines(self) -> str:
        return "\n".join(self.stderr_lines[-_LAST_LINES:])

    def _environment(self, lifeline: int) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SKINDESK_")}
        return {
            **inherited,
            **self._settings,
            "LOOPBACK_API_BASE": self._server.api_base,
            "LOOPBACK_GATEWAY_URL": self._server.gateway.url_of(self.name),
            "LOOPBACK_CDN_BASE": self._server.cdn_base,
            "LOOPBACK_LIFELINE": str(lifeline),
        }
