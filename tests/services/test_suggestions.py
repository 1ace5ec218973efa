"""Suggestions of /resend id: many keystrokes cost few calls, and those are the typist's own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.app import assembled
from bot.config import Settings
from bot.domain.access import Actor, Capability, current_caller
from bot.domain.errors import ProviderError
from bot.domain.failures import FailureKind
from bot.domain.steam import SteamId
from bot.domain.trades import Scope, TradeList
from bot.services.container import Services
from bot.services.trades import SUGGESTIONS_CACHED_FOR, TradeService
from tests.contracts.engines import Repositories
from tests.domain.builders import OWNER
from tests.fakes.clock import FakeClock
from tests.fakes.trade_provider import FakeTradeProvider, refusal
from tests.fakes.trade_sources import hints
from tests.providers.mannco_answers import entry, logging_in, trades
from tests.services.members import AGENT, CUSTOMER, GUILD, SUPPORT, Members
from tests.support.loopback import Loopback, Recorded, Reply, after, as_json

STRANGER = Actor(GUILD, 9, frozenset({GUILD}))
STRANGERS = SteamId.from_account_id(77)
ANSWER = trades(
    entry(11, user=str(OWNER), status=-1, items_send="1", code="ABCDEFGH"), entry(12, user=str(STRANGERS), status=-1)
)
ADMINISTRATOR = Actor(GUILD, 3, frozenset({GUILD}), administers=True)


async def typed(services: Services | TradeService, *, by: Actor, cut: float = 0.005) -> list[int]:
    """Return the suggested trades, none after the cut, as Discord shows them."""
    service = services.trades if isinstance(services, Services) else services
    try:
        async with asyncio.timeout(cut):
            return [int(trade.id) for trade in await service.resendable_for("", by=by)]
    except (TimeoutError, ProviderError):
        return []


class Mannco:
    """Mannco.store on loopback, as an administrator's key sees it, and SkinDesk before it."""

    def __init__(self, *, per_account: bool) -> None:
        self.answer: Reply = after(0.3, ANSWER)
        self.asked: list[str] = []
        self.clock = FakeClock()
        self._per_account = per_account

    def _script(self, request: Recorded) -> Reply:
        self.asked.append(request.path)
        return self.answer

    async def services(self, path: Path) -> AsyncIterator[Services]:
        async with Loopback(logging_in(self._script)) as server:
            table = {"base_url": server.url, "api_key": "key-1", "per_user_paths": self._per_account}
            tables: dict[str, Any] = {
                "discord": {"token": "simulated"},
                "database": {"path": str(path / "desk.db")},
                "providers": {"mannco": table},
            }
            async with assembled(Settings.model_validate(tables), clock=self.clock) as bot:
                for capability in (Capability.RESEND_ANY, Capability.MANAGE_LINKS):
                    await bot.services.access.grant(SUPPORT, capability, by=ADMINISTRATOR)
                for actor, account in ((CUSTOMER, OWNER), (STRANGER, STRANGERS)):
                    await bot.services.links.set_for(actor.user_id, str(account), by=AGENT)
                yield bot.services


@pytest.mark.parametrize("per_account", [False, True])
async def test_seven_hundred_keystrokes(tmp_path: Path, per_account: bool) -> None:  # noqa: FBT001 -- a parameter
    """Cut off before the answer, they share a reading, which goes on and is kept; a failed one is kept as well."""
    mannco = Mannco(per_account=per_account)
    async for services in mannco.services(tmp_path):
        await asyncio.gather(*(typed(services, by=CUSTOMER) for _ in range(700)))
        assert await typed(services, by=CUSTOMER, cut=10) == [11]
        assert [each.code for each in await services.trades.resendable_for("", by=CUSTOMER)] == [None]
        assert mannco.asked == [f"/trades/all/{OWNER}" if per_account else "/trades/all"]
        assert (
            await typed(services, by=STRANGER, cut=10) == []
        )  # nothing is sent in theirs, and the other is not theirs
        assert len(mannco.asked) == (2 if per_account else 1)

        mannco.clock.advance(seconds=SUGGESTIONS_CACHED_FOR + 1)
        mannco.answer = as_json({"err": True, "success": False, "content": "no"}, 400)
        before = len(mannco.asked)
        for _ in range(700):
            assert await typed(services, by=CUSTOMER, cut=10) == []
        assert len(mannco.asked) == before + 1


class LimitedTrades(FakeTradeProvider):
    """Refuses a caller whose share is used up, after some time; it notes on whose behalf it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.add(1, OWNER)
        self.refused: set[int | None] = set()
        self.callers: list[tuple[int | None, bool]] = []

    async def trades(self, scope: Scope, account: SteamId | None = None) -> TradeList:
        caller = current_caller()
        self.callers.append((caller.user_id, caller.is_staff))
        await asyncio.sleep(0.05)
        if caller.user_id in self.refused:
            raise refusal(FailureKind.RATE_LIMITED_LOCALLY)
        return await super().trades(scope, account)


async def test_joining_a_caller_whose_share_is_used_up(repositories: Repositories) -> None:
    """Only the typist is refused: who joined reads on their own behalf, and the refusal is not kept."""
    members, provider = Members(repositories), LimitedTrades()
    await members.grant(Capability.RESEND_ANY)
    await members.grant(Capability.TRADES_ANY)
    await members.link(CUSTOMER, OWNER)
    service = TradeService(
        sources=(),
        resending=provider,
        access=members.access,
        links=repositories.links,
        audit=members.audit,
        hints=hints(),
        clock=members.clock,
    )
    provider.refused.add(CUSTOMER.user_id)

    begun = asyncio.create_task(typed(service, by=CUSTOMER, cut=10))
    await asyncio.sleep(0.02)
    joined = await asyncio.gather(*(typed(service, by=AGENT, cut=10) for _ in range(3)))

    assert await begun == []
    assert joined == [[1]] * 3
    assert provider.callers == [(CUSTOMER.user_id, False), (AGENT.user_id, True)]
    assert await typed(service, by=CUSTOMER, cut=10) == [1]
