"""Measures what 1,000 watched trades cost: readings, the time of a round, and the longest stall of the event loop.

``uv run python -m benchmarks.watches`` exits with 1 if a bound is missed.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from benchmarks.measuring import Fact, options_of, show
from bot.domain.access import Actor, Capability, Grant
from bot.domain.failures import ProviderName
from bot.domain.steam import SteamId
from bot.domain.trades import Direction, Trade, TradeState
from bot.domain.watches import KEPT_FOR, Delivery, TradeKey, Watch, WatchEnd
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.guilds import ServedGuilds
from bot.services.watches import READ_EVERY, WatchService
from bot.storage.audit.log import SqlAuditRepository
from bot.storage.first_guild import SqlFirstGuildRepository
from bot.storage.grants import SqlGrantRepository
from bot.storage.guild_settings import SqlGuildSettingsRepository
from bot.storage.links import SqlLinkRepository
from bot.storage.only_worker import OnlyWorker
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.watches import SqlWatchRepository

GUILD = 900_000_000_000_000_001
PROVIDERS = (ProviderName.MANNCO, ProviderName.SKINSBACK)


class Minutes:
    """A clock that is set forward from round to round."""

    def __init__(self) -> None:
        self.passed = timedelta(0)

    def now(self) -> datetime:
        return datetime(2026, 3, 29, tzinfo=UTC) + self.passed

    def monotonic(self) -> float:
        return self.passed.total_seconds()


class Listed:
    """A provider that lists everything at once."""

    def __init__(self, name: ProviderName) -> None:
        self.name = name
        self.readings = 0
        self.state = TradeState.HELD

    async def read(self, wanted: Sequence[TradeKey]) -> Mapping[str, Trade | None]:
        self.readings += 1
        return {
            key.trade_id: Trade(
                provider=self.name,
                id=key.trade_id,
                owner=key.owner,
                direction=Direction.DEPOSIT,
                state=self.state,
                status=self.state.value,
            )
            for key in wanted
        }


class Discord:
    """It takes every message at once."""

    sent = 0

    async def begin(self, watch: Watch, trade: Trade, *, is_own: bool) -> Delivery:  # noqa: ARG002 -- the port's
        return self._take()

    async def change(self, watch: Watch, trade: Trade, *, is_own: bool, nonce: str) -> Delivery:  # noqa: ARG002 -- same
        return self._take()

    async def end(self, watch: Watch, why: WatchEnd) -> Delivery:  # noqa: ARG002 -- same
        return self._take()

    async def actor(self, guild_id: int, user_id: int) -> Actor | Delivery:
        return Actor(guild_id, user_id, frozenset({guild_id}))

    async def post(self, *_: object, **__: object) -> None:
        """Post nothing."""

    def _take(self) -> Delivery:
        self.sent += 1
        return Delivery.SENT


async def stalls(longest: list[float]) -> None:
    """Note the longest time for which the event loop did nothing else."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0)
        longest.append(time.perf_counter() - began)


async def measured(folder: Path, *, watches: int, rounds: int) -> list[Fact]:
    clock, discord = Minutes(), Discord()
    providers = tuple(map(Listed, PROVIDERS))
    async with SqliteDatabase.open(folder / "desk.db") as db:
        rows, links, grants = SqlAuditRepository(db), SqlLinkRepository(db), SqlGrantRepository(db, now=clock.now)
        await grants.grant(Grant(GUILD, GUILD, Capability.TRADES_ANY), by=0, at=clock.now())
        repository = SqlWatchRepository(db)
        guilds = ServedGuilds(first=SqlFirstGuildRepository(db), clock=clock)
        settings = SqlGuildSettingsRepository(db)
        audit = AuditService(rows=rows, settings=settings, guilds=guilds, channel=discord, clock=clock)
        service = WatchService(
            repository=repository,
            providers=providers,
            access=AccessService(grants=grants, links=links, rows=rows, audit=audit, clock=clock),
            links=links,
            audit=audit,
            guilds=guilds,
            workers=OnlyWorker("me"),
            messages=discord,
            clock=clock,
        )
        now = clock.now()
        owner = SteamId.from_account_id(5)
        one = Watch(0, GUILD, 0, PROVIDERS[0], "", owner, TradeState.HELD.value, now, now, now + KEPT_FOR)
        for number in range(watches):
            name = PROVIDERS[number % len(PROVIDERS)]
            await repository.add(replace(one, user_id=number, trade_id=str(number), provider=name), at_most=9)
        longest: list[float] = []
        watching = asyncio.create_task(stalls(longest))
        took = []
        for _ in range(rounds):
            clock.passed += READ_EVERY
            began = time.perf_counter()
            await service.tick()
            took.append(time.perf_counter() - began)
        readings = max(each.readings for each in providers) / rounds
        for each in providers:
            each.state = TradeState.COMPLETED
        clock.passed += READ_EVERY
        began = time.perf_counter()
        await service.tick()
        while service.running:
            await asyncio.wait(service.running)
        told = time.perf_counter() - began
        watching.cancel()
        assert discord.sent == watches
        await service.close(within=0.0)
    return [
        Fact("readings a minute and provider", "", readings, 1),
        Fact("a round without a change, median", "ms", median(took) * 1e3, 100),
        Fact("every watch changes: all messages made", "s", told, 10),
        Fact("longest stall of the event loop", "ms", max(longest) * 1e3, 50),
    ]


def main() -> int:
    options = options_of(__doc__, watches=1_000, rounds=20).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = asyncio.run(measured(Path(folder), watches=options.watches, rounds=options.rounds))
    return show(results, options)


if __name__ == "__main__":
    sys.exit(main())
