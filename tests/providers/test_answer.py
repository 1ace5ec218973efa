"""What an answer says about waiting."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.failures import FailureKind, ProviderName
from bot.providers.answer import Answer

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ("30", timedelta(seconds=30)),
        (" 0 ", timedelta(0)),
        ("Mon, 01 Jun 2026 12:02:00 GMT", timedelta(minutes=2)),
        ("Mon, 01 Jun 2026 12:02:00 -0000", timedelta(minutes=2)),
        ("Mon, 01 Jun 2026 11:00:00 GMT", timedelta(0)),
        ("86400", timedelta(hours=1)),
        ("9" * 5000, timedelta(hours=1)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(hours=1)),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("Mon, 99 Jun 2026 99:99:99 GMT", None),
        ("٣", None),
    ],
)
def test_retry_after(said, waits):
    """Seconds and dates count, at most an hour; anything else is as if not said."""
    answer = Answer(ProviderName.MANNCO, 429, {"retry-after": said}, b"", NOW)

    assert answer.failure(FailureKind.THROTTLED).failure.retry_after == waits


def test_no_retry_after():
    """Without the header there is nothing to wait for."""
    assert Answer(ProviderName.MANNCO, 429, {}, b"", NOW).retry_after is None
