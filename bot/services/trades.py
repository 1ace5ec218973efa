"""Lists the trades that a user may see at every provider, with the codes of their own."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, islice
from typing import Self

import attrs
from cachetools import TTLCache
from msgspec.structs import replace as altered

from bot.domain.access import Actor, Caller, Capability, Viewer, is_staff, on_behalf_of
from bot.domain.audit import AuditAction
from bot.domain.errors import (
    AccessDenied,
    InvalidInput,
    NotLinked,
    NotResendable,
    Overloaded,
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
from bot.domain.trades import (
    NotAsked,
    NotResendableReason,
    Scope,
    Trade,
    TradeQuery,
    TradeReading,
    UnreadRow,
)
from bot.ports import Clock, LinkRepository, TradeProvider, TradeSource
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.trade_url_hints import TradeUrlHint, TradeUrlHints
from bot.single_flight import SingleFlight
from bot.worker import MANY_ITEMS, run_in_worker

_log = logging.getLogger(__name__)

DEADLINE = timedelta(seconds=14)
"""For all providers, which are asked side by side: an answer is due within 15 s."""
SUGGESTIONS_CACHED_FOR = 20.0
"""Seconds; a failed reading counts as long, or every keystroke would ask again."""
_MAX_SUGGESTING = 500
"""Accounts whose trades are kept for suggestions, where they are asked for alone."""
_NEVER = datetime.min.replace(tzinfo=UTC)
_Said = Sequence[tuple[ProviderName, TradeReading | NotAsked]]


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

    @classmethod
    def of_member(cls, member_id: int, *, reader_id: int) -> Self:
        """Return the request for a member's active trades; readers who name themselves ask for their own."""
        return cls(own=True) if member_id == reader_id else cls(member_id=member_id)


@attrs.define(kw_only=True, eq=False)
class TradeService:
    """Trades at every provider: one's own with ``trades.own``, everyone's with ``trades.any``."""

    _sources: tuple[TradeSource, ...]
    _resending: TradeProvider | None
    """The provider whose offers can be sent again."""
    _access: AccessService
    _links: LinkRepository
    _audit: AuditService
    _hints: TradeUrlHints
    _clock: Clock
    _deadline: timedelta = DEADLINE
    _suggested: TTLCache[SteamId | None, tuple[Trade, ...], float] = attrs.field(init=False)
    _readings: SingleFlight[SteamId | None, tuple[Trade, ...]] = attrs.field(
        init=False, factory=lambda: SingleFlight(is_starters_own=is_callers_own)
    )

    def __attrs_post_init__(self) -> None:
        self._suggested = TTLCache(_MAX_SUGGESTING, SUGGESTIONS_CACHED_FOR, self._clock.monotonic)

    async def list_for(self, request: TradesRequest, *, by: Viewer) -> TradesAnswer:
        """Return the trades that the request names, at every provider that can answer. A failed one is a part of it.

        Everyone's trades, and those of a named account, need ``trades.any``; without it, the answer has the trades of
        the caller's own account only: a reference to another's trade finds nothing, as if it did not exist. ProviderOff
        if no provider is on that could answer; ProviderError if there is one part, and it failed.
        """
        query, link = await self._query(request, by=by)
        answer = await self._read(query, request, by=by)
        if answer.trades or any(map(_tells_something, answer.parts)):
            await self._log_view(query, link, answer.trades, by=by)
        if len(answer.parts) == 1 and (failure := answer.parts[0].failure) is not None and not answer.trades:
            raise ProviderError(failure)
        return answer

    async def read_for(self, request: TradesRequest, *, by: Viewer) -> TradesAnswer:
        """Return what :meth:`list_for` does to a caller who has logged the view; the only provider may have failed."""
        query, _ = await self._query(request, by=by)
        return await self._read(query, request, by=by)

    async def check_not_elsewhere(self, number: str, *, by: Viewer, asked_at: float) -> None:
        """Raise NotResendable if this is a trade of a provider without resends that the viewer may see.

        ``asked_at`` is the clock's ``monotonic`` time when the user began to wait.
        """
        sees_all = Capability.TRADES_ANY in by.capabilities
        account = by.link.steam_id if by.link is not None and Capability.TRADES_OWN in by.capabilities else None
        if account is None and not sees_all:
            return
        try:
            query = TradeQuery(account=None if sees_all else account, reference=read_reference(number))
        except InvalidInput:
            return
        resending = None if self._resending is None else self._resending.name
        sources = tuple(source for source in self._sources if source.name is not resending)
        left = self._deadline - timedelta(seconds=self._clock.monotonic() - asked_at)
        said = await self._ask_all(sources, query, left, by=by)
        trades, _ = await _compiled(said, query)
        if trades:
            await self._log_view(query, by.link, trades[:1], by=by)
            raise NotResendable(trades[0], NotResendableReason.NO_RESEND)

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
        trades = tuple(altered(trade, code=None) for trade in listed.trades if trade.not_resendable is None)
        self._suggested[account] = trades
        return trades

    async def _read(self, query: TradeQuery, request: TradesRequest, *, by: Viewer) -> TradesAnswer:
        said = await self._ask_all(self._selected(request.provider), query, self._deadline, by=by)
        trades, parts = await _compiled(said, query)
        answer = TradesAnswer(
            scope=query.scope,
            steam_id=query.account,
            viewer=None,
            parts=parts,
            trades=trades,
            read_at=self._clock.now(),
            reference=query.reference,
        )
        sees_all = Capability.TRADES_ANY in by.capabilities and not request.own
        return answer.for_reader(by.link, self._clock.now(), sees_all=sees_all)

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
        scope = request.scope if reference is None else Scope.ALL  # it is found in every state
        return TradeQuery(scope, account, trade_url, reference), link

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

    async def _ask_all(
        self, sources: tuple[TradeSource, ...], query: TradeQuery, within: timedelta, *, by: Viewer
    ) -> _Said:
        """Ask side by side, on behalf of the viewer."""
        ends = asyncio.get_running_loop().time() + within.total_seconds()
        hint = self._hints.of(query.trade_url, ends=ends)
        with on_behalf_of(Caller(by.actor.user_id, is_staff=is_staff(by.capabilities))):
            readings = await asyncio.gather(*(_ask(source, query, hint, ends=ends) for source in sources))
        return [(source.name, reading) for source, reading in zip(sources, readings, strict=True)]

    async def _log_view(self, query: TradeQuery, link: Link | None, trades: Sequence[Trade], *, by: Viewer) -> None:
        """Append a view of the account asked about, or of each account whose trade a reference found.

        The typed reference is not logged: it may name a person, and every member may export the views of everyone's
        trades.
        """
        accounts = {query.account}
        if query.account is None and query.reference is not None:
            accounts = {trade.owner for trade in trades}
        for account in sorted(accounts, key=str):
            detail, of_account = {"scope": query.scope.value}, link
            if query.reference is not None and account is not None:
                numbers = ", ".join(trade.id for trade in trades if trade.owner == account)
                detail |= {"trade": numbers} if numbers else {}
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


async def _ask(source: TradeSource, query: TradeQuery, hint: TradeUrlHint, *, ends: float) -> TradeReading | NotAsked:
    """Return what a source says in time, or why it says nothing."""
    if (lacking := source.lacks(query)) is not None:
        return lacking
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout_at(ends):
            reading = await source.read(query)
    except ProviderError as error:
        reading = TradeReading(failure=error.failure)
    except Overloaded:
        reading = TradeReading(failure=Failure(source.name, FailureKind.BUSY))
    except TimeoutError:
        took = timedelta(seconds=loop.time() - began)
        reading = TradeReading(failure=Failure(source.name, FailureKind.TIMED_OUT, took=took))
    if reading.failure is None:
        return reading
    return replace(reading, failure=await hint.added_to(reading.failure))


async def _compiled(said: _Said, query: TradeQuery) -> tuple[tuple[Trade, ...], tuple[TradesPart, ...]]:
    """Return the trades that answer the query, newest first, each once, and the providers' remarks on the list."""
    readings = [reading for _, reading in said if isinstance(reading, TradeReading)]

    def compiled() -> tuple[tuple[Trade, ...], tuple[TradesPart, ...]]:
        return _merge(readings, query), tuple(_part(name, reading, query) for name, reading in said)

    if sum(len(reading.trades) + len(reading.unread) for reading in readings) < MANY_ITEMS:
        return compiled()
    return await run_in_worker(compiled)


def _merge(readings: Sequence[TradeReading], query: TradeQuery) -> tuple[Trade, ...]:
    merged: dict[tuple[str, str], Trade] = {}
    for trade in chain.from_iterable(reading.trades for reading in readings):
        if query.account in (None, trade.owner) and _is_named(trade, query):
            key = (trade.provider.family, trade.id.casefold())
            other = merged.get(key)
            merged[key] = trade if other is None else max(other, trade, key=_certainty)  # the first of equal ones
    found = (trade for trade in merged.values() if query.scope is Scope.ALL or trade.state.is_open)
    return tuple(sorted(found, key=lambda trade: trade.created_at or _NEVER, reverse=True))


def _is_named(trade: Trade, query: TradeQuery) -> bool:
    return query.reference is None or query.reference.matches(trade)


def _certainty(trade: Trade) -> tuple[bool, datetime]:
    """Return a sort key for what AssetPay's ways to ask say of the same trade."""
    return trade.owner is not None, trade.updated_at or _NEVER


def _part(name: ProviderName, said: TradeReading | NotAsked, query: TradeQuery) -> TradesPart:
    """Return what a provider said beside its trades. Rows of unknown owners may be the account's."""
    if isinstance(said, NotAsked):
        return TradesPart(name, not_asked=said)
    unread = [row for row in said.unread if query.account is None or row.owner in (None, query.account)]
    if query.account is not None:
        unowned = (trade for trade in said.trades if trade.owner is None and _is_named(trade, query))
        unread += (UnreadRow(f"owner of {trade.id}") for trade in unowned)
    return TradesPart(
        name,
        failure=said.failure,
        reference=None if said.failure is None else secrets.token_hex(3),
        unread=tuple(unread),
        since=said.since,
        is_cut=said.is_cut,
        is_full=said.is_full,
        limit=said.limit,
        of_account_alone=said.of_account_alone,
        knows_offers=said.knows_offers,
    )


def _tells_something(part: TradesPart) -> bool:
    """Return whether a part tells something about the account, as a refusal may."""
    return part.not_asked is None and (part.failure is None or part.failure.kind is FailureKind.REFUSED)
