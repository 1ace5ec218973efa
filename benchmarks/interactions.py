"""Compares processor time and latency of interactions with a bare discord.py bot that gives the same answers.

``uv run python -m benchmarks.interactions`` prints a table; ``--json FILE`` saves it. Both bots are processes on
loopback Discords of their own, over real sockets; rounds are interleaved and medians compared.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from benchmarks.measuring import Ratio, cpu_seconds, options_of, percentile, ratio_of, show
from bot.demo.chance import Chance
from bot.demo.people import trade_url
from bot.demo.providers import SimulatedProviders
from bot.demo.trades import TradeMaker
from bot.demo.world import World
from bot.domain.steam import SteamId
from tests.e2e.live_bot import LiveBot, answer_of
from tests.support.bot_process import BotProcess
from tests.support.discord_server import LoopbackDiscord
from tests.support.loopback_discord.guilds import Channel, Guild, Member
from tests.support.loopback_discord.messages import nested
from tests.support.loopback_discord.records import InteractionRecord

_BARE = "import asyncio\nfrom benchmarks.bare_bot import main\nasyncio.run(main())\n"
_BOUND = 1.6
_BOUNDS = {"/trades": 4.0}
"""Of 500 trades SkinDesk makes exact values and stores them; the reference only parses their JSON."""
_BUTTON = 2
_ITEMS = 50
_TRADES = 500
_MANY_ITEMS = 10_000
LARGE = "large /inventory"
"""A lookup by an agent while others work; it has no reference."""

_MOST_BYTES = 8 * 1024 * 1024
_COLLECTORS = 99_990_000
_LARGE_OWNER = "partner=9999"

Use = Callable[[], Coroutine[Any, Any, InteractionRecord]]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two bots: its process and its interactions."""

    process: BotProcess
    uses: dict[str, Use]


@dataclass(slots=True)
class Measured:
    """One round of one side: processor milliseconds an interaction, and milliseconds to both answers."""

    cpu: float
    acknowledged: list[float] = field(default_factory=list)
    finished: list[float] = field(default_factory=list)


async def measured(side: Side, what: str, *, interactions: int, at_once: int) -> Measured:
    """Run so many interactions, ``at_once`` at a time."""
    before = cpu_seconds(side.process.pid)
    records: list[InteractionRecord] = []
    numbers = iter(range(interactions))

    async def person() -> None:
        for _ in numbers:
            record = await side.uses[what]()
            records.append(await record.finished(30.0))

    await asyncio.gather(*(person() for _ in range(at_once)))
    await asyncio.sleep(0.05)  # work after the answer belongs to the interaction, too
    result = Measured((cpu_seconds(side.process.pid) - before) * 1000 / interactions)
    for record in records:
        result.acknowledged.append(record.acknowledged_after * 1000)
        assert record.finished_at is not None
        result.finished.append((record.finished_at - record.dispatched_at) * 1000)
    return result


async def compared(
    ours: Side, bare: Side, what: str, *, rounds: int, interactions: int, at_once: int, bound: float | None
) -> list[Ratio]:
    """Measure both sides in turn and return the ratios of one thing."""
    pairs: list[tuple[Measured, Measured]] = []
    for number in range(rounds + 1):
        pair = [await measured(side, what, interactions=interactions, at_once=at_once) for side in (ours, bare)]
        if number:  # the first round warms both up
            pairs.append((pair[0], pair[1]))
    return [
        ratio_of(f"{what}: CPU", "ms", [(a.cpu, b.cpu) for a, b in pairs], bound=bound),
        ratio_of(
            f"{what}: acknowledged, median",
            "ms",
            [(percentile(a.acknowledged, 0.5), percentile(b.acknowledged, 0.5)) for a, b in pairs],
        ),
        ratio_of(
            f"{what}: finished, median",
            "ms",
            [(percentile(a.finished, 0.5), percentile(b.finished, 0.5)) for a, b in pairs],
        ),
    ]


@asynccontextmanager
async def canned_provider(body: bytes) -> AsyncIterator[str]:
    """Serve one and the same answer for every inventory, as fast as can be, and give the address."""
    large = _large(body)

    async def answer(request: web.BaseRequest) -> web.Response:
        is_large = _LARGE_OWNER in request.query.get("tradeUrl", "")
        return web.Response(body=large if is_large else body, content_type="application/json")

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def _large(body: bytes) -> bytes:
    """Return the answer with ten thousand items."""
    answer = json.loads(body)
    items = answer["data"]["inventory"]
    many = [items[number % len(items)] | {"id": f"item-{number}", "stickers": []} for number in range(_MANY_ITEMS)]
    answer["data"] |= {"inventory": many, "count": len(many)}
    large = json.dumps(answer, separators=(",", ":")).encode()
    assert len(large) < _MOST_BYTES
    return large


async def answer_of_provider(providers: SimulatedProviders, world: World) -> bytes:
    """Return what AssetPay answers for the customer's inventory."""
    async with aiohttp.ClientSession() as session:
        address = f"{providers.assetpay.url}/secure/inventory"
        parameters = {"tradeUrl": world.customer.trade_url, "game": "730", "page": "1", "limit": "-1"}
        async with session.get(
            address, params=parameters, headers={"api-key": world.credentials.assetpay_api_key}
        ) as got:
            answer = await got.json()
    data = answer["data"]
    data["inventory"] = data["inventory"][:_ITEMS]
    data["count"] = len(data["inventory"])
    return json.dumps(answer).encode()


def with_trades(world: World) -> World:
    """Give the customer so many trades more that the merchant has as many as one reading lists."""
    maker = TradeMaker(
        Chance(1, "trades"),
        world.customer.steam_id,
        first_id=max(each.id for each in world.trades) + 1,
        now=world.now(),
    )
    world.trades += maker.history(_TRADES - len(world.trades))
    return world


def strangers(first: int = 1_000_000) -> Iterator[str]:
    """Yield trade URLs of new accounts."""
    for number in count(first):
        yield trade_url(SteamId.from_account_id(number), "AbCdEfGh")


async def skindesk_side(stack: AsyncExitStack, folder: Path, providers: SimulatedProviders, address: str) -> Side:
    """Start SkinDesk, set it up, and return its interactions."""
    server = await stack.enter_async_context(LoopbackDiscord())
    live = LiveBot(server, providers, folder)
    process = await stack.enter_async_context(
        live.bot(
            providers__assetpay__base_url=address,
            providers__assetpay__verified="true",
            observability__log_level="info",
        )
    )
    await process.wait_ready()
    await live.set_up()
    page = await live.use(live.customer, "inventory", tradeurl=live.world.customer.trade_url)
    unknown, collectors = strangers(), strangers(_COLLECTORS)
    customer = str(live.world.customer.steam_id)

    async def turn_page() -> InteractionRecord:
        forward, back = (next(each for each in page.custom_ids if word in each) for word in (":next:", ":first:"))
        can_go_on = not next(each for each in nested(page.components) if each.get("custom_id") == forward)["disabled"]
        return await server.click(page, forward if can_go_on else back, live.customer)

    return Side(
        process,
        {
            "cached /inventory": lambda: live.begin(live.customer, "inventory", tradeurl=live.world.customer.trade_url),
            "uncached /inventory": lambda: live.begin(live.agent, "inventory", tradeurl=next(unknown)),
            "page turn": turn_page,
            # By an agent: a customer's share of Mannco.store's limit would be used up within the first round.
            "/trades": lambda: live.begin(live.agent, "trades", scope="all", steam_id=customer),
            "refused command": lambda: live.begin(live.customer, "access list"),
            LARGE: lambda: live.begin(live.agent, "inventory", tradeurl=next(collectors)),
        },
    )


async def bare_side(stack: AsyncExitStack, folder: Path, answers: dict[str, Any]) -> Side:
    """Start the reference, and return its interactions."""
    (folder / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    server = await stack.enter_async_context(LoopbackDiscord())
    guild, channel, member, agent = _place(server)
    process = await stack.enter_async_context(BotProcess(server, cwd=folder, program=_BARE, arguments=()))
    await process.wait_ready()
    shown = answer_of(await (await server.slash(guild, channel, member, "inventory", tradeurl="x")).finished())
    unknown = strangers()

    async def turn_page() -> InteractionRecord:
        pressed = next(each for each in nested(shown.components) if each["type"] == _BUTTON and not each["disabled"])
        return await server.click(shown, pressed["custom_id"], member)

    return Side(
        process,
        {
            "cached /inventory": lambda: server.slash(guild, channel, member, "inventory", tradeurl=next(unknown)),
            "uncached /inventory": lambda: server.slash(guild, channel, agent, "lookup", tradeurl=next(unknown)),
            "page turn": turn_page,
            "/trades": lambda: server.slash(guild, channel, member, "trades", scope="all"),
            "refused command": lambda: server.slash(guild, channel, member, "access list"),
        },
    )


def _place(server: LoopbackDiscord) -> tuple[Guild, Channel, Member, Member]:
    """Add a guild of the same size as SkinDesk's, so that the events are equal."""
    guild = server.add_guild("Skin Market")
    channel = guild.add_channel("support")
    for name in ("approvals", "audit"):
        guild.add_channel(name)
    support = guild.add_role("Support")
    guild.add_role("Moderators")
    return guild, channel, guild.add_member("mia"), guild.add_member("alex", support)


async def shown_by(side: Side) -> dict[str, Any]:
    """Return the embeds and components of SkinDesk's answers."""
    answers = {}
    for name, use in (
        ("inventory", "cached /inventory"),
        ("page", "page turn"),
        ("trades", "/trades"),
        ("refused", "refused command"),
    ):
        shown = answer_of(await (await side.uses[use]()).finished())
        answers[name] = {"embed": shown.embeds[0], "components": shown.components}
    return answers


async def run(*, rounds: int, interactions: int, at_once: int) -> list[Ratio]:
    """Measure everything."""
    world = with_trades(World())
    ratios: list[Ratio] = []
    async with AsyncExitStack() as stack:
        providers = await stack.enter_async_context(SimulatedProviders(world, mannco_as_admin=True))
        address = await stack.enter_async_context(canned_provider(await answer_of_provider(providers, world)))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "ours").mkdir()
        (folder / "bare").mkdir()
        ours = await skindesk_side(stack, folder / "ours", providers, address)
        answers = await shown_by(ours) | {
            "lookup": f"{address}/secure/inventory",
            "list": f"{providers.mannco.url}/trades/all",
            "list_headers": {"Authorization": f"Bearer {providers.mannco.issue_token()}"},
        }
        bare = await bare_side(stack, folder / "bare", answers)
        for what in bare.uses:
            bound = _BOUNDS.get(what, _BOUND)
            ratios += await compared(
                ours, bare, what, rounds=rounds, interactions=interactions, at_once=at_once, bound=bound
            )
    return ratios


def main() -> int:
    parser = options_of(__doc__, rounds=5, interactions=200, at_once=4)
    options = parser.parse_args()
    results = asyncio.run(run(rounds=options.rounds, interactions=options.interactions, at_once=options.at_once))
    return show(results, options)


if __name__ == "__main__":
    sys.exit(main())
