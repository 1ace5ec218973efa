"""Steam sign-in: an address for one Discord user, Steam's word for whose account it is, and the link of the two."""

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from weakref import WeakValueDictionary

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
from bot.services.links import link_set_entry

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

CALLS_AT_ONCE = 8
"""Calls to Steam under way: whoever comes beyond is told to try again."""

_MAX_REMEMBERED = 1_000

Tell = Callable[[Link], Awaitable[None]]
"""Tells whoever began a sign-in in Discord that it is done; it raises nothing."""


@dataclass(frozen=True, slots=True)
class StartedSignIn:
    """What is handed out, to the user alone."""

    address: SignInAddress
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FinishedSignIn:
    """A link that came about. ``names`` are None after a restart; ``waits``: own resends do not count yet."""

    link: Link
    names: SignInNames | None
    waits: bool


@dataclass(frozen=True, slots=True)
class _Begun:
    """What is kept in memory only."""

    sign_in: SignIn
    names: SignInNames
    tell: Tell


class SignInService:
    """Sign-ins from ``/link start`` to the link. Without ``places`` and ``steam`` it is off."""

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
        self._begun: OrderedDict[str, _Begun] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._asking = 0
        self._under_way: set[asyncio.Task[Any]] = set()
        self._is_stopping = False

    async def start(self, *, names: SignInNames, tell: Tell, by: Actor) -> StartedSignIn:
        """Begin one for the caller, in place of an earlier one; SignInOff where there is none here."""
        if self._places is None:
            raise SignInOff
        token = SignInToken(secrets.token_urlsafe(TOKEN_BYTES))
        sign_in = SignIn(token.digest(), by.guild_id, by.user_id, self._clock.now() + SIGN_IN_WITHIN)
        await self._sign_ins.begin(sign_in)
        self._remember(_Begun(sign_in, names, tell))
        return StartedSignIn(self._places.page(token), sign_in.expires_at)

    async def find(self, token: SignInToken) -> PendingSignIn | None:
        """Return the sign-in of an address, if it can still be used. It is not used up by that."""
        return await self._find(token.digest())

    async def login_address(self, token: SignInToken) -> str | None:
        """Return Steam's address for this sign-in, None where it cannot be used any more."""
        pending = await self.find(token)
        return None if pending is None or self._places is None else self._places.login(pending.sign_in.digest)

    async def finish(
        self, digest: str, parameters: Sequence[tuple[str, str]], *, token: SignInToken | None
    ) -> FinishedSignIn:
        """Link whoever began the sign-in to the account that Steam vouches for.

        ``parameters`` are what the browser brought from Steam, ``token`` what it kept in its cookie. SignInRefused
        where anything is not as it has to be, SteamUnavailable where Steam does not answer (the address can be used
        again then), SteamAccountTaken where the account is another member's. The caller's going away does not stop
        what was begun.
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
            if task.cancelled():  # by close: whoever waits is still there
                raise Interrupted from None
            raise

    async def close(self, *, within: float) -> None:
        """Take nothing new, and leave what is under way so many seconds."""
        self._is_stopping = True
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within)
        for task in (left := tuple(self._under_way)):
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def purge(self) -> None:
        """Forget what can no longer be used."""
        now = self._clock.now()
        await self._sign_ins.purge(at=now)
        for digest in [digest for digest, begun in self._begun.items() if begun.sign_in.expires_at <= now]:
            del self._begun[digest]

    def forget(self, guild_id: int, user_id: int) -> None:
        """Forget what is kept in memory of a sign-in that somebody began in a guild: names, and the way back."""
        theirs = [
            digest
            for digest, begun in self._begun.items()
            if (begun.sign_in.guild_id, begun.sign_in.user_id) == (guild_id, user_id)
        ]
        for digest in theirs:
            del self._begun[digest]

    async def _finish(self, digest: str, assertion: Assertion) -> FinishedSignIn:
        # One at a time for each sign-in: a page that is loaded ten times asks Steam once.
        async with self._turns.setdefault(digest, asyncio.Lock()):
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
        # The browser does not wait for Discord.
        self._begin(self._announce(link, self._begun.pop(digest, None)))
        return FinishedSignIn(link, pending.names, waits=link.waits_at(now))

    async def _announce(self, link: Link, begun: _Begun | None) -> None:
        try:
            if begun is not None:
                await begun.tell(link)
            await self._audit.announce(link_set_entry(link))
        except Exception:  # noqa: BLE001 -- the deed is done, and nobody waits for this
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

    def _remember(self, begun: _Begun) -> None:
        self._begun[begun.sign_in.digest] = begun
        while len(self._begun) > _MAX_REMEMBERED:
            self._begun.popitem(last=False)

    def _begin(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # heard, whether or not the browser still waits
