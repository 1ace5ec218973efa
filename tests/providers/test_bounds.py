"""A provider's answer has bounds: memory, the event loop's time, connections."""

import asyncio
import json
import re
import ssl
import sys
import time
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import discord
import pytest

from bot.app import assembled
from bot.config import Settings
from bot.domain.access import Actor, Capability
from bot.domain.errors import ProviderError
from bot.domain.failures import FailureKind
from bot.domain.inventory import Sort
from bot.domain.snapshots import Snapshot
from bot.providers.transport import Limits, Transport
from bot.services.container import Services
from bot.services.inventory import InventoryRequest
from bot.ui.pager import page_with_controls
from tests.fakes.clock import FakeClock
from tests.providers.calls import CALLS, client, secure, skinsback, trade_by_reference, trades, trades_by_token
from tests.support.loopback import as_json, content, in_a_process, in_turn

BY = Actor(1, 2, frozenset({1}), administers=True)
MIB = 2**20
ROOT = Path(__file__).parents[2]


# A bomb


def bomb() -> bytes:
    """Return 200 KB that inflate to 200 MB and begin like an answer."""
    compressor = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    head = compressor.compress(b'{"success": true, "data": {"inventory": ["')
    return head + b"".join(compressor.compress(b"0" * MIB) for _ in range(200)) + compressor.flush()


def memory(what: str) -> int:
    """Return this process's memory in bytes: VmRSS is the current one, VmHWM its peak."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


async def swallow(url: str) -> None:
    """Call every call with an ordinary answer and with a bomb, and print the results."""
    tls = ssl.create_default_context()
    found = {}
    for warm_up in (True, False):
        before = memory("VmRSS")
        for call, provider in CALLS.items():
            async with Transport(provider, f"{url}/{'small' if warm_up else 'bomb'}", tls, FakeClock()) as transport:
                began = time.monotonic()
                try:
                    await call(transport)
                except ProviderError as error:
                    kind = error.failure.kind.value
                    found[call.__name__] = (kind, time.monotonic() - began, memory("VmHWM") - before)
    sys.stdout.write(json.dumps(found))


async def test_bomb(server):
    """Every call refuses a gzip of 200 KB that inflates to 200 MB in time, for less than 16 MB of memory.

    A list of AssetPay's trades is two calls side by side.

    The kernel counts the memory, in a process of its own: tracemalloc does not see that of the allocator and zlib.
    """
    body = bomb()
    assert 190_000 < len(body) < 250_000
    small, large = as_json({}), content(body, content_encoding="gzip")
    server.script = lambda asked: large if "/bomb" in asked.path else small
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c",
        f"import asyncio; from tests.providers.test_bounds import swallow; asyncio.run(swallow({server.url!r}))",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await child.communicate()

    found: dict[str, tuple[str, float, int]] = json.loads(out)
    assert {name: kind for name, (kind, _, _) in found.items()} == {
        call.__name__: FailureKind.TOO_LARGE.value for call in CALLS
    }
    assert all(seconds < Limits().deadline for _, seconds, _ in found.values())
    *_, together = found.pop(trades_by_token.__name__)  # the last one, because the kernel keeps the peak
    assert max(growth for *_, growth in found.values()) < 16_000_000
    assert together < 32_000_000


# Too many items

ENVELOPES = {
    secure: ('{"success": true, "data": {"inventory": [%s]}}', "data.inventory", '{"id": "7"}'),
    client: ('{"success": true, "data": {"inventory": [%s]}}', "data.inventory", '{"id": "7"}'),
    skinsback: ('{"status": "success", "data": {"items": [%s]}}', "data.items", '{"item": {"asset_id": "7"}}'),
    trades: ('{"err": false, "success": true, "content": {"trades": [%s]}}', "content.trades", '{"id": 7}'),
    trade_by_reference: ('{"success": true, "data": [%s]}', "data", '{"id": "7"}'),
}


@pytest.mark.parametrize("call", ENVELOPES, ids=lambda call: call.__name__)
async def test_a_hundred_thousand_items(server, connect, failure_of, caplog, call):
    """A list longer than any inventory is refused with its place, or for its size, before its items are read."""
    envelope, place, smallest = ENVELOPES[call]
    full_grown = smallest.replace("7", f"7{' ' * 200}", 1)
    server.script = in_turn(
        content((envelope % ",".join([smallest] * 100_000)).encode()),
        content((envelope % ",".join([full_grown] * 100_000)).encode()),
    )
    transport = connect(CALLS[call])

    short = await failure_of(call(transport))
    long = await failure_of(call(transport))

    assert (short.kind, short.place) == (FailureKind.NONSENSE, place)
    assert long.kind is FailureKind.TOO_LARGE
    assert f"unexpected answer provider={CALLS[call].value} place={place}" in caplog.text


# The event loop's time

ITEMS = 10_000
SERVER = """
import http.server, pathlib, sys
class Provider(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = pathlib.Path(sys.argv[1]).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
print(server.server_port, flush=True)
server.serve_forever()
"""
"""A process of its own, so that it does not use the bot's event loop."""


def name_of(number: int) -> str:
    return f"AK-47 | {('Redline', 'Slate', 'Frontside Misty')[number % 3]} {number * 7919 % 5000} (Field-Tested)"


def price_of(number: int) -> float:
    return (number * 31 % 10_000 + 1) / 100


def assetpay_item(number: int) -> dict[str, object]:
    return {
        "id": f"{number:032x}",
        "name": name_of(number),
        "marketHashName": name_of(number),
        "type": "Rifle",
        "iconUrl": f"{number % 2000:0110d}",
        "appid": 730,
        "tradable": True,
        "marketPrice": price_of(number) + 1,
        "offer": {"price": price_of(number), "reference": str(number), "accepted": number % 7 != 0, "maxAmount": 1},
        "exterior": "Field-Tested",
        "wear": number / ITEMS,
        "rarity": "Classified",
        "color": "#d32ce6",
        "paintSeed": number % 1000,
        "stickers": [{"slot": slot, "name": f"Crown (Foil) {slot}", "wear": 0.5} for slot in range(number % 4)],
    }


@pytest.fixture
async def large_inventories(tmp_path: Path) -> AsyncIterator[str]:
    """Serve AssetPay inventories of 10,000 items."""
    document = {"success": True, "data": {"inventory": [*map(assetpay_item, range(ITEMS))], "count": ITEMS}}
    (tmp_path / "answer").write_text(json.dumps(document))
    async with in_a_process(SERVER, tmp_path / "answer") as address:
        yield address


class Watch:
    """Measures the longest stall of the event loop in the block; ``worst`` is in seconds of this process's work.

    It makes no system call, because each gives the interpreter to a working thread for 5 ms.
    """

    def __init__(self) -> None:
        self.worst = 0.0

    async def __aenter__(self) -> Self:
        self._watching = asyncio.create_task(self._watch())
        await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0.01)
        self._watching.cancel()

    async def _watch(self) -> None:
        at, worked = time.perf_counter(), time.process_time()
        while True:
            await asyncio.sleep(0.001)
            before, worked_before = at, worked
            at, worked = time.perf_counter(), time.process_time()
            self.worst = max(self.worst, min(at - before, worked - worked_before))


async def test_no_stall(tmp_path: Path, large_inventories: str):
    """Two answers of 10,000 items are read, filtered, sorted and shown without a stall of 50 ms.

    First the provider's answer, then another filter from memory, then its next page. A busy machine gets three tries.
    """
    settings = Settings.model_validate(
        {
            "discord": {"token": "simulated"},
            "database": {"path": str(tmp_path / "desk.db")},
            "providers": {
                "assetpay": {"base_url": large_inventories, "api_key": "key-1", "verified": True},
                "assetpay_client": {"base_url": large_inventories, "client_token": "token-1", "verified": True},
            },
        }
    )
    worst: list[float] = []
    async with assembled(settings, clock=FakeClock()) as bot:
        services = bot.services
        await services.access.grant(1, Capability.INVENTORY_ANY, by=BY)
        for account in range(1, 4):
            url = f"https://steamcommunity.com/tradeoffer/new/?partner={account}&token=AbCdEfGh"
            whole = InventoryRequest(url, "all")
            some = replace(whole, search="redline", sort=Sort.PRICE_DESC, min_price=Decimal("0.5"))
            async with Watch() as watch:
                texts = [await first_page(services, request) for request in (whole, some)]
            assert f"of {ITEMS:,} items" in texts[0]
            assert "Redline" in texts[1]
            assert "Slate" not in texts[1]
            worst.append(watch.worst)
            if min(worst) < 0.05:
                break

    assert min(worst) < 0.05


async def page_of(services: Services, pages: Snapshot, index: int) -> discord.Embed:
    """Show a page as a click does."""
    session: Any = SimpleNamespace(services=services)
    embed, _ = await page_with_controls(session, pages, index)
    return embed


async def first_page(services: Services, request: InventoryRequest) -> str:
    """Look up and show the first page, then the second; return the first page's text."""
    pages = await services.snapshots.look_up(request, by=BY)
    first = await page_of(services, pages, 0)
    await asyncio.sleep(0)
    await page_of(services, await services.snapshots.load(pages.id, by=BY), 1)
    return first.description or ""
