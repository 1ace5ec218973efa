"""One hostile customer beside twenty healthy ones, and a real outage: who is answered, and how fast.

``uv run python -m benchmarks.fairness`` prints a table; ``--json FILE`` saves it. Exit code 1 if a bound is missed.

The whole bot runs as a process, on a loopback Discord and at one loopback provider that answers after 100 to 200 ms.
Every customer is linked to an account of their own, and no lookup can be answered from memory. Twenty customers make
five lookups a second together, an agent one every two seconds. A hostile customer keeps thirty commands open and sends
up to fifty a second, more than Discord lets one user send, and the provider answers badly for that account. Each way to
answer badly has a hostile customer of its own, and its turn. The reference are quiet phases before each turn.
The documented limits are those of a verified merchant, so that they refuse nothing.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from benchmarks.interactions import answer_of_provider
from benchmarks.measuring import Fact, Ratio, options_of, percentile, ratio_of, show
from bot.demo.people import trade_url
from bot.demo.providers import SimulatedProviders
from bot.demo.world import World
from bot.domain.steam import SteamId
from tests.e2e.live_bot import LiveBot, answer_of
from tests.support.discord_server import LoopbackDiscord
from tests.support.loopback_discord.guilds import Member
from tests.support.loopback_discord.records import InteractionRecord
from tests.support.ports import free_port

CUSTOMERS = 20
LOOKUPS_A_SECOND = 5
AGENT_EVERY = 2.0
HOSTILE_OPEN = 30
HOSTILE_EVERY = 1 / 50
ANSWERED = 0.99
SLOWER = 2.0
OPENS_WITHIN = 10
CLOSES_WITHIN = 20.0
_FIRST_ACCOUNT = 5_000_000
_FIRST_HOSTILE = _FIRST_ACCOUNT - 100
_ITEMS = 50
_ITEMS_FOUND = re.compile(r"\b50 items\b")
_MOST_BYTES = 8 * 2**20
_ANSWER_LATEST = 30.0
_NOT_ASKED = {"ok", "resting", "busy", "busy_with_own", "over_budget"}

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def plain(body: bytes, status: int = 200, content_type: str = "application/json") -> Answer:
    """Return a way to answer at once."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=body, status=status, content_type=content_type)

    return answer


async def hang(_: web.BaseRequest) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def drip(request: web.BaseRequest) -> web.StreamResponse:
    """Send an endless body, one byte every half second."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.5)
    return response


class Provider:
    """AssetPay on loopback. ``hostile`` answers for the hostile customers' accounts, ``all`` for everyone."""

    def __init__(self, body: bytes, hostile: dict[str, Answer]) -> None:
        self._body = body
        self.hostile = hostile
        self._pauses = itertools.cycle((0.1, 0.15, 0.2))
        self._port = 0
        self._runner: web.ServerRunner | None = None
        self.all: Answer | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen, always at the same address."""
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, backlog=2048, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Refuse every connection, and close those that are open."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        url = request.query.get("tradeUrl", "")
        bad = (each for number, each in enumerate(self.hostile.values()) if f"={_FIRST_HOSTILE + number}&" in url)
        answer = self.all or next(bad, None)
        if answer is not None:
            return await answer(request)
        await asyncio.sleep(next(self._pauses))
        return web.Response(body=self._body, content_type="application/json")


def hostile_answers(body: bytes) -> dict[str, Answer]:
    """Return each kind of bad answer."""
    answer = json.loads(body)
    items = answer["data"]["inventory"]
    length = len(json.dumps(items).encode()) // len(items)
    many = [items[number % len(items)] | {"id": f"item-{number}"} for number in range(_MOST_BYTES // length)]
    answer["data"] |= {"inventory": many, "count": len(many)}
    huge = json.dumps(answer).encode()
    while len(huge) > _MOST_BYTES:
        del many[-len(many) // 50 :]
        answer["data"]["count"] = len(many)
        huge = json.dumps(answer).encode()
    return {
        "unreadable": plain(b"<html>Welcome</html>", content_type="text/html"),
        "HTTP 500": plain(b"", 500),
        "hanging": hang,
        "slow": drip,
        f"huge ({len(many):,} items)": plain(huge),
        "huge (over 8 MiB)": plain(huge.ljust(_MOST_BYTES + 1)),
    }


@dataclass(slots=True)
class Answers:
    """The lookups of one or several phases: how many were answered with items, and the milliseconds to each answer."""

    asked: int = 0
    with_items: int = 0
    times: list[float] = field(default_factory=list)

    def note(self, record: InteractionRecord) -> None:
        """Add an answer."""
        assert record.finished_at is not None
        self.with_items += _ITEMS_FOUND.search(answer_of(record).text) is not None
        self.times.append((record.finished_at - record.dispatched_at) * 1000)


class Desk:
    """The bot, the healthy people, and the hostile one."""

    def __init__(self, live: LiveBot, provider: Provider, metrics: str, session: aiohttp.ClientSession) -> None:
        self._live = live
        self.provider = provider
        self._metrics = metrics
        self._session = session
        self._numbers = itertools.count()
        self._customers = [
            (live.guild.add_member(f"customer-{number}"), _FIRST_ACCOUNT + number) for number in range(CUSTOMERS)
        ]
        self._hostile = {
            kind: (live.guild.add_member(f"hostile-{number}"), _FIRST_HOSTILE + number)
            for number, kind in enumerate(provider.hostile)
        }
        self._turns = itertools.cycle(self._customers)

    async def link_all(self) -> None:
        """Link every customer to their account."""
        for member, account in [*self._customers, *self._hostile.values()]:
            steam_id = str(SteamId.from_account_id(account))
            await self._live.use(self._live.agent, "link set", member=member, steam=steam_id)

    async def _begin(self, member: Member, account: int) -> InteractionRecord:
        url = trade_url(SteamId.from_account_id(account), "AbCdEfGh")
        return await self._live.begin(member, "inventory", tradeurl=url, search=f"ak {next(self._numbers)}")

    async def healthy(self, seconds: float, answers: Answers) -> None:
        """Make lookups at a steady rate, whether those before are answered or not, and wait for all answers."""
        waiting: list[asyncio.Task[None]] = []
        began = time.monotonic()
        agent_next = began

        async def one(member: Member, account: int) -> None:
            answers.asked += 1
            with contextlib.suppress(TimeoutError):
                answers.note(await (await self._begin(member, account)).finished(_ANSWER_LATEST))

        for number in itertools.count():
            now = time.monotonic()
            if now >= began + seconds:
                break
            waiting.append(asyncio.create_task(one(*next(self._turns))))
            if now >= agent_next:
                agent_next += AGENT_EVERY
                waiting.append(asyncio.create_task(one(self._live.agent, _FIRST_ACCOUNT + CUSTOMERS)))
            await asyncio.sleep(max(0.0, began + (number + 1) / LOOKUPS_A_SECOND - time.monotonic()))
        await asyncio.gather(*waiting)

    @asynccontextmanager
    async def attacked(self, kind: str) -> AsyncIterator[Answers]:
        """Let the hostile customer of this kind ask as fast as they can, and yield what they get."""
        answers = Answers()
        running: set[asyncio.Task[None]] = set()

        async def one() -> None:
            answers.asked += 1
            with contextlib.suppress(TimeoutError):
                answers.note(await (await self._begin(*self._hostile[kind])).finished(_ANSWER_LATEST))

        async def attack() -> None:
            while True:
                if len(running) < HOSTILE_OPEN:
                    task = asyncio.create_task(one())
                    running.add(task)
                    task.add_done_callback(running.discard)
                await asyncio.sleep(HOSTILE_EVERY)

        attacking = asyncio.create_task(attack())
        try:
            yield answers
        finally:
            attacking.cancel()
            await asyncio.gather(attacking, *running, return_exceptions=True)

    async def state(self) -> tuple[bool, int]:
        """Return whether the circuit is open, and how many calls have failed."""
        async with self._session.get(self._metrics) as got:
            lines = (await got.text()).splitlines()
        is_open, failed = False, 0
        for line in lines:
            if 'provider="assetpay"' not in line:
                continue
            value = float(line.rsplit(" ", 1)[1])
            if line.startswith("skindesk_provider_state{") and 'state="resting"' in line:
                is_open = value == 1
            elif line.startswith("skindesk_provider_calls_total{"):
                outcome = re.search(r'outcome="(\w+)"', line)
                assert outcome is not None
                failed += 0 if outcome[1] in _NOT_ASKED else int(value)
        return is_open, failed

    async def until(self, is_open: bool, within: float) -> float:  # noqa: FBT001 -- what is waited for
        """Return the seconds until the circuit is open, or closed."""
        began = time.monotonic()
        while (await self.state())[0] is not is_open:
            if time.monotonic() > began + within:
                return float("inf")
            await asyncio.sleep(0.05)
        return time.monotonic() - began


async def attacks(desk: Desk, options: argparse.Namespace) -> list[Ratio | Fact]:
    """Measure the healthy people alone and beside each kind of hostile answers, in turn."""
    answers = desk.provider.hostile
    beside: dict[str, list[Answers]] = {kind: [] for kind in answers}
    alone: dict[str, list[Answers]] = {kind: [] for kind in answers}
    await desk.healthy(3.0, Answers())  # warms up
    for _ in range(options.rounds):
        for kind in answers:
            before, during = Answers(), Answers()
            await desk.healthy(options.seconds, before)
            async with desk.attacked(kind) as hostile:
                await asyncio.sleep(1.0)
                await desk.healthy(options.seconds, during)
            print(
                f"{kind}: {hostile.asked} hostile lookups beside {during.asked} healthy ones, "
                f"p95 {percentile(during.times, 0.95):.0f} ms, before {percentile(before.times, 0.95):.0f} ms",
                flush=True,
            )
            alone[kind].append(before)
            beside[kind].append(during)
    results: list[Ratio | Fact] = []
    for kind in answers:
        share, reference = share_of(beside[kind]), share_of(alone[kind])
        results.append(Ratio(f"{kind}: answered with items", "", share, reference, share, ANSWERED, at_least=True))
        times = [time for each in beside[kind] for time in each.times]
        quiet = [time for every in alone.values() for each in every for time in each.times]
        pair = (percentile(times, 0.95), percentile(quiet, 0.95))
        results.append(ratio_of(f"{kind}: p95 of the healthy", "ms", [pair], bound=SLOWER))
    return results


def share_of(phases: list[Answers]) -> float:
    """Return the share of lookups that were answered with items."""
    return sum(each.with_items for each in phases) / sum(each.asked for each in phases)


async def outages(desk: Desk, options: argparse.Namespace) -> list[Ratio | Fact]:
    """Let the provider fail for everyone; measure how the circuit opens, and how it closes when it is over."""
    results: list[Ratio | Fact] = []
    for kind, answer in (("HTTP 500", plain(b"", 500)), ("refused connections", None), ("hanging", hang)):
        await desk.until(is_open=False, within=_ANSWER_LATEST)
        _, before = await desk.state()
        asking = asyncio.create_task(desk.healthy(3600.0, Answers()))
        await asyncio.sleep(2.0)
        if answer is None:
            await desk.provider.stop()
        desk.provider.all = answer
        opened_after = await desk.until(is_open=True, within=60.0)
        failed = (await desk.state())[1] - before if opened_after < float("inf") else float("inf")
        await asyncio.sleep(options.outage)
        still_open = (await desk.state())[0]
        desk.provider.all = None
        if answer is None:
            await desk.provider.start()
        closed_after = await desk.until(is_open=False, within=60.0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        after = Answers()
        await desk.healthy(3.0, after)
        print(f"outage, {kind}: opened after {opened_after:.1f} s, open after {options.outage} s more: {still_open}")
        results += [
            Fact(f"outage, {kind}: failures until the circuit opens", "", failed, OPENS_WITHIN),
            Fact(f"outage, {kind}: recovered until it closes", "s", closed_after, CLOSES_WITHIN),
            Ratio(
                f"outage, {kind}: answered after it", "", share_of([after]), 1.0, share_of([after]), 1.0, at_least=True
            ),
        ]
    return results


async def run(options: argparse.Namespace) -> list[Ratio | Fact]:
    """Measure everything."""
    world = World()
    async with AsyncExitStack() as stack:
        providers = await stack.enter_async_context(SimulatedProviders(world, mannco_as_admin=True))
        body = await answer_of_provider(providers, world)
        provider = Provider(body, hostile_answers(body))
        await provider.start()
        stack.push_async_callback(provider.stop)
        server = await stack.enter_async_context(LoopbackDiscord())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        metrics = f"127.0.0.1:{free_port()}"
        live = LiveBot(server, providers, folder)
        process = await stack.enter_async_context(
            live.bot(
                providers__assetpay__base_url=provider.url,
                providers__assetpay__verified="true",
                observability__log_level="warning",
                observability__listen=metrics,
            )
        )
        await process.wait_ready()
        await live.set_up()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        desk = Desk(live, provider, f"http://{metrics}/metrics", session)
        await desk.link_all()
        return [*await attacks(desk, options), *await outages(desk, options)]


def main() -> int:
    options = options_of(__doc__, rounds=2, seconds=10, outage=40).parse_args()
    return show(asyncio.run(run(options)), options)


if __name__ == "__main__":
    sys.exit(main())
