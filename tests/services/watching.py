"""Watched trades over real storage, with a provider that counts its readings and a Discord that keeps messages."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.domain.access import Actor, Caller, Capability, current_caller
from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.secrets import TradeCode
from bot.domain.steam import SteamId
from bot.domain.trades import Direction, Trade, TradeState
from bot.domain.watches import Delivery, TradeKey, Watch, WatchEnd
from bot.ports.workers import Workers
from bot.services.guilds import ServedGuilds
from bot.services.watches import BegunWatch, WatchService
from bot.storage.only_worker import OnlyWorker
from tests.contracts.engines import Repositories
from tests.domain.builders import NOW, OWNER
from tests.fakes.guilds import every_guild
from tests.services.members import CUSTOMER, Members


class CountedTrades:
    """A provider whose every trade is in one list. ``failure`` is raised if it is set."""

    def __init__(self, name: ProviderName = ProviderName.SKINSBACK) -> None:
        self.name = name
        self.readings = 0
        self.callers: set[Caller] = set()
        self.failure: Exception | None = None
        self.refused: SteamId | None = None
        self.kept: dict[str, Trade] = {}

    def put(self, number: str, state: TradeState, owner: SteamId | None = OWNER, **facts: Any) -> None:
        """Set where a trade stands."""
        self.kept[number] = Trade(
            provider=self.name,
            id=number,
            owner=owner,
            direction=Direction.DEPOSIT,
            state=state,
            **{"status": state.value, "code": TradeCode("ABCDEFGH"), **facts},
        )

    async def read(self, wanted: Sequence[TradeKey]) -> Mapping[str, Trade | None]:
        self.readings += 1
        self.callers.add(current_caller())
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        if self.refused is not None:  # asked by account, as Mannco.store may be
            if wanted[0].owner == self.refused:
                raise ProviderError(Failure(self.name, FailureKind.BLOCKED))
            wanted = [each for each in wanted if each.owner == wanted[0].owner]
        return {each.trade_id: self.kept.get(each.trade_id) for each in wanted}


@dataclass(frozen=True, slots=True)
class Told:
    """A message as its reader has it."""

    kind: str
    user_id: int
    trade_id: str
    state: TradeState | WatchEnd
    is_own: bool = False


class Messages:
    """Discord: it shows one message of several with the same nonce. ``answer`` is what becomes of each."""

    def __init__(self) -> None:
        self.shown: list[Told] = []
        self.sent = 0
        self.answer: Delivery = Delivery.SENT
        self.roles: dict[int, Actor | Delivery] = {}
        self.asked: Counter[int] = Counter()
        self.loses_answers = False
        self.may_arrive = asyncio.Event()
        self.may_arrive.set()
        self.arrived = asyncio.Event()
        self.most_at_once = self._at_once = 0
        self._nonces: set[str] = set()

    async def begin(self, watch: Watch, trade: Trade, *, is_own: bool) -> Delivery:
        assert trade.code is None
        return await self._show(Told("begin", watch.user_id, trade.id, trade.state, is_own))

    async def change(self, watch: Watch, trade: Trade, *, is_own: bool, nonce: str) -> Delivery:
        assert trade.code is None
        assert len(nonce) <= 25
        return await self._show(Told("change", watch.user_id, trade.id, trade.state, is_own), nonce)

    async def end(self, watch: Watch, why: WatchEnd) -> Delivery:
        return await self._show(Told("end", watch.user_id, watch.trade_id, why))

    async def actor(self, guild_id: int, user_id: int) -> Actor | Delivery:
        self.asked[user_id] += 1
        return self.roles.get(user_id, Delivery.FAILED)

    async def _show(self, told: Told, nonce: str = "") -> Delivery:
        self.sent += 1
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(0)
        await self.may_arrive.wait()
        self._at_once -= 1
        if self.answer is Delivery.SENT and not (nonce and nonce in self._nonces):
            self.shown.append(told)
            self._nonces.add(nonce)
            self.arrived.set()
        if self.loses_answers:
            await asyncio.Event().wait()
        return self.answer

    @property
    def changes(self) -> list[tuple[str, TradeState | WatchEnd]]:
        """What was told after the first messages."""
        return [(told.trade_id, told.state) for told in self.shown if told.kind != "begin"]


class Watching(Members):
    """The service. The customer is linked; Support may see every account."""

    def __init__(self, repositories: Repositories) -> None:
        super().__init__(repositories)
        self.provider = CountedTrades()
        self.messages = Messages()
        self.service = self.started()

    def started(
        self,
        *providers: CountedTrades,
        each_within: float = 60.0,
        guilds: ServedGuilds | None = None,
        workers: Workers | None = None,
    ) -> WatchService:
        """Return the service as it is after a start."""
        return WatchService(
            repository=self.repositories.watches,
            providers=providers or (self.provider,),
            access=self.access,
            links=self.repositories.links,
            audit=self.audit,
            guilds=guilds or every_guild(),
            workers=workers or OnlyWorker("me"),
            messages=self.messages,
            clock=self.clock,
            each_within=each_within,
        )

    def restarted(self, repositories: Repositories) -> "Watching":
        """Return the desk after a crash: its memory is gone, its time, the provider and Discord go on."""
        desk = Watching(repositories)
        desk.clock.advance(seconds=(self.clock.now() - NOW).total_seconds())
        desk.provider, desk.messages = self.provider, self.messages
        desk.service = desk.started(each_within=self.service._each_within)
        return desk

    async def set_up(self) -> None:
        """Give the rights, and let the customer have an open trade: the first."""
        await self.grant(Capability.TRADES_ANY)
        await self.link(CUSTOMER, OWNER)
        self.provider.put("1", TradeState.OFFERED)

    async def begin(self, number: str = "1", *, by: Actor = CUSTOMER) -> BegunWatch:
        begun = await self.service.begin(self.provider.name, number, by=by)
        assert isinstance(begun, BegunWatch)
        return begun

    async def minute(self) -> None:
        """Let a minute pass, as the background work sees it, and every message be sent."""
        for _ in range(6):
            self.clock.advance(seconds=10)
            await self.service.tick()
        while self.service.running:
            await asyncio.wait(self.service.running)

    async def watches(self, of: Actor = CUSTOMER) -> list[str]:
        """Return the trades that a member watches."""
        return [watch.trade_id for watch in await self.repositories.watches.of_user(of.guild_id, of.user_id)]


def without_roles(actor: Actor) -> Actor:
    """Return a member who has lost their roles."""
    return replace(actor, role_ids=frozenset({actor.guild_id}))
