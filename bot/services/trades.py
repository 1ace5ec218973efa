"""Lists the trades that a user may see, with the codes of their own."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice

import attrs
from cachetools import TTLCache

from bot.domain.access import Actor, Caller, Capability, Viewer, is_staff, on_behalf_of
from bot.domain.audit import AuditAction
from bot.domain.errors import AccessDenied, InvalidInput, NotLinked, ProviderError, ProviderOff, is_callers_own
from bot.domain.links import Link
from bot.domain.snapshots import TradesAnswer
from bot.domain.steam import SteamId
from bot.domain.steam_ids import read_steam_id
from bot.domain.trades import PENDING_STATUS, KeyLimit, Scope, Trade, TradeList
from bot.ports import Clock, LinkRepository, TradeProvider
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.single_flight import SingleFlight

_log = logging.getLogger(__name__)

SUGGESTIONS_CACHED_FOR = 20.0
"""Seconds; a failed reading counts as long, or every keystroke would ask again."""
_SECOND_ENDS_AFTER = 10.0
"""Seconds from the beginning: an answer is due within 15."""
_MAX_SUGGESTING = 500
"""Accounts whose trades are kept for suggestions, where they are asked for alone."""


@attrs.define(kw_only=True, eq=False)
class TradeService:
    """Trades of the merchant's account: one's own with ``trades.own``, everyone's with ``trades.any``."""

    _provider: TradeProvider | None
    _access: AccessService
    _links: LinkRepository
    _audit: AuditService
    _clock: Clock
    _suggested: TTLCache[SteamId | None, tuple[Trade, ...], float] = attrs.field(init=False)
    _readings: SingleFlight[SteamId | None, tuple[Trade, ...]] = attrs.field(
        init=False, factory=lambda: SingleFlight(is_starters_own=is_callers_own)
    )

    def __attrs_post_init__(self) -> None:
        self._suggested = TTLCache(_MAX_SUGGESTING, SUGGESTIONS_CACHED_FOR, self._clock.monotonic)

    async def list_of_member(self, member_id: int, *, by: Viewer) -> TradesAnswer:
        """Return a member's active trades as :meth:`list_for` does; a caller who names themselves gets their own."""
        if member_id == by.actor.user_id:
            return await self.list_for(by=by, own=True)
        return await self.list_for(by=by, member_id=member_id)

    async def list_for(
        self,
        *,
        by: Viewer,
        scope: Scope = Scope.ACTIVE,
        member_id: int | None = None,
        steam_id: str | None = None,
        own: bool = False,
    ) -> TradesAnswer:
        """Return everyone's trades, or those of a member or a Steam account. Needs ``trades.any``.

        Without it, or with ``own``, return the viewer's own trades; AccessDenied if they name another account.
        """
        if Capability.TRADES_ANY in by.capabilities and not own:
            account, link = await self._named_account(by.actor.guild_id, member_id, steam_id)
        elif member_id is not None or steam_id is not None:
            raise AccessDenied(Capability.TRADES_ANY)
        elif by.capabilities.isdisjoint({Capability.TRADES_OWN, Capability.TRADES_ANY}):
            raise AccessDenied(Capability.TRADES_OWN)
        elif by.link is None:
            raise NotLinked
        else:
            account, link = by.link.steam_id, by.link
        if self._provider is None:
            raise ProviderOff(None)
        with on_behalf_of(Caller(by.actor.user_id, is_staff=is_staff(by.capabilities))):
            listed, limit = await _listed(self._provider, scope, account)
        await self._audit.view(AuditAction.TRADES_VIEWED, account, link, {"scope": scope.value}, by=by.actor)
        answer = TradesAnswer(
            provider=self._provider.name,
            scope=scope,
            steam_id=account,
            viewer=None,
            trades=tuple(trade for trade in listed.trades if account in (None, trade.owner)),
            read_at=self._clock.now(),
            window_full=scope is Scope.ALL and listed.is_full,
            limit=limit,
            per_account=listed.account is not None,
            left_out=listed.left_out,
        )
        return answer.for_reader(by.link, self._clock.now())

    async def resendable_for(self, text: str, *, by: Actor, limit: int = 25) -> tuple[Trade, ...]:
        """Return the trades that the actor may see and ask to resend and whose id begins with ``text``.

        These are suggestions, and may be some seconds old; there are none for some seconds after a failed reading.
        Callers share one reading, which goes on if they leave. It counts for the one who started it.
        """
        viewer = await self._access.viewer(by)
        own = None
        if not {Capability.RESEND_ANY, Capability.TRADES_ANY} <= viewer.capabilities:  # suggestions show trades
            may_ask = not viewer.capabilities.isdisjoint({Capability.RESEND_ANY, Capability.RESEND_OWN})
            if not may_ask or viewer.link is None:
                return ()
            own = viewer.link.steam_id
        if self._provider is None:
            return ()
        account = own if self._provider.per_account else None
        trades = self._suggested.get(account)
        if trades is None:
            with on_behalf_of(Caller(by.user_id, is_staff=is_staff(viewer.capabilities))):
                trades = await self._readings.run(account, partial(self._resendable, self._provider, account))
        begin = text.strip()
        found = (trade for trade in trades if own in (None, trade.owner) and str(trade.id).startswith(begin))
        return tuple(islice(found, limit))

    async def close(self) -> None:
        """Cancel the readings in progress."""
        await self._readings.close()

    async def _resendable(self, provider: TradeProvider, account: SteamId | None) -> tuple[Trade, ...]:
        """Read and keep the trades that can be resent, without their codes; none if the provider fails."""
        try:
            listed = await provider.trades(Scope.ALL, account)
        except ProviderError as error:
            if is_callers_own(error):
                raise
            _log.info("no suggestions read failure=%s", error.failure.kind.value)
            return self._suggested.setdefault(account, ())  # staff's own reading may have been answered meanwhile
        trades = tuple(replace(trade, code=None) for trade in listed.trades if trade.not_resendable is None)
        self._suggested[account] = trades
        return trades

    async def _named_account(
        self, guild_id: int, member_id: int | None, steam_id: str | None
    ) -> tuple[SteamId | None, Link | None]:
        if member_id is not None and steam_id is not None:
            raise InvalidInput("steam_id", "member_and_steam_id")
        if steam_id is not None:
            account = read_steam_id(steam_id, option="steam_id")
            return account, await self._links.of_steam_id(guild_id, account)
        if member_id is None:
            return None, None
        link = await self._links.of_user(guild_id, member_id)
        if link is None:
            raise InvalidInput("member", "not_linked")
        return link.steam_id, link


async def _listed(provider: TradeProvider, scope: Scope, account: SteamId | None) -> tuple[TradeList, KeyLimit | None]:
    """Return the trades, and whether the key may not see those of the account.

    The few active trades may not show whose the key sees: all of them do, in the time that is left.
    """
    second_ends = asyncio.get_running_loop().time() + _SECOND_ENDS_AFTER
    listed = await provider.trades(scope, account)
    limit = listed.limit_for(account)
    if limit is not None and scope is Scope.ACTIVE:
        with suppress(ProviderError, TimeoutError):
            async with asyncio.timeout_at(second_ends):
                everything = await provider.trades(Scope.ALL, account)
            waiting = tuple(trade for trade in everything.trades if trade.status == PENDING_STATUS)
            return replace(everything, trades=waiting), everything.limit_for(account)
    return listed, limit
