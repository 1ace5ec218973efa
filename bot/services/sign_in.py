"""Steam sign-in: links a Discord user to the account that they sign in with at Steam."""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from cachetools import TTLCache

from bot.domain.access import Actor, Caller, on_behalf_of
from bot.domain.errors import (
    DatabaseUnavailable,
    Interrupted,
    ShuttingDown,
    SignInOff,
    SignInRefused,
    SteamUnavailable,
)
from bot.domain.links import SIGN_IN_WITHIN, Link, SignIn
from bot.domain.secrets import SignInAddress, SignInToken
from bot.domain.sign_in import (
    TOKEN_BYTES,
    Assertion,
    PendingSignIn,
    SignInNames,
    SignInPlaces,
    check_answer,
    check_browser,
)
from bot.ports import Clock, SignInRepository, SteamOpenId
from bot.services.audit import AuditService
from bot.services.guilds import ServedGuilds
from bot.services.link_notices import LinkNotices
from bot.services.person_limit import PersonLimit

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

CALLS_AT_ONCE = 8
"""Concurrent calls to Steam, one for each user; further callers get SteamUnavailable."""

STARTS = 10
CALLS = 20
"""Sign-ins that one member starts, and calls to Steam for them, within an hour."""

PAGES_AT_ONCE = 16
"""Requests for the end of one sign-in that wait for Steam; further callers get SteamUnavailable."""

MAX_REMEMBERED = 5_000
"""Members whose names are kept for the page; the pages of more members at once have none."""

_HOUR = timedelta(hours=1)

Tell = Callable[[Link], Awaitable[None]]
"""Tells the user in Discord that their sign-in is done; it must not raise."""


@dataclass(frozen=True, slots=True)
class StartedSignIn:
    """The page of a sign-in, for its user only."""

    address: SignInAddress
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FinishedSignIn:
    """A completed sign-in. ``names`` may be None; ``waits``: own resends do not count yet."""

    link: Link
    names: SignInNames | None
    waits: bool


@dataclass(frozen=True, slots=True)
class _Begun:
    """The part of a sign-in that is never stored."""

    sign_in: SignIn
    names: SignInNames
    tell: Tell


class SignInService:
    """Sign-ins from ``/link start`` to the link. It is off without ``places`` and ``steam``."""

    def __init__(
        self,
        *,
        sign_ins: SignInRepository,
        audit: AuditService,
        guilds: ServedGuilds,
        notices: LinkNotices,
        clock: Clock,
        places: SignInPlaces | None = None,
        steam: SteamOpenId | None = None,
    ) -> None:
        self._sign_ins = sign_ins
        self._audit = audit
        self._guilds = guilds
        self._notices = notices
        self._clock = clock
        self._places = places
        self._steam = steam
        self._begun: TTLCache[tuple[int, int], _Begun, float] = TTLCache(
            MAX_REMEMBERED, SIGN_IN_WITHIN.total_seconds(), clock.monotonic
        )
        """By guild and user."""
        self._starts = PersonLimit(STARTS, _HOUR, clock)
        self._calls = PersonLimit(CALLS, _HOUR, clock)
        self._asking: set[int] = set()
        """The users for whom Steam is asked."""
        self._waiting: Counter[str] = Counter()
        """How many requests wait for the end of each sign-in."""
        self._finishing: dict[tuple[str, frozenset[tuple[str, str]]], asyncio.Task[FinishedSignIn]] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._is_stopping = False

    @property
    def is_on(self) -> bool:
        """Whether members can sign in."""
        return self._places is not None

    async def start(self, *, names: SignInNames, tell: Tell, by: Actor) -> StartedSignIn:
        """Start a sign-in for the actor, which replaces an earlier one.

        SignInOff if it is not configured, TooOften after STARTS within an hour.
        """
        if self._places is None:
            raise SignInOff
        self._starts.use(by.guild_id, by.user_id)
        token = SignInToken(secrets.token_urlsafe(TOKEN_BYTES))
        sign_in = SignIn(token.digest(), by.guild_id, by.user_id, self._clock.now() + SIGN_IN_WITHIN)
        await self._sign_ins.begin(sign_in)
        key = (by.guild_id, by.user_id)
        if key in self._begun or self._begun.currsize < self._begun.maxsize:  # never at the cost of another member
            self._begun[key] = _Begun(sign_in, names, tell)
        return StartedSignIn(self._places.page(token), sign_in.expires_at)

    async def find(self, token: SignInToken) -> PendingSignIn | None:
        """Return the sign-in of an address, if it can still be used. This does not use it up."""
        return await self._find(token.digest())

    async def login_address(self, token: SignInToken) -> str | None:
        """Return Steam's address for this sign-in, or None if it cannot be used any more."""
        pending = await self.find(token)
        return None if pending is None or self._places is None else self._places.login(pending.sign_in.digest)

    async def finish(
        self, digest: str, parameters: Sequence[tuple[str, str]], *, token: SignInToken | None
    ) -> FinishedSignIn:
        """Link the user who started the sign-in to the account that Steam confirms.

        ``parameters`` come from Steam with the browser, ``token`` from the browser's cookie. SignInRefused if a check
        fails, SteamUnavailable if Steam does not answer (the address stays usable), TooOften after CALLS within an
        hour, SteamAccountTaken if the account is another member's. A cancelled caller does not stop it.
        """
        if self._is_stopping:
            raise ShuttingDown
        if self._places is None:
            raise SignInOff
        check_browser(token, digest)
        assertion = check_answer(parameters, digest, places=self._places, now=self._clock.now())
        if self._waiting[digest] >= PAGES_AT_ONCE:
            raise SteamUnavailable
        # A page that is loaded ten times asks Steam once.
        key = (digest, frozenset(assertion.parameters.items()))
        task = self._finishing.get(key)
        if task is None:
            task = self._finishing[key] = self._begin(self._finish(digest, assertion))
            task.add_done_callback(lambda _: self._finishing.pop(key))
        self._waiting[digest] += 1
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():  # by close, not by the caller
                raise Interrupted from None
            raise
        finally:
            self._waiting[digest] -= 1
            self._waiting += Counter()  # without those that nobody waits for

    async def close(self, *, within: float) -> None:
        """Begin nothing new, and give running work ``within`` seconds."""
        self._is_stopping = True
        if self._running:
            await asyncio.wait(self._running, timeout=within)
        for task in (left := tuple(self._running)):
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def purge(self) -> None:
        """Remove what has expired."""
        self._begun.expire()
        await self._sign_ins.purge(at=self._clock.now())

    def evict(self, guild_id: int, user_id: int) -> None:
        """Remove a user's sign-ins in a guild from memory."""
        self._begun.pop((guild_id, user_id), None)

    async def _finish(self, digest: str, assertion: Assertion) -> FinishedSignIn:
        pending = await self._find(digest)
        if pending is None:
            raise SignInRefused("used")
        if not await self._confirmed(assertion, of=pending.sign_in):
            raise SignInRefused("not_confirmed")
        now = self._clock.now()
        link = await self._sign_ins.complete(digest, steam_id=assertion.steam_id, nonce=assertion.nonce, at=now)
        if link is None:
            raise SignInRefused("used")
        _log.info("signed in guild=%s user=%s", link.guild_id, link.user_id)
        if (begun := self._begun_as(pending.sign_in)) is not None:
            self.evict(link.guild_id, link.user_id)
        self._notices.begin(link)
        self._begin(self._announce(link, begun))  # the browser does not wait for Discord
        return FinishedSignIn(link, pending.names, waits=link.waits_at(now))

    async def _announce(self, link: Link, begun: _Begun | None) -> None:
        try:
            if begun is not None:
                await begun.tell(link)
            if link.audit_row is not None:
                await self._audit.announce(link.audit_row)
        except Exception as error:  # noqa: BLE001 -- the link is set, and no caller waits for this
            is_new = not isinstance(error, DatabaseUnavailable)
            _log.error("sign-in not announced guild=%s user=%s", link.guild_id, link.user_id, exc_info=is_new)

    async def _confirmed(self, assertion: Assertion, *, of: SignIn) -> bool:
        if self._steam is None or of.user_id in self._asking or len(self._asking) >= CALLS_AT_ONCE:
            raise SteamUnavailable
        self._calls.use(of.guild_id, of.user_id)
        self._asking.add(of.user_id)
        try:
            with on_behalf_of(Caller(of.user_id, is_staff=False)):
                return await self._steam.confirms(assertion.parameters)
        finally:
            self._asking.discard(of.user_id)

    async def _find(self, digest: str) -> PendingSignIn | None:
        sign_in = await self._sign_ins.get(digest, at=self._clock.now())
        if sign_in is None or not self._guilds.serves(sign_in.guild_id):
            return None
        return PendingSignIn(sign_in, begun.names if (begun := self._begun_as(sign_in)) is not None else None)

    def _begun_as(self, sign_in: SignIn) -> _Begun | None:
        begun = self._begun.get((sign_in.guild_id, sign_in.user_id))
        return begun if begun is not None and begun.sign_in.digest == sign_in.digest else None

    def _begin(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, whether or not the browser still waits
