"""A provider's whole answer, and the errors it can amount to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bot.domain.failures import Party, ProviderName

_MAX_RETRY_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's whole answer. Header names are in lower case; the body is as it was before compression."""

    provider: ProviderName | Party
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    received_at: datetime
    note: Callable[[str], None] = field(default=lambda _: None, repr=False, compare=False)
    """Told the place of whatever in the answer was unexpected."""

    @property
    def retry_after(self) -> timedelta | None:
        """How long to wait, from a ``Retry-After`` in seconds or as a date; at most an hour."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return min(timedelta(seconds=int(text[:9])), _MAX_RETRY_AFTER)
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return min(max(moment - self.received_at, timedelta(0)), _MAX_RETRY_AFTER)

    def failure(self, kind: FailureKind, **facts: Any) -> ProviderError:
        """Return the error that this answer amounts to; ``facts`` are further fields of :class:`Failure`."""
        return ProviderError(
            Failure(self.provider, kind, http_status=self.status, retry_after=self.retry_after, **facts)
        )
