"""Tokens: what their claims say, and fetching each once."""

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
    "text", ["", "opaque", "a.b", "a.b.c", "a.!!!.c", "a..c", "é.é.é", "a." + "W1tb" * 9_000 + ".c"]
)
def test_no_claims(text):
    """A token that is no JWT claims nothing."""
    assert claims_of(Secret(text)) is None


@pytest.mark.parametrize("claims", [[], 5, "x", None])
def test_claims_of_no_object(claims):
    """Claims that are no object are none."""
    assert claims_of(jwt(claims)) is None


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
        (int(NOW.timestamp()), False, timedelta(hours=23, minutes=55)),
        (10**18, False, timedelta(hours=23, minutes=55)),
        (-(10**18), False, timedelta(hours=23, minutes=55)),
        ("soon", True, timedelta(hours=23, minutes=55)),
    ],
)
def test_renewal(expiry, capped, renewed_in):
    """A token is renewed five minutes before its end: the claimed one if it is possible, else after a day."""
    token = Token.issued(jwt({"exp": expiry}), at=NOW, capped=capped)

    assert token.renew_at == NOW + renewed_in


@pytest.mark.parametrize("value", [None, "", 5, "two words", "line\nbreak", "x" * 9_000, "é"])
def test_unusable_token(value):
    """A token that fits into no header is not taken."""
    with pytest.raises(Unreadable, match=r"^data\.token$"):
        issued_token(Fields({"token": value}, "data"), "token")


class TestCache:
    """One fetch for all who ask."""

    @pytest.fixture
    def cache(self, clock):
        return TokenCache(clock, capacity=2)

    def fetching(self, clock, log, *, gate=None):
        async def fetch():
            log.append("fetched")
            if gate is not None:
                await gate.wait()
            return Token(Secret(f"token {len(log)}"), clock.now() + timedelta(hours=1))

        return fetch

    async def test_once(self, cache, clock):
        """A token is fetched once until it is to be renewed."""
        log: list[str] = []
        fetch = self.fetching(clock, log)
        first = [await cache.get("a", fetch) for _ in range(3)]
        clock.go_on(timedelta(minutes=59))
        assert await cache.get("a", fetch) == first[0]
        clock.go_on(timedelta(minutes=1))
        second = await cache.get("a", fetch)

        assert (first, second) == ([Secret("token 1")] * 3, Secret("token 2"))

    async def test_together(self, cache, clock):
        """Many who ask at once share one fetch, and one who gives up takes it from nobody."""
        log: list[str] = []
        gate = asyncio.Event()
        fetch = self.fetching(clock, log, gate=gate)
        waiting = [asyncio.create_task(cache.get("a", fetch)) for _ in range(5)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        gate.set()

        results = await asyncio.gather(*waiting, return_exceptions=True)

        assert isinstance(results[0], asyncio.CancelledError)
        assert results[1:] == [Secret("token 1")] * 4
        assert log == ["fetched"]

    async def test_failure(self, cache, clock):
        """All who wait learn of a failure, each with an exception of their own, and the next one tries again."""
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

    async def test_failure_nobody_waits_for(self, cache, caplog):
        """A fetch that fails after everybody gave up is no unhandled error."""
        gate = asyncio.Event()

        async def fail():
            await gate.wait()
            raise ProviderError(Failure(ProviderName.MANNCO, FailureKind.BROKEN))

        waiting = asyncio.create_task(cache.get("a", fail))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        gate.set()
        for _ in range(5):
            await asyncio.sleep(0)

        assert caplog.text == ""

    async def test_discard(self, cache, clock):
        """A refused token is fetched anew, once: whoever drops the same one later drops nothing."""
        log: list[str] = []
        fetch = self.fetching(clock, log)
        refused = await cache.get("a", fetch)
        cache.discard("a", refused)
        replacement = await cache.get("a", fetch)
        cache.discard("a", refused)

        assert await cache.get("a", fetch) == replacement
        assert log == ["fetched"] * 2

    async def test_capacity(self, cache, clock):
        """Beyond the capacity the one that was used longest ago goes."""
        log: list[str] = []
        fetch = self.fetching(clock, log)
        for key in ("a", "b", "a", "c"):
            await cache.get(key, fetch)
        assert len(log) == 3

        await cache.get("a", fetch)
        assert len(log) == 3
        await cache.get("b", fetch)
        assert len(log) == 4
