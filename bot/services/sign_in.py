"""Steam sign-in: links a Discord user to the account that they sign in with at Steam."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from cachetools import TTLCache

from bot.domain.access import Actor
from bot.domain.errors import Interrupted, ShuttingDown, SignInOff, SignInRefused, SteamUnavailable
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

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

CALLS_AT_ONCE = 8
"""Concurrent calls to Steam; further callers get SteamUnavailable."""

_MAX_REMEMBERED = 1_000

Tell = Callable[[Link], Awaitable[None]]
"""Tells the user in Discord that their sign-in is done; it must not raise."""


@dataclass(frozen=True, slots=True)
class StartedSignIn:
    """The page of a sign-in, for its user only."""

    address: SignInAddress
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FinishedSignIn:
    """A completed sign-in. ``names`` are None after a restart; ``waits``: own resends do not count yet."""

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
        clock: Clock,
        places: SignInPlaces | None = None,
        steam: SteamOpenId | None = None,
    ) -> None:
        self._sign_ins = sign_ins
        self._audit = audit
        self._clock = clock
        self._places = places
        self._steam = steam
        self._begun: TTLCache[str, _Begun, float] = TTLCache(
            _MAX_REMEMBERED, SIGN_IN_WITHIN.total_seconds(), clock.monotonic
        )
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._asking = 0
        self._running: set[asyncio.Task[Any]] = set()
        self._is_stopping = False

    async def start(self, *, names: SignInNames, tell: Tell, by: Actor) -> StartedSignIn:
        """Start a sign-in for the actor, which replaces an earlier one; SignInOff if it is not configured."""
        if self._places is None:
            raise SignInOff
        token = SignInToken(secrets.token_urlsafe(TOKEN_BYTES))
        sign_in = SignIn(token.digest(), by.guild_id, by.user_id, self._clock.now() + SIGN_IN_WITHIN)
        await self._sign_ins.begin(sign_in)
        self._begun[sign_in.digest] = _Begun(sign_in, names, tell)
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
        fails, SteamUnavailable if Steam does not answer (the address stays usable), SteamAccountTaken if the account is
        another member's. A cancelled caller does not stop it.
        """
        if self._is_stopping:
            raise ShuttingDown
        if self._places is None:
            raise SignInOff
        check_browser(token, digest)
        assertion = check_answer(parameters, digest, places=self._places, now=self._clock.now())
        task = self._begin(self._finish(digest, assertion))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():  # by close, not by the caller
                raise Interrupted from None
            raise

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
        for digest, begun in list(self._begun.items()):
            if (begun.sign_in.guild_id, begun.sign_in.user_id) == (guild_id, user_id):
                del self._begun[digest]

    async def _finish(self, digest: str, assertion: Assertion) -> FinishedSignIn:
        # A page that is loaded ten times asks Steam once.
        async with self._locks.setdefault(digest, asyncio.Lock()):
            pending = await self._find(digest)
            if pending is None:
                raise SignInRefused("used")
            if not await self._confirmed(assertion):
                raise SignInRefused("not_confirmed")
            now = self._clock.now()
            link = await self._sign_ins.complete(digest, steam_id=assertion.steam_id, nonce=assertion.nonce, at=now)
        if link is None:
            raise SignInRefused("used")
        _log.info("signed in guild=%s user=%s", link.guild_id, link.user_id)
        self._begin(self._announce(link, self._begun.pop(digest, None)))  # the browser does not wait for Discord
        return FinishedSignIn(link, pending.names, waits=link.waits_at(now))

    async def _announce(self, link: Link, begun: _Begun | None) -> None:
        try:
            if begun is not None:
                await begun.tell(link)
            if link.audit_row is not None:
                await self._audit.announce(link.audit_row)
        except Exception:  # noqa: BLE001 -- the link is set, and no caller waits for this
            _log.exception("sign-in not announced guild=%s user=%s", link.guild_id, link.user_id)

    async def _confirmed(self, assertion: Assertion) -> bool:
        if self._steam is None or self._asking >= CALLS_AT_ONCE:
            raise SteamUnavailable
        self._asking += 1
        try:
            return await self._steam.confirms(assertion.parameters)
        finally:
            self._asking -= 1

    async def _find(self, digest: str) -> PendingSignIn | None:
        sign_in = await self._sign_ins.get(digest, at=self._clock.now())
        if sign_in is None:
            return None
        begun = self._begun.get(digest)
        return PendingSignIn(sign_in, begun.names if begun is not None else None)

    def _begin(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, whether or not the browser still waits
