"""The services of resends over a real database, started and stopped like one process after another."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.domain.access import Actor, Capability, Grant
from bot.domain.audit import AuditRow
from bot.domain.errors import SkinDeskError
from bot.domain.links import Link, LinkSource
from bot.domain.resends import CardMessage, Resend, ResendState
from bot.domain.settings import Setting
from bot.domain.steam import SteamId
from bot.ports import TradeProvider, TradeSource
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.pauses import PauseService
from bot.services.resend_board import ResendBoard
from bot.services.resend_delivery import ResendDelivery
from bot.services.resend_notifier import ResendNotifier
from bot.services.resend_queue import ResendQueueService
from bot.services.resends import ResendService
from bot.services.trades import TradeService
from bot.storage.resends import SqlResendRepository
from tests.contracts.engines import Repositories
from tests.fakes.audit_channel import FakeAuditChannel
from tests.fakes.clock import FakeClock
from tests.fakes.guilds import every_guild
from tests.fakes.intercepted import Intercepted, Step
from tests.fakes.resend_cards import FakeResendCards
from tests.fakes.trade_provider import FakeTradeProvider, loses
from tests.fakes.trade_sources import hints
from tests.fakes.workers import Desk

GUILD, OTHER_GUILD = 900_000_000_000_000_001, 900_000_000_000_000_002
AGENTS, MODERATORS = 801, 802
CUSTOMERS_ACCOUNT, STRANGERS_ACCOUNT = SteamId.from_account_id(11), SteamId.from_account_id(12)
TRADE = 4812
APPROVALS, AUDIT = 701, 702


def member(user_id: int, *roles: int, guild_id: int = GUILD) -> Actor:
    """Return a guild member with these roles."""
    return Actor(guild_id, user_id, frozenset({guild_id, *roles}))


CUSTOMER = member(101)
AGENT = member(102, AGENTS)
MODERATOR = member(103, MODERATORS)
OTHER_MODERATOR = member(104, MODERATORS)


class Crashed(Exception):
    """A process that has crashed called a port."""


class ResendSetup:
    """A linked customer, an agent, two moderators, and the services of the current run.

    Cards, audit channel, provider, clock and database outlive a run. ``step`` is called before and after every call to
    a port, with ``port.method before`` and ``after``. ``provider`` replaces the one in memory. ``beside`` is another
    process on the same database and Discord.
    """

    def __init__(
        self,
        repositories: Repositories,
        provider: TradeProvider | None = None,
        *,
        beside: "ResendSetup | None" = None,
    ) -> None:
        self.repositories = repositories
        self.provider: FakeTradeProvider = FakeTradeProvider() if beside is None else beside.provider
        self._trades: TradeProvider = provider or self.provider
        self.sources: tuple[TradeSource, ...] = ()
        self.cards: FakeResendCards = FakeResendCards() if beside is None else beside.cards
        self.channel: FakeAuditChannel = FakeAuditChannel() if beside is None else beside.channel
        self.clock: FakeClock = FakeClock() if beside is None else beside.clock
        self.desk: Desk = Desk() if beside is None else beside.desk
        self.workers = self.desk.start()
        self.guilds = every_guild()
        self.expires_after = timedelta(hours=24)
        self.step: Step | None = None
        self._run = 0
        self.service, self.delivery = self._started()

    async def set_up(self) -> None:
        """Grant the capabilities, set the channels, link the customer."""
        now = self.clock.now()
        for guild_id in (GUILD, OTHER_GUILD):
            for role, capability in (
                (AGENTS, Capability.RESEND_ANY),
                (AGENTS, Capability.TRADES_ANY),
                (MODERATORS, Capability.APPROVE_RESEND),
            ):
                await self.repositories.grants.of_guild(guild_id)
                await self.repositories.grants.grant(Grant(guild_id, role, capability), by=1, at=now)
            for setting, channel in ((Setting.APPROVALS_CHANNEL, APPROVALS), (Setting.AUDIT_CHANNEL, AUDIT)):
                await self.repositories.settings.put(guild_id, setting, channel, by=1, at=now)
        await self.link(CUSTOMER, CUSTOMERS_ACCOUNT)

    async def link(self, actor: Actor, account: SteamId) -> None:
        """Link a user to a Steam account."""
        link = Link(actor.guild_id, actor.user_id, account, LinkSource.STAFF, AGENT.user_id, self.clock.now())
        await self.repositories.links.put(link)

    async def requested(self, trade_id: int = TRADE, *, by: Actor = AGENT) -> Resend:
        """Request the resend of a failed withdrawal of the customer."""
        if trade_id not in self.provider.kept:
            self.provider.add(trade_id, CUSTOMERS_ACCOUNT)
        return await self.service.request(str(trade_id), by=by, reason="the bot was offline")

    async def approve(self, resend_id: int, *, by: Actor) -> Resend:
        """Press *Approve* on the newest card, and wait until Discord was told everything."""
        pressed = self.cards.cards_of(resend_id)
        card = CardMessage(APPROVALS, pressed[-1]) if pressed else None
        try:
            return await self.service.approve(resend_id, by=by, seen=self.cards.version_of(resend_id), card=card)
        finally:
            await self.told()

    async def deny(self, resend_id: int, *, by: Actor) -> Resend:
        """Deny a request, and wait until Discord was told everything."""
        denied = await self.service.deny(resend_id, by=by)
        await self.told()
        return denied

    async def tick(self) -> None:
        """Run a round of the background job, and wait until Discord was told everything."""
        await self.delivery.tick()
        await self.told()

    async def refresh(self) -> None:
        """Run a round of looking after the cards, and wait until Discord was told everything."""
        await self.delivery.refresh_cards()
        await self.told()

    async def told(self) -> None:
        """Wait until no card and no message is under way, however often one leads to another."""
        current = asyncio.current_task()
        while running := [task for task in self.telling if task is not current and not task.done()]:
            await asyncio.wait(running)

    @property
    def telling(self) -> frozenset[asyncio.Task[None]]:
        """The tasks of this run that tell Discord something."""
        return self.board.running | self.notifier.running

    async def row(self, resend: Resend) -> Resend:
        """Return the stored request."""
        kept = await self.repositories.resends.get(resend.guild_id, resend.id)
        assert kept is not None
        return kept

    async def written(self) -> list[AuditRow]:
        """Return the audit log, oldest first."""
        return list(reversed(await self.repositories.audit.newest(GUILD, limit=10_000)))

    async def quiet(self) -> None:
        """Wait until this run's work on requests has ended and is stored."""
        await self.written_out()
        while self.delivery._running:
            await asyncio.wait(tuple(self.delivery._running))
        await self.told()
        await self.written_out()

    async def written_out(self) -> None:
        """Wait for every write that was begun: writes are queued, and this one is the last."""
        await self.repositories.resends.settle_later(GUILD, 0, settle_after=self.clock.now())

    async def restart(self) -> None:
        """Stop at once and start again."""
        await self.delivery.close(within=0.0)
        await self.start()

    def crash(self) -> None:
        """End the run like a power cut: its further calls reach no port."""
        self._run += 1
        self.desk.end(self.workers)
        for task in (*self.delivery._running, *self.telling):
            if task is not asyncio.current_task():
                task.cancel()

    async def start(self) -> None:
        """Begin a new run over the same database."""
        self._run += 1
        self.workers = self.desk.start(instead_of=self.workers)
        await self.written_out()
        self.service, self.delivery = self._started()
        await self.delivery.recover()
        await self.tick()
        await self.refresh()

    def _started(self) -> tuple[ResendService, ResendDelivery]:
        run = self._run

        async def step(name: str) -> None:
            if self._run != run:
                raise Crashed
            if self.step is not None:
                await self.step(name)
            if self._run != run:
                raise Crashed

        def seen(part: Any, name: str) -> Any:
            return Intercepted(part, name, step)

        assert isinstance(self.repositories.resends, SqlResendRepository)
        repository = seen(SqlResendRepository(self.repositories.resends._db, self.workers.me), "resends")
        links = seen(self.repositories.links, "links")
        settings = seen(self.repositories.settings, "settings")
        cards = seen(self.cards, "cards")
        rows, pauses = self.repositories.audit, seen(self.repositories.pauses, "pauses")
        channel, guilds = seen(self.channel, "channel"), self.guilds
        audit = AuditService(rows=rows, settings=settings, guilds=guilds, channel=channel, clock=self.clock)
        access = AccessService(
            grants=seen(self.repositories.grants, "grants"), links=links, rows=rows, audit=audit, clock=self.clock
        )
        self.board = board = ResendBoard(
            repository=repository,
            settings=settings,
            guilds=guilds,
            cards=cards,
            workers=self.workers,
            clock=self.clock,
        )
        self.notifier = notifier = ResendNotifier(
            repository=repository,
            links=links,
            guilds=guilds,
            cards=cards,
            board=board,
            audit=audit,
            clock=self.clock,
        )
        delivery = ResendDelivery(
            repository=repository,
            provider=seen(self._trades, "provider"),
            board=board,
            notifier=notifier,
            guilds=guilds,
            pauses=pauses,
            workers=self.workers,
            clock=self.clock,
        )
        service = ResendService(
            repository=repository,
            access=access,
            links=links,
            settings=settings,
            board=board,
            notifier=notifier,
            delivery=delivery,
            trades=TradeService(
                sources=self.sources,
                resending=self._trades,
                access=access,
                links=links,
                audit=audit,
                hints=hints(),
                clock=self.clock,
            ),
            clock=self.clock,
            expires_after=self.expires_after,
        )
        switch = PauseService(pauses=pauses, access=access, audit=audit, clock=self.clock)
        self.queue = ResendQueueService(
            repository=repository, resends=service, access=access, pauses=switch, board=board, clock=self.clock
        )
        return service, delivery


ROUND = 5.0
"""Seconds between two rounds of the background job."""


async def ticks(services: ResendSetup, *, seconds: float) -> None:
    """Let time pass, with the rounds of the background job."""
    for _ in range(int(seconds / ROUND)):
        services.clock.advance(seconds=ROUND)
        await services.tick()


def face(resend: Resend) -> Resend:
    """Return the visible part of a request: without the next reading and the card's position."""
    return replace(resend, settle_after=None, channel_id=None, message_id=None, shown_version=None)


async def unknown_resend(services: ResendSetup, trade_id: int = TRADE) -> Resend:
    """Return a request whose outcome is unknown."""
    resend = await services.requested(trade_id)
    services.provider.ways.append(loses)
    unknown = await services.approve(resend.id, by=MODERATOR)
    assert unknown.state is ResendState.UNKNOWN
    return unknown


async def outcomes(work: list[Awaitable[Resend]]) -> tuple[list[Resend], list[SkinDeskError]]:
    """Run everything at once; return the results and the refusals."""
    answers = await asyncio.gather(*work, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, SkinDeskError)]
    done = [answer for answer in answers if isinstance(answer, Resend)]
    assert len(done) + len(refused) == len(answers), answers
    return done, refused
