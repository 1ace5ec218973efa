"""The network between a process and the PostgreSQL server of a test, which the test may cut, hold up or slow down."""

import asyncio
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit


class Relay:
    """``async with Relay(url) as relay`` listens on a port of 127.0.0.1; ``relay.url`` leads to the same database."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = Path(parse_qs(parts.query)["host"][0]) / ".s.PGSQL.5432"
        self._before, self._after = f"{parts.scheme}://{parts.netloc.removesuffix('@')}@127.0.0.1", parts.path
        self._passes = asyncio.Event()
        self._passes.set()
        self._forgotten: list[asyncio.Event] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self.delay = 0.0
        """Seconds by which each piece of data comes later, in each direction."""
        self.is_cut = False
        """Whether new connections are closed at once."""
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{self._before}:{port}{self._after}?sslmode=disable&gssencmode=disable"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cut()
        self._server.close()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Close all connections, and new ones at once."""
        self.is_cut = True
        for passes in (self._passes, *self._forgotten):
            passes.set()
        for writer in self._writers:
            writer.transport.abort()

    def hold(self) -> None:
        """Let nothing pass, as a network does that loses all packets: no end of a connection is told either."""
        self._passes.clear()

    def forget(self) -> None:
        """Let nothing pass on the connections that are open, and tell neither side, as a proxy does; new ones pass."""
        self._passes.clear()
        self._forgotten.append(self._passes)
        self._passes = asyncio.Event()
        self._passes.set()

    def mend(self) -> None:
        """Let everything pass again; what was held up arrives."""
        self.is_cut = False
        self._passes.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        passes = self._passes
        try:
            await passes.wait()
            if self.is_cut:
                return
            to_server = await asyncio.open_unix_connection(self._socket)
            self._writers.add(to_server[1])
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, to_server[1], passes))
                group.create_task(self._pass_on(to_server[0], writer, passes))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._writers.discard(writer)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passes: asyncio.Event) -> None:
        while data := await reader.read(65_536):
            await asyncio.sleep(self.delay)
            await passes.wait()
            writer.write(data)
            with suppress(ConnectionError):
                await writer.drain()
        writer.transport.abort()
        self._writers.discard(writer)
