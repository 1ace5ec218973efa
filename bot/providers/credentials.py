"""Tokens that providers issue for a while: what they say of themselves, and keeping them in memory until renewal."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.domain.errors import ProviderError
from bot.domain.secrets import Secret
from bot.providers.reading import Fields, Unreadable, loose, parse_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.ports import Clock

LIFETIME = timedelta(hours=24)
"""How long a token is used at most (AssetPay's documented lifetime; Mannco.store's is longer and in its claims)."""
RENEW_BEFORE = timedelta(minutes=5)
_MAX_JWT = 8_192
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")


def claims_of(token: Secret) -> Fields | None:
    """Return what a JWT claims, unverified: enough to notice a wrong account or an end, never to trust. Else None."""
    parts = token.reveal().split(".")
    if len(parts) != 3 or len(token.reveal()) > _MAX_JWT:  # noqa: PLR2004 -- header, claims, signature
        return None
    try:
        return Fields(parse_json(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))))
    except (Unreadable, binascii.Error, ValueError):
        return None


def issued_token(fields: Fields, name: str) -> Secret:
    """Read a token that has to be there and fits into a header."""
    value = fields.raw(name)
    if not isinstance(value, str) or len(value) > _MAX_JWT or not _HEADER_SAFE.fullmatch(value):
        raise Unreadable(fields.at(name))
    return Secret(value)


def expiry_of(token: Secret) -> datetime | None:
    """Return when a JWT says that it ends, where that can be read."""
    claims = claims_of(token)
    end = loose(claims.integer, "exp") if claims else None
    try:
        return datetime.fromtimestamp(end, UTC) if end is not None else None
    except (ValueError, OverflowError, OSError):
        return None


@dataclass(frozen=True, slots=True)
class Held:
    """A token, and from when on another one is to be asked for."""

    token: Secret
    renew_at: datetime

    @classmethod
    def issued(cls, token: Secret, *, at: datetime, capped: bool = True) -> Held:
        """Return a token issued at ``at``: kept until its claims' end, or for LIFETIME where they name none.

        ``capped`` keeps no token longer than LIFETIME. An end that has passed on arrival is a clock gone wrong.
        """
        end = expiry_of(token)
        if end is None or end <= at or (capped and end > at + LIFETIME):
            end = at + LIFETIME
        return cls(token, end - RENEW_BEFORE)


class TokenCache:
    """Tokens by key, in memory only: the ``capacity`` used last.

    However many ask for a missing one, it is fetched once, and the fetching goes on when one who waits gives up.
    """

    def __init__(self, clock: Clock, *, capacity: int = 1_000) -> None:
        self._clock = clock
        self._capacity = capacity
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._flights: dict[str, asyncio.Task[Secret]] = {}

    async def get(self, key: str, fetch: Callable[[], Awaitable[Held]]) -> Secret:
        """Return the token of ``key``, by ``fetch`` where there is none that lasts; what ``fetch`` raises otherwise."""
        held = self._held.get(key)
        if held is not None and self._clock.now() < held.renew_at:
            self._held.move_to_end(key)
            return held.token
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._fetch(key, fetch))
            self._flights[key] = flight
            flight.add_done_callback(lambda ended: self._end(key, ended))
        try:
            return await asyncio.shield(flight)
        except ProviderError as error:
            failure = error.failure
        # One each: an exception raised in several tasks would collect all their tracebacks.
        raise ProviderError(failure)

    def drop(self, key: str, token: Secret) -> None:
        """Forget a token that was refused; one that replaced it meanwhile stays."""
        held = self._held.get(key)
        if held is not None and held.token == token:
            del self._held[key]

    def _end(self, key: str, flight: asyncio.Task[Secret]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # looked at, so that a failure nobody waits for any more is not reported as lost

    async def _fetch(self, key: str, fetch: Callable[[], Awaitable[Held]]) -> Secret:
        held = await fetch()
        self._held[key] = held
        self._held.move_to_end(key)
        while len(self._held) > self._capacity:
            self._held.popitem(last=False)
        return held.token
