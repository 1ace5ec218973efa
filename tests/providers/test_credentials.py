"""Tokens: their claims, and creating each once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.secrets import Secret
from bot.providers.credentials import Token, TokenCache, claims_of, issued_token
from bot.providers.reading import Fields, Unreadable
from tests.providers.jwts import jwt

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "opaque", "a.b", "a.b.c", "a.!!!.c", "a..c", "a.W10.c", "é.é.é", "a." + "W1tb" * 9_000 + ".c"]
)
def test_no_claims(text):
    """A token that is no JWT claims nothing."""
    assert claims_of(Secret(text)) is None


IN_AN_HOUR = int((NOW + timedelta(hours=1)).timestamp())
IN_A_MONTH = int((NOW + timedelta(days=31)).timestamp())


@pytest.mark.parametrize(
    ("expiry", "capped", "renewed_in"),
    [
        (None, True, timedelta(hours=23, minutes=55)),
        (IN_AN_HOUR, True, timedelta(minutes=55)),
        (str(IN_AN_HOUR), True, timedelta(minutes=55)),
        (IN_A_MONTH, True, timedelta(hours=23, minutes=55)),
        (IN_A_MONTH, False, timedelta(days=31, minutes=-5)),
        (int(NOW.timestamp()) + 240, True, timedelta(minutes=2)),
        (int(NOW.timestamp()), False, timedelta(hours=23, minutes=55)),
        (10**18, False, timedelta(hours=23, minutes=55)),
        (-(10**18), False, timedelta(hours=23, minutes=55)),
        ("soon", True, timedelta(hours=23, minutes=55)),
    ],
)
def test_renewal(expiry, capped, renewed_in):
    """A token is renewed five minutes before its end: the claimed one if it is possible, else after a day."""
    token = Token.issued(jwt({"exp": expiry}), at=NOW, capped=capped)

    assert token.lasts == renewed_in


@pytest.mark.parametrize("value", [None, "", 5, "two words", "line\nbreak", "x" * 9_000, "é"])
def test_unusable_token(value):
    """A token that fits into no header is not taken."""
    with pytest.raises(Unreadable, match=r"^data\.token$"):
        issued_token(Fields({"token": value}, "data"), "token")


class TestCache:
    """One creation for all callers."""

    @pytest.fixture
    def cache(self, clock):
        return TokenCache(clock, capacity=2)

    def fetching(self, clock, log):
        async def fetch():
            log.append("fetched")
            return Token(Secret(f"token {len(log)}"), timedelta(hours=1))

        return fetch

    async def test_failure(self, cache, clock):
        """A failure reaches every caller as an exception of its own, and the next caller tries again."""
        log: list[str] = []

        async def fail():
            log.append("failed")
            await asyncio.sleep(0)
            raise ProviderError(Failure(ProviderName.MANNCO, FailureKind.BROKEN))

        errors = await asyncio.gather(*(cache.get("a", fail) for _ in range(3)), return_exceptions=True)

        failures = [error.failure for error in errors if isinstance(error, ProviderError)]
        assert [failure.kind for failure in failures] == [FailureKind.BROKEN] * 3
        assert len({id(error) for error in errors}) == 3
        assert log == ["failed"]
        assert await cache.get("a", self.fetching(clock, log)) == Secret("token 2")

    async def test_busy_for_another(self, cache):
        """A caller who joined a creation for which its beginner got no slot creates the token on their own."""
        refusals = [FailureKind.BUSY_WITH_OWN]

        async def create():
            await asyncio.sleep(0.01)
            if refusals:
                raise ProviderError(Failure(ProviderName.MANNCO, refusals.pop()))
            return Token.issued(Secret("good"), at=NOW)

        first, second = await asyncio.gather(*(cache.get("", create) for _ in range(2)), return_exceptions=True)

        assert isinstance(first, ProviderError)
        assert second == Secret("good")

    async def test_renewed(self, cache, clock):
        """A refused token is replaced once a minute, and used until there is another one."""
        log: list[str] = []
        fetch = self.fetching(clock, log)

        async def fail():
            log.append("failed")
            raise ProviderError(Failure(ProviderName.MANNCO, FailureKind.THROTTLED))

        refused = await cache.get("a", fetch)
        with pytest.raises(ProviderError):
            await cache.renewed("a", refused, fail)
        assert await cache.get("a", fetch) == refused
        assert await cache.renewed("a", refused, fetch) is None
        clock.advance(minutes=1)
        clock.step(hours=-1)
        both = await asyncio.gather(*(cache.renewed("a", refused, fetch) for _ in range(2)))
        assert both == [Secret("token 3")] * 2
        assert await cache.renewed("a", refused, fetch) == await cache.get("a", fetch) == Secret("token 3")
        assert log == ["fetched", "failed", "fetched"]

    async def test_capacity(self, cache, clock):
        """Above the capacity the least recently used token is removed."""
        log: list[str] = []
        fetch = self.fetching(clock, log)
        for key, created in (("a", 1), ("b", 2), ("a", 2), ("c", 3), ("a", 3), ("b", 4)):
            await cache.get(key, fetch)
            assert len(log) == created
