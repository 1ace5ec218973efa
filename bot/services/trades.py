"""Lists the trades a caller may see, each one's code to its owner alone."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.access import Actor, Caller, Capability, is_staff, on_behalf_of
from bot.domain.audit import AuditAction
from bot.domain.errors import AccessDenied, InvalidInput, NotLinked, ProviderOff
from bot.domain.snapshots import TradesAnswer
from bot.domain.steam import SteamId
from bot.domain.trades import WINDOW, Scope, Trade
from bot.ports import Clock, LinkRepository, TradeProvider
from bot.services.access import AccessService
from bot.services.links import LinkService, parse_account
from bot.services.record import RecordService

_SUGGESTIONS_KEPT = timedelta(seconds=20)


class TradeService:
    """Trades of the merchant's account, as far as the caller may see them."""

    def __init__(
        self,
        *,
        provider: TradeProvider | None,
        access: AccessService,
        links: LinkService,
        link_rows: LinkRepository,
        record: RecordService,
        clock: Clock,
    ) -> None:
        self._provider = provider
        self._access = access
        self._links = links
        self._link_rows = link_rows
        self._record = record
        self._clock = clock
        self._suggested: tuple[datetime, tuple[Trade, ...]] | None = None

    async def list_of_member(self, member_id: int, *, by: Actor) -> TradesAnswer:
        """Return a member's active trades as :meth:`list_for` does; whoever points at themselves gets their own."""
        if member_id == by.user_id:
            return await self.list_for(by=by, own=True)
        return await self.list_for(by=by, member_id=member_id)

    async def list_for(
        self,
        *,
        by: Actor,
        scope: Scope = Scope.ACTIVE,
        member_id: int | None = None,
        steam_id: str | None = None,
        own: bool = False,
    ) -> TradesAnswer:
        """Return everybody's trades, or those of a member or a Steam account, to a holder of ``trades.any``.

        Everybody else gets their own, and AccessDenied if they name somebody. With ``own`` everybody gets their own.
        """
        held = await self._access.capabilities_of(by)
        link = await self._links.of(by)
        if Capability.TRADES_ANY in held and not own:
            whose = await self._named_account(by.guild_id, member_id, steam_id)
        elif member_id is not None or steam_id is not None:
            raise AccessDenied(Capability.TRADES_ANY)
        elif held.isdisjoint({Capability.TRADES_OWN, Capability.TRADES_ANY}):
            raise AccessDenied(Capability.TRADES_OWN)
        elif link is None:
            raise NotLinked
        else:
            whose = link.steam_id
        provider = self._require_provider()
        with on_behalf_of(Caller(by.user_id, is_staff=is_staff(held))):
            everything = await provider.trades(scope)
        await self._record.look(AuditAction.TRADES_VIEWED, whose, {"scope": scope.value}, by=by)
        seen = tuple(trade for trade in everything if whose is None or trade.owner == whose)
        viewer = link.proven if link is not None else None
        return TradesAnswer(
            provider=provider.name,
            scope=scope,
            steam_id=whose,
            viewer=viewer,
            trades=tuple(_as_seen_by(viewer, trade) for trade in seen),
            read_at=self._clock.now(),
            window_full=scope is Scope.ALL and len(everything) >= WINDOW,
        )

    async def resendable_for(self, text: str, *, by: Actor, limit: int = 25) -> tuple[Trade, ...]:
        """Return the trades the caller could ask to have resent and whose id begins with ``text``.

        Somebody without the right gets none. The list may be some seconds old: it only suggests.
        """
        whose = await self._resend_scope(by)
        if whose is False or self._provider is None:
            return ()
        now = self._clock.now()
        if self._suggested is None or now - self._suggested[0] > _SUGGESTIONS_KEPT:
            self._suggested = (now, await self._provider.trades(Scope.ALL))
        found = (
            trade
            for trade in self._suggested[1]
            if trade.not_resendable is None
            and (whose is None or trade.owner == whose)
            and str(trade.id).startswith(text.strip())
        )
        return tuple(_as_seen_by(None, trade) for trade, _ in zip(found, range(limit), strict=False))

    async def _resend_scope(self, by: Actor) -> SteamId | bool | None:
        """Return whose trades the caller may have resent: None for everybody's, False for nobody's."""
        held = await self._access.capabilities_of(by)
        if Capability.RESEND_ANY in held:
            return None
        if Capability.RESEND_OWN not in held:
            return False
        return await self._links.steam_id_of(by) or False

    async def _named_account(self, guild_id: int, member_id: int | None, steam_id: str | None) -> SteamId | None:
        if member_id is not None and steam_id is not None:
            raise InvalidInput("steam_id", "member_and_steam_id")
        if steam_id is not None:
            return parse_account(steam_id, option="steam_id")
        if member_id is None:
            return None
        link = await self._link_rows.of_user(guild_id, member_id)
        if link is None:
            raise InvalidInput("member", "not_linked")
        return link.steam_id

    def _require_provider(self) -> TradeProvider:
        if self._provider is None:
            raise ProviderOff(None)
        return self._provider


def _as_seen_by(viewer: SteamId | None, trade: Trade) -> Trade:
    return trade if trade.owner == viewer else replace(trade, code=None)
