"""The traffic of the soak benchmark: what people and machines do to SkinDesk in half an hour."""

import asyncio
import itertools
import signal
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bot.demo.people import Person, trade_url
from bot.demo.providers import faults
from bot.demo.trades import WorldTrade
from bot.demo.world import World
from bot.domain.steam import SteamId
from tests.e2e.live_bot import LiveBot, answer_of
from tests.support.bot_process import BotProcess
from tests.support.loopback_discord.guilds import Member
from tests.support.loopback_discord.messages import Message, nested
from tests.support.loopback_discord.records import InteractionRecord

CUSTOMERS = 24

_ANSWER_LATEST = 30.0
_FIRST_ACCOUNT = 6_000_000
_FIRST_STRANGER = 7_000_000
_TOKEN = "AbCdEfGh"  # noqa: S105 -- of a made-up trade URL
_CODES = ("1010", "26", "7", "E_INVALID", "escrow", "status 5", "There was an error sending your trade offer (26)")
_PENDING = (0, 1, 2, 9)
_DENIAL = "trade_url"


class Crowd(World):
    """A world in which every account has an inventory like the customer's."""

    def person(self, steam_id: SteamId) -> Person | None:
        """Return the person with this SteamID, a stranger if there is none."""
        return super().person(steam_id) or replace(self.customer, steam_id=steam_id, token=_TOKEN)


class Traffic:
    """Everything that people and machines do to the bot, each kind as a loop of its own."""

    def __init__(self, live: LiveBot, process: BotProcess, listen: str, folder: Path) -> None:
        self._live = live
        self._process = process
        self._listen = listen
        self._folder = folder
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.lags: list[tuple[float, float]] = []
        """Sum and count of the event loop's lags, by scrape."""
        self.outcomes: Counter[str] = Counter()
        self._customers = [(live.guild.add_member(f"customer-{n}"), _FIRST_ACCOUNT + n) for n in range(CUSTOMERS)]
        self._agents = [live.agent, *(live.guild.add_member(f"agent-{n}", live.support) for n in range(2))]
        self._turns = itertools.cycle(self._customers)
        self._agent_turns = itertools.cycle(self._agents)
        self._strangers = map(_account, itertools.count(_FIRST_STRANGER))
        self._numbers = itertools.count()
        self._pages: deque[tuple[Message, Member]] = deque(maxlen=40)
        world = live.world
        mine = world.trades_of(world.customer)
        self._resendable = itertools.cycle(mine[:6])
        self._watched = itertools.cycle([trade for trade in mine if trade.status in _PENDING])
        unhappy = (world.private, world.trade_banned, world.steam_down, world.html, world.undocumented, world.hanging)
        self._unhappy = itertools.cycle(unhappy)
        self._codes = itertools.cycle(_CODES)

    async def set_up(self) -> None:
        """Grant rights and link everyone."""
        live = self._live
        await live.set_up()
        await live.use(live.owner, "access grant", role=live.support, capability="audit.read")
        for member, account in self._customers:
            await live.use(live.agent, "link set", member=member, steam=str(SteamId.from_account_id(account)))

    def loops(self) -> Iterator[Awaitable[None]]:
        """Begin every kind of traffic; each has its pace in seconds."""
        kinds: dict[Callable[[], Awaitable[object]], float] = {
            self.cached_lookup: 0.4,
            self.strangers_lookup: 0.7,
            self.searched_lookup: 1.5,
            self.all_providers: 10,
            self.unhappy_lookup: 4,
            self.page_turn: 0.4,
            self.refresh: 7,
            self.csv_file: 20,
            self.own_trades: 2,
            self.all_trades: 5,
            self.one_trade: 3,
            self.customer_page: 6,
            self.suggestions: 1,
            self.explain: 2,
            self.refused: 1,
            self.link_status: 5,
            self.relink: 20,
            self.status: 5,
            self.audit: 20,
            self.export: 60,
            self.resend: 12,
            self.watch: 15,
            self.trade_changes: 20,
            self.scrape: 5,
            self.health: 10,
            self.provider_fails: 45,
            self.provider_is_down: 150,
            self.gateway_drops: 100,
            self.reload: 90,
            self.back_up: 240,
        }
        for number, (work, every) in enumerate(kinds.items()):
            yield self._repeat(work, every, after=every * (number % 7 + 1) / 8)

    async def _repeat(self, work: Callable[[], Awaitable[object]], every: float, *, after: float) -> None:
        await asyncio.sleep(after)
        while True:
            began = time.monotonic()
            name = work.__name__
            try:
                await work()
                self.done[name] += 1
            except (TimeoutError, LookupError, AssertionError, aiohttp.ClientError) as error:
                self.failed[f"{name}: {type(error).__name__}"] += 1
            await asyncio.sleep(max(0.05, began + every - time.monotonic()))

    async def _use(self, who: Member, command: str, /, **options: Any) -> Message:
        record = await self._live.begin(who, command, **options)
        return answer_of(await record.finished(_ANSWER_LATEST))

    async def _press(self, message: Message, custom_id: str, who: Member) -> InteractionRecord:
        return await (await self._live.server.click(message, custom_id, who)).finished(_ANSWER_LATEST)

    async def _press_on_a_page(self, *parts: str) -> None:
        if not self._pages:
            raise LookupError
        message, who = self._pages[next(self._numbers) % len(self._pages)]
        enabled = [each.get("custom_id", "") for each in nested(message.components) if not each.get("disabled")]
        await self._press(message, next(filter(lambda each: any(part in each for part in parts), enabled), ""), who)

    def _keep_page(self, message: Message, who: Member) -> None:
        if any(":next:" in custom_id for custom_id in message.custom_ids):
            self._pages.append((message, who))

    async def cached_lookup(self) -> None:
        member, account = next(self._turns)
        self._keep_page(await self._use(member, "inventory", tradeurl=_account(account)), member)

    async def strangers_lookup(self) -> None:
        agent = next(self._agent_turns)
        self._keep_page(await self._use(agent, "inventory", tradeurl=next(self._strangers)), agent)

    async def searched_lookup(self) -> None:
        member, account = next(self._turns)
        search = f"ak {next(self._numbers)}"
        await self._use(member, "inventory", tradeurl=_account(account), search=search)

    async def all_providers(self) -> None:
        await self._use(next(self._agent_turns), "inventory", tradeurl=next(self._strangers), provider="all")

    async def unhappy_lookup(self) -> None:
        await self._use(next(self._agent_turns), "inventory", tradeurl=next(self._unhappy).trade_url)

    async def page_turn(self) -> None:
        await self._press_on_a_page(":next:", ":first:")

    async def refresh(self) -> None:
        await self._press_on_a_page(":refresh")

    async def csv_file(self) -> None:
        await self._press_on_a_page(":csv")

    async def own_trades(self) -> None:
        who = self._live.customer if next(self._numbers) % 2 else next(self._turns)[0]
        await self._use(who, "trades")

    async def all_trades(self) -> None:
        agent = next(self._agent_turns)
        self._keep_page(await self._use(agent, "trades", scope="all"), agent)

    async def one_trade(self) -> None:
        trade = self._live.world.trades[next(self._numbers) % len(self._live.world.trades)]
        await self._use(next(self._agent_turns), "trades", reference=str(trade.id))

    async def customer_page(self) -> None:
        await self._use(next(self._agent_turns), "customer", member=next(self._turns)[0])

    async def suggestions(self) -> None:
        server, live = self._live.server, self._live
        if next(self._numbers) % 2:
            typed = await server.autocomplete(live.guild, live.channel, live.agent, "resend", "id", id="48")
        else:
            who, _ = next(self._turns)
            typed = await server.autocomplete(live.guild, live.channel, who, "explain", "code", code="esc")
        await typed.finished(_ANSWER_LATEST)

    async def explain(self) -> None:
        await self._use(next(self._turns)[0], "explain", code=next(self._codes))

    async def refused(self) -> None:
        await self._use(next(self._turns)[0], "access list")

    async def link_status(self) -> None:
        await self._use(next(self._turns)[0], "link status")

    async def relink(self) -> None:
        """Link the last customer to another of four accounts."""
        member, account = self._customers[-1]
        other = SteamId.from_account_id(account + 100 + next(self._numbers) % 4)
        await self._use(self._live.agent, "link set", member=member, steam=str(other))

    async def status(self) -> None:
        await self._use(next(self._turns)[0], "status")

    async def audit(self) -> None:
        await self._use(self._live.agent, "audit", limit=50)

    async def export(self) -> None:
        await self._use(next(self._turns)[0], "mydata export")

    async def resend(self) -> None:
        """Ask for a resend and approve or deny it; then the trade is as it was before."""
        live, trade = self._live, next(self._resendable)
        before = replace(trade)
        seen = len(live.approvals.messages)
        await self._use(next(self._agent_turns), "resend", id=str(trade.id), reason="The customer asked for it")
        card = live.approvals.messages[seen]
        is_approved = next(self._numbers) % 3 != 0
        record = await self._press(card, _button(card, ":approve" if is_approved else ":deny"), live.moderator)
        if not is_approved:
            menu = answer_of(record)
            [custom_id] = menu.custom_ids
            await (await live.server.select(menu, custom_id, live.moderator, _DENIAL)).finished(_ANSWER_LATEST)
        await live.card_shows(card, "sent" if is_approved else "denied", _ANSWER_LATEST)
        _restore(trade, before)

    async def watch(self) -> None:
        trade = next(self._watched)
        page = await self._use(self._live.customer, "trades", reference=str(trade.id))
        await self._press(page, _button(page, "watch:on:"), self._live.customer)

    async def trade_changes(self) -> None:
        """Change the status of a trade that may be watched, so that its watcher gets a message."""
        trade = next(self._watched)
        trade.status = _PENDING[next(self._numbers) % len(_PENDING)]

    async def scrape(self) -> None:
        async with aiohttp.ClientSession() as session, session.get(f"http://{self._listen}/metrics") as answer:
            text = await answer.text()
        prefix = "skindesk_event_loop_lag_seconds"
        lag = dict.fromkeys((f"{prefix}_sum", f"{prefix}_count"), 0.0)
        outcomes: Counter[str] = Counter()
        for family in text_string_to_metric_families(text):
            for each in family.samples:
                if each.name in lag:
                    lag[each.name] = each.value
                if each.name == "skindesk_interactions_total":
                    outcomes[each.labels["outcome"]] += int(each.value)
        self.outcomes = outcomes
        self.lags.append((lag[f"{prefix}_sum"], lag[f"{prefix}_count"]))

    async def health(self) -> None:
        async with aiohttp.ClientSession() as session:
            for path in ("healthz", "readyz"):
                async with session.get(f"http://{self._listen}/{path}") as answer:
                    await answer.read()

    async def provider_fails(self) -> None:
        providers = self._live.providers
        provider = (providers.assetpay, providers.mannco, providers.skinsback)[next(self._numbers) % 3]
        provider.faults.extend([faults.html(502), faults.half, faults.throttled(retry_after="1"), faults.html()])

    async def provider_is_down(self) -> None:
        provider = self._live.providers.assetpay
        await provider.stop()
        await asyncio.sleep(15)
        await provider.start()

    async def gateway_drops(self) -> None:
        if next(self._numbers) % 2:
            self._live.server.gateway.drop()
        else:
            await self._live.server.gateway.close()

    async def reload(self) -> None:
        self._process.send_signal(signal.SIGHUP)

    async def back_up(self) -> None:
        """Copy the database with the real command, which reads one snapshot while others write."""
        target = self._folder / f"backup-{next(self._numbers)}.db"
        async with self._live.bot("backup", str(target)) as command:
            assert await command.wait(120) == 0, command.stderr
        target.unlink()

    def clean(self) -> None:
        """Let go of what the loopback Discord keeps for tests: it has no part in this."""
        self._live.server.requests.clear()
        self._process.stderr_lines.clear()


def _account(number: int) -> str:
    return trade_url(SteamId.from_account_id(number), _TOKEN)


def _button(message: Message, part: str) -> str:
    return next((custom_id for custom_id in message.custom_ids if part in custom_id), "")


def _restore(trade: WorldTrade, before: WorldTrade) -> None:
    for name in trade.__slots__:
        setattr(trade, name, getattr(before, name))
