"""Which failed reads are tried again, and after how long."""

from datetime import timedelta

import pytest

from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.providers.explanations import Catalogue
from bot.providers.retry import MOST_TRIES, wait_before_retry

CATALOGUE = Catalogue.load()
PLENTY = timedelta(seconds=12)


def wait(failure: Failure, *, tries: int = 1, left: timedelta = PLENTY, chance: float = 0.5) -> timedelta | None:
    return wait_before_retry(failure, CATALOGUE.explain(failure), tries=tries, left=left, chance=chance)


def of_kind(kind: FailureKind, **facts: object) -> Failure:
    return Failure(ProviderName.ASSETPAY, kind, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", FailureKind)
def test_kinds(kind: FailureKind) -> None:
    """A connection may work the next time; what the provider decided, or what nobody can read, will not change."""
    passes = {FailureKind.UNREACHABLE, FailureKind.LOST, FailureKind.TIMED_OUT, FailureKind.BROKEN}

    assert (wait(of_kind(kind)) is not None) == (kind in passes)


@pytest.mark.parametrize(
    ("code", "key", "retry_after", "expected"),
    [
        (1011, "FLEET_DEGRADED", timedelta(seconds=2), timedelta(seconds=2)),
        (1011, "FLEET_DEGRADED", timedelta(seconds=30), None),
        (1011, "FLEET_DEGRADED", None, None),
        (7, "USER_NOT_TRADEABLE", timedelta(seconds=1), None),
        (4242, "SOMETHING_NEW", timedelta(seconds=1), None),
    ],
)
def test_refusals(code: int, key: str, retry_after: timedelta | None, expected: timedelta | None) -> None:
    """A refusal is tried again only where the catalogue says that time heals it, and within the deadline."""
    failure = of_kind(FailureKind.REFUSED, code=code, key=key, retry_after=retry_after)

    assert wait(failure) == expected


@pytest.mark.parametrize("kind", [FailureKind.BROKEN, FailureKind.THROTTLED, FailureKind.REFUSED])
def test_too_many_requests(kind: FailureKind) -> None:
    """HTTP 429 is never tried again."""
    assert wait(of_kind(kind, http_status=429, retry_after=timedelta(seconds=1))) is None


def test_waits_grow_and_are_spread() -> None:
    """Each wait is twice the one before, somewhere between half of it and all of it."""
    lost = of_kind(FailureKind.LOST)

    assert wait(lost, tries=1, chance=0.0) == timedelta(seconds=0.2)
    assert wait(lost, tries=1, chance=1.0) == timedelta(seconds=0.4)
    assert wait(lost, tries=2, chance=1.0) == timedelta(seconds=0.8)
    assert wait(lost, tries=MOST_TRIES) is None


def test_deadline() -> None:
    """A try that could not end in time is not begun."""
    assert wait(of_kind(FailureKind.LOST), left=timedelta(seconds=1.1)) is None
