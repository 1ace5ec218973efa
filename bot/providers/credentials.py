"""Tokens that providers issue: their claims, and a cache that creates each once until its renewal."""

import base64
import binascii
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from cachetools import TLRUCache, TTLCache

from bot.domain.errors import ProviderError, is_callers_own
from bot.domain.secrets import Secret
from bot.ports import Clock
from bot.providers.reading import Fields, Unreadable, parse_json
from bot.single_flight import SingleFlight

LIFETIME = timedelta(hours=24)
"""AssetPay's documented lifetime. Mannco.store's is longer and in the token's claims."""
RENEW_BEFORE = timedelta(minutes=5)
RENEW_EVERY = timedelta(minutes=1)
"""How often a refused token is replaced."""
_MAX_JWT = 8_192
_MAX_TOKENS = 1_000
Create = Callable[[], "Coroutine[Any, Any, Token]"]
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")


def claims_of(token: Secret) -> Fields | None:
    """Return the claims of a JWT, unverified: enough to notice a wrong account or an expiry, never to trust."""
    parts = token.reveal().split(".")
    if len(parts) != 3 or len(token.reveal()) > _MAX_JWT:  # noqa: PLR2004 -- header, claims, signature
        return None
    try:
        return Fields(parse_json(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))))
    except (Unreadable, binascii.Error, ValueError):
        return None


def issued_token(fields: Fields, name: str) -> Secret:
    """Read a required token that fits into a header."""
    value = fields.values.get(name)
    if not isinstance(value, str) or len(value) > _MAX_JWT or not _HEADER_SAFE.fullmatch(value):
        raise Unreadable(fields.at(name))
    return Secret(value)


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and how long it is used before it is renewed."""

    value: Secret
    lasts: timedelta

    @classmethod
    def issued(cls, value: Secret, *, at: datetime, capped: bool = True) -> Self:
        """Return a token issued at ``at``, kept until shortly before its ``exp`` claim, or LIFETIME without one.

        ``capped`` limits it to LIFETIME. A claim that has passed on arrival is ignored: a clock is wrong. A token that
        ends within minutes is kept for half of them, or every call would ask for another one.
        """
        claims = claims_of(value)
        expiry = claims.integer("exp", optional=True) if claims else None
        end = at + LIFETIME
        if expiry is not None:
            try:
                claimed = datetime.fromtimestamp(expiry, UTC)
            except (ValueError, OverflowError, OSError):
                claimed = at
            if claimed > at:
                end = min(claimed, end) if capped else claimed
        return cls(value, max(end - at - RENEW_BEFORE, (end - at) / 2))


class TokenCache:
    """Tokens by key, in memory only. Concurrent callers share the creation of a missing one."""

    def __init__(self, clock: Clock, *, capacity: int = _MAX_TOKENS) -> None:
        self._tokens: TLRUCache[str, Token, float] = TLRUCache(capacity, _use_until, clock.monotonic)
        self._renewed: TTLCache[str, None, float] = TTLCache(capacity, RENEW_EVERY.total_seconds(), clock.monotonic)
        self._creating: SingleFlight[str, Secret] = SingleFlight(is_starters_own=is_callers_own)

    async def get(self, key: str, create: Create) -> Secret:
        """Return the token of ``key``, created by ``create`` if there is none that is still good."""
        token = self._tokens.get(key)
        return token.value if token is not None else await self._create(key, create)

    async def renewed(self, key: str, refused: Secret, create: Create) -> Secret | None:
        """Return another token than the refused one; None if it was renewed within RENEW_EVERY.

        A refusal may be about the question, not the token. So the refused token stays in use for other questions until
        there is a new one, and no question can make the desk log in again and again.
        """
        token = self._tokens.get(key)
        if token is not None and token.value != refused:
            return token.value
        if token is not None and key not in self._creating:
            if key in self._renewed:
                return None
            self._renewed[key] = None
        return await self._create(key, create)

    async def _create(self, key: str, create: Create) -> Secret:
        async def create_and_keep() -> Secret:
            created = await create()
            self._tokens[key] = created
            return created.value

        try:
            return await self._creating.run(key, create_and_keep)
        except ProviderError as error:
            failure = error.failure
        # A new exception each: one raised in several tasks would collect all their tracebacks.
        raise ProviderError(failure)


def _use_until(_: str, token: Token, now: float) -> float:
    return now + token.lasts.total_seconds()
