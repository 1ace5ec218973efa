"""The context of trades on a page: requests to resend them, and the members linked to their accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import attrs

from bot.domain.access import Actor, Capability
from bot.domain.failures import ProviderName
from bot.domain.resends import Resend
from bot.domain.snapshots import Audience, Snapshot
from bot.domain.steam import SteamId
from bot.domain.trades import Trade
from bot.ports import Clock, LinkRepository
from bot.ports.resends import ResendRepository
from bot.services.access import AccessService
from bot.services.resend_rights import account_of


@dataclass(frozen=True, slots=True)
class TradeContext:
    """The newest request for each of Mannco.store's trades, by its number, and for staff the members by account."""

    resends: Mapping[str, Resend] = field(default_factory=dict)
    members: Mapping[SteamId, int] = field(default_factory=dict)

    def resend_of(self, trade: Trade) -> Resend | None:
        """Return the newest request for a trade."""
        return self.resends.get(trade.id) if trade.provider is ProviderName.MANNCO else None

    def member_of(self, trade: Trade) -> int | None:
        """Return the member that is linked to a trade's account."""
        return None if trade.owner is None else self.members.get(trade.owner)


@attrs.define(kw_only=True, eq=False)
class TradeContextService:
    """Reads what is beside the trades of a page each time it is shown; nothing of it is stored with the page."""

    _resends: ResendRepository
    _links: LinkRepository
    _access: AccessService
    _clock: Clock

    async def of(self, snapshot: Snapshot, trades: Sequence[Trade]) -> TradeContext:
        """Return the context of a few trades of a snapshot, as ``SnapshotService`` returned it to its reader.

        A reader who may see a trade may see the requests for it in their server. But how one ended that was another
        member's, who had the account before, is for that member and the staff.
        """
        numbers = [int(trade.id) for trade in trades if trade.provider is ProviderName.MANNCO and trade.id.isdigit()]
        found = await self._resends.newest_of_trades(snapshot.guild_id, ProviderName.MANNCO, numbers) if numbers else ()
        members: dict[SteamId, int] = {}
        if snapshot.audience is not Audience.STAFF:
            found = tuple(each for each in found if each.state.is_open or _concerns(each, snapshot.user_id))
        else:
            for account in {trade.owner for trade in trades if trade.owner is not None}:
                link = await self._links.of_steam_id(snapshot.guild_id, account)
                members |= {account: link.user_id} if link is not None else {}
        return TradeContext({str(resend.trade_id): resend for resend in found}, members)

    async def offers_resend(self, trade: Trade, context: TradeContext, *, by: Actor) -> bool:
        """Return whether the actor is offered to ask for a trade to be resent. Asking checks the rights again."""
        standing = context.resend_of(trade)
        if trade.not_resendable is not None or (standing is not None and standing.state.is_open):
            return False
        viewer = await self._access.viewer(by)
        if Capability.RESEND_ANY in viewer.capabilities:
            return True
        own = viewer.link is not None and viewer.link.steam_id == trade.owner
        return own and Capability.RESEND_OWN in viewer.capabilities

    async def check_may_ask(self, *, by: Actor) -> None:
        """Raise why the actor may ask for no trade to be resent, before they say why they want it."""
        account_of(await self._access.viewer(by), self._clock.now())


def _concerns(resend: Resend, user_id: int) -> bool:
    """Return whether a request is a member's: they asked, or had the account then, or no one had it."""
    return resend.owner_user_id is None or user_id in resend.people
