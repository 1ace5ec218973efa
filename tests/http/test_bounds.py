"""No client can occupy the HTTP server, on which the sign-in page and the metrics are served."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from http import HTTPStatus

import pytest
from aiohttp import web

from bot.http import server
from bot.http.address import is_private_name
from bot.http.server import Site, served
from bot.observability.server import Health, listening

CONNECTIONS = 8
GET = b"GET /%s HTTP/1.1\r\nHost: here\r\n\r\n"
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server:
    """A server that answers at once, echoes a body, or waits for its gate."""

    def __init__(self) -> None:
        self.port = 0
        self.gate = asyncio.Event()
        self.waiting = asyncio.Event()
        self._clients: list[asyncio.StreamWriter] = []

    async def answer(self, request: web.BaseRequest) -> web.Response:
        if request.path == "/gate":
            self.waiting.set()
            await self.gate.wait()
        return web.Response(body=await request.read() or b"x" * (10**6 if request.path == "/large" else 1))

    async def ask(self, request: bytes) -> bytes:
        """Send a request and return the whole answer; nothing if the connection is dropped."""
        reader, _ = await self.connect(request)
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(30):
                return await reader.read(65_536)
        return b""

    async def connect(self, begin: bytes = b"") -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._clients.append(writer)
        writer.write(begin)
        return reader, writer

    async def close(self) -> None:
        for writer in self._clients:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._clients), return_exceptions=True)


@pytest.fixture
async def here() -> AsyncIterator[Server]:
    opened = Server()
    site = Site(
        opened.answer,
        failed=lambda status, _: web.Response(status=status),
        accepts=lambda host: host == "here",
        connections=CONNECTIONS,
    )
    async with served(site, setting="here", address=("127.0.0.1", 0)) as opened.port:
        yield opened
        await opened.close()


async def ended(client: Client) -> bool:
    """Return whether the server closes the connection; what it sent before is read."""
    with contextlib.suppress(ConnectionError):
        while await client[0].read(65_536):
            pass
    return True


SLOW = {
    "nothing": b"",
    "half a line": b"GET /",
    "half of the headers": b"GET / HTTP/1.1\r\nHost: he",
    "half a body": b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\n1",
    "an answered request": GET % b"",
}


@pytest.mark.parametrize("begin", SLOW.values(), ids=SLOW)
async def test_held_connections(here: Server, begin: bytes) -> None:
    """Clients that open connections and wait make room for one that asks, and for those that are being answered."""
    answered = asyncio.create_task(here.ask(GET % b"gate"))
    await here.waiting.wait()
    held = []
    for _ in range(4 * CONNECTIONS):
        held.append(await here.connect(begin))
        assert (await here.ask(GET % b"")).startswith(b"HTTP/1.1 200")

    ends = [asyncio.create_task(ended(each)) for each in held]
    async with asyncio.timeout(30):
        for closed in itertools.islice(asyncio.as_completed(ends), 3 * CONNECTIONS):
            assert await closed
    here.gate.set()
    assert (await answered).startswith(b"HTTP/1.1 200")
    for each in ends:
        each.cancel()
    await asyncio.gather(*ends, return_exceptions=True)


@pytest.mark.parametrize("begin", [b"", b"GET / HTTP/1.1\r\nHost: he"])
async def test_request_that_never_arrives(here: Server, monkeypatch: pytest.MonkeyPatch, begin: bytes) -> None:
    """A connection is closed if no whole request arrives in time, however often a byte does."""
    monkeypatch.setattr(server, "ARRIVES_WITHIN", 0.5)
    client = await here.connect(begin)
    end = asyncio.create_task(ended(client))
    async with asyncio.timeout(30):
        while not end.done():
            client[1].write(b"x")
            await asyncio.sleep(0.05)


async def test_answer_that_is_not_taken(here: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that asks and asks but takes no answer is dropped."""
    monkeypatch.setattr(server, "_TAKEN_WITHIN", 0.3)
    client = await here.connect()
    client[0]._transport.pause_reading()  # type: ignore[attr-defined]

    async def ask_on() -> None:
        while True:
            client[1].write(GET % b"large")
            await client[1].drain()
            await asyncio.sleep(0.05)

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(ask_on(), timeout=20)


HOSTS = {
    "127.0.0.1:9464": True,
    "[::1]:9464": True,
    "10.1.2.3": True,
    "localhost:9464": True,
    "skindesk:9464": True,
    "skindesk.monitoring.svc.cluster.local:9464": True,
    "desk.example.com:9464": True,
    "DESK.example.com.": True,
    "": True,
    "evil.example:9464": False,
    "127.0.0.1.evil.example": False,
    "evil.example:9464@127.0.0.1": False,
    "desk.example.com.evil.example": False,
    "local.evil.example:9464": False,
}


async def health() -> Health:
    return Health(gateway=True, database=True, acknowledgements=True)


async def no_metrics() -> bytes:
    return b"up 1\n"


@pytest.mark.parametrize(("host", "accepted"), HOSTS.items())
async def test_hosts_of_the_metrics(host: str, accepted: bool) -> None:  # noqa: FBT001 -- a parameter
    """The metrics answer to addresses and private names, and not to a stranger's domain (DNS rebinding)."""
    assert is_private_name(host, listen="desk.example.com") is accepted
    here = Server()
    async with listening(no_metrics, health, "127.0.0.1", 0) as here.port:
        expected = accepted and not host.lower().startswith("desk.")
        for path, content in ((b"metrics", b"up 1"), (b"healthz", b'"ok": true'), (b"readyz", b'"ok": true')):
            answer = await here.ask(b"GET /%s HTTP/1.0\r\nHost: %s\r\n\r\n" % (path, host.encode()))
            status = HTTPStatus.OK if expected else HTTPStatus.MISDIRECTED_REQUEST
            assert answer.startswith(b"HTTP/1.0 %d" % status)
            assert (content in answer) is expected
            assert b"aiohttp" not in answer
        await here.close()


async def test_metrics_asked_for_all_the_time() -> None:
    """They are written once a second at most: that takes time of the event loop."""
    written = 0

    async def metrics() -> bytes:
        nonlocal written
        written += 1
        await asyncio.sleep(0.05)
        return b"up 1\n"

    here = Server()
    async with listening(metrics, health, "127.0.0.1", 0) as here.port:
        began = asyncio.get_running_loop().time()
        answers = [
            answer
            for _ in range(10)
            for answer in await asyncio.gather(*(here.ask(b"GET /metrics HTTP/1.0\r\n\r\n") for _ in range(20)))
        ]
        took = asyncio.get_running_loop().time() - began
        await here.close()
    assert all(b"up 1" in answer for answer in answers)
    assert written <= 1 + took
