"""The cost of a provider's requests against ``httpx.AsyncClient()``, and of reading against bare pydantic.

``uv run python -m benchmarks.provider_client`` prints a table; ``--json FILE`` keeps it. The provider is a process of
its own on loopback that gives one and the same answer; rounds are interleaved and medians compared.
"""

import argparse
import asyncio
import gc
import json
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from pydantic import BaseModel

from benchmarks.measuring import Fact, Ratio, options_of, ratio_of, show
from bot.domain.errors import ProviderError
from bot.domain.failures import Dialect, ProviderName
from bot.providers.assetpay_answers import Page, PageReader
from bot.providers.reading import read
from bot.providers.response import Response
from bot.providers.transport import Transport
from tests.providers.test_bounds import Watch, assetpay_item, bomb, memory
from tests.support.loopback import in_a_process

SERVER = """
import asyncio, pathlib, sys

def answer(path, *headers):
    body = pathlib.Path(path).read_bytes()
    lines = ["HTTP/1.1 200 OK", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\\r\\n".join([*lines, "", ""]).encode() + body

ANSWERS = {b"/answer": answer(sys.argv[1]), b"/bomb": answer(sys.argv[2], "Content-Encoding: gzip")}

class Provider(asyncio.Protocol):
    begun = b""
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.begun += data
        if self.begun.endswith(b"\\r\\n\\r\\n"):
            path = self.begun.split(b" ", 2)[1].partition(b"?")[0]
            self.begun = b""
            self.transport.write(ANSWERS[path])

async def main():
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
TASKS = (1, 50, 200)
SIZES = (50, 1_000, 10_000)
FASTER_AT_50 = 3.0
READING = 1.6
DEARER_AT_200 = 1.3
LONGEST_STALL = 50.0
BOMB_AT_MOST = 16.0
QUERY = (
    ("tradeUrl", "https://steamcommunity.com/tradeoffer/new/?partner=12&token=AbCdEfGh"),
    ("game", "730"),
    ("page", "1"),
    ("limit", "-1"),
)
HEADERS = {"api-key": "key-1"}
READER = PageReader(Dialect.ASSETPAY)

Ask = Callable[[], Awaitable[bytes]]


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class _Offer(BaseModel):
    price: float
    reference: str
    accepted: bool
    maxAmount: int  # noqa: N815 -- the provider's word


class _Sticker(BaseModel):
    slot: int
    name: str
    wear: float


class _Item(BaseModel):
    id: str
    name: str
    marketHashName: str  # noqa: N815 -- the provider's word
    type: str
    iconUrl: str  # noqa: N815 -- the provider's word
    appid: int
    tradable: bool
    marketPrice: float  # noqa: N815 -- the provider's word
    offer: _Offer
    exterior: str
    wear: float
    rarity: str
    color: str
    paintSeed: int  # noqa: N815 -- the provider's word
    stickers: list[_Sticker]


class _Data(BaseModel):
    inventory: list[_Item]
    count: int


class _Document(BaseModel):
    """The reference for reading: the same fields, without SkinDesk's checks."""

    success: bool
    data: _Data


def document(items: int) -> bytes:
    """Return an inventory's answer of this many items."""
    data = {"inventory": [assetpay_item(number) for number in range(items)], "count": items}
    return json.dumps({"success": True, "data": data}).encode()


@asynccontextmanager
async def provider() -> AsyncIterator[str]:
    """Serve 50 items under ``/answer``, 200 MB compressed to 200 KB under ``/bomb``, and give the address."""
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name, "answer"), Path(name, "bomb")]
        for file, content in zip(files, (document(50), bomb()), strict=True):
            file.write_bytes(content)
        async with in_a_process(SERVER, *files) as address:
            yield address


async def asked(ask: Ask, *, requests: int, tasks: int) -> tuple[float, float]:
    """Return requests per second, and milliseconds of this process's CPU per request."""
    left = iter(range(requests))

    async def person() -> None:
        for _ in left:
            await ask()

    began, worked = time.perf_counter(), time.process_time()
    await asyncio.gather(*(person() for _ in range(tasks)))
    return requests / (time.perf_counter() - began), (time.process_time() - worked) * 1000 / requests


async def asking(url: str, *, rounds: int, requests: int) -> list[Ratio]:
    """Compare both clients at each number of tasks."""
    ratios: list[Ratio] = []
    rates: dict[int, list[tuple[float, float]]] = {tasks: [] for tasks in TASKS}
    costs: dict[int, list[tuple[float, float]]] = {tasks: [] for tasks in TASKS}
    context = ssl.create_default_context()
    async with Transport(ProviderName.ASSETPAY, url, context, _Clock()) as transport, httpx.AsyncClient() as client:

        async def ours() -> bytes:
            return (await transport.request("GET", "/answer", query=QUERY, headers=HEADERS)).body

        async def installed() -> bytes:
            return (await client.get(f"{url}/answer", params=dict(QUERY), headers=HEADERS)).content

        assert await ours() == await installed()
        for number in range(rounds + 1):
            for tasks in TASKS:
                found = [await asked(ask, requests=requests, tasks=tasks) for ask in (ours, installed)]
                if number:  # the first round warms both up
                    rates[tasks].append((found[0][0], found[1][0]))
                    costs[tasks].append((found[0][1], found[1][1]))
        for tasks in TASKS:
            bound = FASTER_AT_50 if tasks == 50 else None
            ratios.append(ratio_of(f"requests, {tasks} tasks: rate", "/s", rates[tasks], bound=bound, at_least=True))
            ratios.append(ratio_of(f"requests, {tasks} tasks: CPU", "ms", costs[tasks]))
    pairs = [(many[0], one[0]) for many, one in zip(costs[TASKS[-1]], costs[1], strict=True)]
    return [*ratios, ratio_of("CPU at 200 tasks, to that at 1 (both ours)", "ms", pairs, bound=DEARER_AT_200)]


async def swallowed(url: str) -> float:
    """Receive a bomb; return the growth of the peak memory in MB."""
    async with Transport(ProviderName.ASSETPAY, url, ssl.create_default_context(), _Clock()) as transport:
        await transport.request("GET", "/answer")
        before = memory("VmRSS")
        try:
            await transport.request("GET", "/bomb")
        except ProviderError as error:
            print(f"200 MB, compressed to 200 KB: {error.failure.kind}")
        return (memory("VmHWM") - before) / 1e6


async def reading(*, rounds: int) -> list[Ratio]:
    """Compare both readers, and measure the longest stall of the event loop for the largest answer."""
    ratios = []
    stalls: list[tuple[float, float]] = []
    for size in SIZES:
        body = document(size)
        answer = Response(ProviderName.ASSETPAY, 200, {}, body, datetime.now(UTC))
        times: list[tuple[float, float]] = []
        for number in range(rounds + 1):
            began = time.perf_counter()
            page: Page = await read(answer, READER.tolerant, whole=READER.whole)
            ours = time.perf_counter() - began
            began = time.perf_counter()
            bare = _Document.model_validate_json(body)
            plain = time.perf_counter() - began
            assert len(page.items) == len(bare.data.inventory) == size
            if number:
                times.append((ours * 1000, plain * 1000))
                if size == SIZES[-1]:
                    del page, bare
                    stalls.append((await stalled(answer), LONGEST_STALL))
        print(f"an answer of {size:,} items has {len(body) / 1e6:.2f} MB")
        bound = READING if size < SIZES[-1] else None
        ratios.append(ratio_of(f"reading {size:,} items", "ms", times, bound=bound))
    return [*ratios, ratio_of("longest stall beside 10,000 items, to 50 ms", "ms", stalls, bound=1.0)]


async def collected(body: bytes, inventories: int = 10) -> Fact:
    """Return the time of a full garbage collection with this many large inventories in memory."""
    answer = Response(ProviderName.ASSETPAY, 200, {}, body, datetime.now(UTC))
    gc.collect()
    gc.freeze()  # as the program does when it has started
    kept = [await read(answer, READER.tolerant, whole=READER.whole) for _ in range(inventories)]
    gc.collect()
    began = time.perf_counter()
    gc.collect()
    items = sum(len(page.items) for page in kept)
    return Fact(
        f"a garbage collector's pass over {items:,} items", "ms", (time.perf_counter() - began) * 1000, LONGEST_STALL
    )


async def stalled(answer: Response) -> float:
    """Return the longest stall of the event loop while the answer is read, in milliseconds."""
    async with Watch() as watch:
        await read(answer, READER.tolerant, whole=READER.whole)
    return watch.worst * 1000


async def run(options: argparse.Namespace) -> list[Ratio | Fact]:
    """Measure everything."""
    async with provider() as url:
        grown = await swallowed(url)
        ratios = await asking(url, rounds=options.rounds, requests=options.requests)
    bomb_ratio = ratio_of("peak of memory by a bomb, to 16 MB", "MB", [(grown, BOMB_AT_MOST)], bound=1.0)
    collecting = await collected(document(SIZES[-1]))
    return [*ratios, bomb_ratio, *await reading(rounds=options.rounds), collecting]


def main() -> int:
    parser = options_of(__doc__, rounds=5, requests=1_000)
    options = parser.parse_args()
    measurements = asyncio.run(run(options))
    return show(measurements, options)


if __name__ == "__main__":
    sys.exit(main())
