"""Lists the trades that a user may see at every provider, with the codes of their own."""

import asyncio
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice

import attrs
from cachetools import TTLCache

from bot.domain.access import Actor, Caller, Capability, Viewer, is_staff, on_behalf_of
from bot.domain.audit import AuditAction
from bot.domain.errors import (
    AccessDenied,
    InvalidInput,
    NotLinked,
    ProviderError,
    ProviderOff,
    TradeUrlRejected,
    is_callers_own,
)
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.links import Link
from bot.domain.snapshots import TradesAnswer, TradesPart
from bot.domain.steam import SteamId, TradeUrl
from bot.domain.steam_ids import read_steam_id
from bot.domain.trade_reference import read_reference
from bot.domain.trade_url import parse_trade_url
from bot.domain.trades import Scope, Trade, TradeQuery, TradeReading, UnreadRow
from bot.ports import Clock, LinkRepository, TradeProvider, TradeSource
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.single_flight import SingleFlight

_log = logging.getLogger(__name__)

DEADLINE = timedelta(seconds=14)
"""For all providers, which are asked side by side: an answer is due within 15 s."""
SUGGESTIONS_CACHED_FOR = 20.0
"""Seconds; a failed reading counts as long, or every keystroke would ask again."""
_MAX_SUGGESTING = 500
"""Accounts whose trades are kept for suggestions, where they are asked for alone."""
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TradesRequest:
    """The options of ``/trades``, as they were typed. With ``own`` it is about the caller's own account.

    ``provider`` is a provider's family; ``steam_id`` and ``trade_url`` may hold a trade token.
    """

    scope: Scope = Scope.ACTIVE
    member_id: int | None = None
    steam_id: str | None = field(default=None, repr=False)
    provider: str | None = None
    reference: str | None = field(default=None, repr=False)
    trade_url: str | None = field(default=None, repr=False)
    own: bool = False


@attrs.define(kw_only=True, eq=False)
class TradeService:
    """Trades at every provider: one's own with ``trades.own``, everyone's with ``trades.any``."""

    _sources: tuple[TradeSource, ...]
    _resending: TradeProvider | None
    """The provider whose offers can be sent again."""
    _access: AccessService
    _links: LinkRepository
    _audit: AuditService
    _clock: Clock
    _deadline: timedelta = DEADLINE
    _suggested: TTLCache[SteamId | None, tuple[Trade, ...], float] = attrs.field(init=False)
    _readings: SingleFlight[SteamId | None, tuple[Trade, ...]] = attrs.field(
        init=False, factory=lambda: SingleFlight(is_starters_own=is_callers_own)
    )

    def __attrs_post_init__(self) -> None:
        self._suggested = TTLCache(_MAX_SUGGESTING, SUGGESTIONS_CACHED_FOR, self._clock.monotonic)

    async def list_of_member(self, member_id: int, *, by: Viewer) -> TradesAnswer:
        """Return a member's active trades as :meth:`list_for` does; a caller who names themselves gets their own."""
        if member_id == by.actor.user_id:
            return await self.list_for(TradesRequest(own=True), by=by)
        return await self.list_for(TradesRequest(member_id=member_id), by=by)

    async def list_for(self, request: TradesRequest, *, by: Viewer) -> TradesAnswer:
        """Return the trades that the request names, at every provider that can answer. A failed one is a part of it.

        Everyone's trades, and those of a named account, need ``trades.any``; without it, the answer has the trades of
        the caller's own account only: a reference to another's trade finds nothing, as if it did not exist. ProviderOff
        if no provider is on that could answer; ProviderError if a single one was asked and failed.
        """
        query, link = await self._query(request, by=by)
        sources = self._selected(request.provider)
        with on_behalf_of(Caller(by.actor.user_id, is_staff=is_staff(by.capabilities))):
            readings = await asyncio.gather(*(self._ask(source, query) for source in sources))
        sees_all = Capability.TRADES_ANY in by.capabilities and not request.own
        trades = _merged((trade for reading, _ in readings for trade in reading.trades), query, sees_all=sees_all)
        parts = tuple(_visible_part(part, reading, query, sees_all=sees_all) for (reading, part) in readings)
        if len(parts) == 1 and (failure := parts[0].failure) is not None and not trades:
            raise ProviderError(failure)
        await self._log_view(query, link, trades, by=by)
        answer = TradesAnswer(
            scope=query.scope,
            steam_id=query.account,
            viewer=None,
            parts=parts,
            trades=trades,
            read_at=self._clock.now(),
            reference=query.reference,
        )
        return answer.for_reader(by.link, self._clock.now(), sees_all=sees_all)

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
        if self._resending is None:
            return ()
        account = own if self._resending.per_account else None
        trades = self._suggested.get(account)
        if trades is None:
            with on_behalf_of(Caller(by.user_id, is_staff=is_staff(viewer.capabilities))):
                trades = await self._readings.run(account, partial(self._resendable, self._resending, account))
        begin = text.strip()
        found = (trade for trade in trades if own in (None, trade.owner) and trade.id.startswith(begin))
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

    async def _query(self, request: TradesRequest, *, by: Viewer) -> tuple[TradeQuery, Link | None]:
        """Return what to ask for, and the link of the account that it is about."""
        names_account = request.member_id is not None or request.steam_id is not None
        sees_all = Capability.TRADES_ANY in by.capabilities
        if names_account and not sees_all:
            raise AccessDenied(Capability.TRADES_ANY)
        if by.capabilities.isdisjoint({Capability.TRADES_OWN, Capability.TRADES_ANY}):
            raise AccessDenied(Capability.TRADES_OWN)
        reference = None if request.reference is None else read_reference(request.reference)
        trade_url = _trade_url(request, has_to_be_own=not sees_all)
        if sees_all and not request.own:
            account, link = await self._named_account(by.actor.guild_id, request, trade_url)
        elif by.link is None:
            raise NotLinked
        else:
            account, link = by.link.steam_id, by.link
            if trade_url is not None and trade_url.steam_id != account:
                raise AccessDenied(Capability.TRADES_ANY)
        return TradeQuery(request.scope, account, trade_url, reference), link

    async def _named_account(
        self, guild_id: int, request: TradesRequest, trade_url: TradeUrl | None
    ) -> tuple[SteamId | None, Link | None]:
        """Return the account that staff name, and its link. A trade URL has to be that account's."""
        if request.member_id is not None and request.steam_id is not None:
            raise InvalidInput("steam_id", "member_and_steam_id")
        account, link = None if trade_url is None else trade_url.steam_id, None
        if request.steam_id is not None:
            account = read_steam_id(request.steam_id, option="steam_id")
        elif request.member_id is not None:
            link = await self._links.of_user(guild_id, request.member_id)
            if link is None:
                raise InvalidInput("member", "not_linked")
            account = link.steam_id
        if trade_url is not None and trade_url.steam_id != account:
            raise InvalidInput("tradeurl", "other_account")
        if account is not None and link is None:
            link = await self._links.of_steam_id(guild_id, account)
        return account, link

    def _selected(self, family: str | None) -> tuple[TradeSource, ...]:
        if family is not None and family not in {name.family for name in ProviderName}:
            raise InvalidInput("provider", "unknown")
        sources = tuple(source for source in self._sources if family in (None, source.name.family))
        if not sources:
            raise ProviderOff(None if family is None else ProviderName(family))
        return sources

    async def _ask(self, source: TradeSource, query: TradeQuery) -> tuple[TradeReading, TradesPart]:
        """Return what a provider says within the deadline, or why it says nothing."""
        if (lacking := source.lacks(query)) is not None:
            return TradeReading(knows_offers=False), TradesPart(source.name, not_asked=lacking)
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                reading = await source.read(query)
        except ProviderError as error:
            reading = TradeReading(failure=error.failure)
        except TimeoutError:
            reading = TradeReading(failure=Failure(source.name, FailureKind.TIMED_OUT, took=self._deadline))
        return reading, TradesPart(source.name)

    async def _log_view(self, query: TradeQuery, link: Link | None, trades: Iterable[Trade], *, by: Viewer) -> None:
        """Append a view of the account asked about, or of each account whose trade a reference found."""
        detail = {"scope": query.scope.value}
        if query.reference is not None:
            detail["reference"] = query.reference.text
        accounts = {query.account}
        if query.account is None and query.reference is not None:
            accounts = {trade.owner for trade in trades} or {None}
        for account in sorted(accounts, key=str):
            of_account = link
            if account is not None and (link is None or link.steam_id != account):
                of_account = await self._links.of_steam_id(by.actor.guild_id, account)
            await self._audit.view(AuditAction.TRADES_VIEWED, account, of_account, detail, by=by.actor)


def _trade_url(request: TradesRequest, *, has_to_be_own: bool) -> TradeUrl | None:
    """Return the trade URL of the option ``tradeurl``, or one that was given as ``steam_id``."""
    if request.trade_url is not None:
        try:
            return parse_trade_url(request.trade_url)
        except TradeUrlRejected as rejected:
            rejected.has_to_be_own = has_to_be_own
            raise
    if request.steam_id is not None:
        try:
            return parse_trade_url(request.steam_id)
        except TradeUrlRejected:  # another form of a SteamID
            return None
    return None


def _merged(found: Iterable[Trade], query: TradeQuery, *, sees_all: bool) -> tuple[Trade, ...]:
    """Return the trades that answer the query and may be shown, newest first, and each once."""
    merged: dict[tuple[str, str], Trade] = {}
    for trade in found:
        if query.account is not None and trade.owner != query.account:
            continue
        if trade.owner is None and not sees_all:
            continue
        if query.reference is None:
            if query.scope is Scope.ACTIVE and not trade.state.is_open:
                continue
        elif not query.reference.matches(trade):
            continue
        merged.setdefault((trade.provider.family, trade.id.casefold()), trade)
    return tuple(sorted(merged.values(), key=lambda trade: trade.created_at or _NEVER, reverse=True))


def _visible_part(part: TradesPart, reading: TradeReading, query: TradeQuery, *, sees_all: bool) -> TradesPart:
    """Return a provider's part for its reader: a customer learns nothing of rows that may be others'."""
    if part.not_asked is not None:
        return part
    unread: list[UnreadRow] = list(reading.unread)
    if query.account is not None and sees_all:
        unread += (UnreadRow(f"owner of {trade.id}") for trade in reading.trades if trade.owner is None)
    if not sees_all and not reading.of_account_alone:
        unread = [row for row in unread if row.owner == query.account]
    if not sees_all and query.reference is not None:
        unread = []
    return replace(
        part,
        failure=reading.failure,
        reference=None if reading.failure is None else secrets.token_hex(3),
        unread=tuple(unread),
        since=reading.since,
        is_cut=reading.is_cut,
        is_full=reading.is_full,
        limit=reading.limit,
        of_account_alone=reading.of_account_alone,
        knows_offers=reading.knows_offers,
    )
