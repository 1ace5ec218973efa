"""A provider's whole response: status, headers, and a body inflated within a bound."""

import zlib
from collections.abc import AsyncIterable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, FailureKind, Party, ProviderName

ACCEPT_ENCODING = "gzip, deflate"
_MAX_RETRY_AFTER = timedelta(hours=1)
_INFLATE_STEP = 64 * 1024


class BodyTooLarge(Exception):
    """The body is larger than its limit, as sent or inflated."""


class BodyUnreadable(Exception):
    """The body is compressed in a way that was not asked for, is broken, or ends too early."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response. Header names are in lower case; ``note`` records the place of an unexpected field."""

    provider: ProviderName | Party
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    received_at: datetime
    note: Callable[[str], None] = field(default=lambda _: None, repr=False, compare=False)

    @property
    def retry_after(self) -> timedelta | None:
        """The wait of a ``Retry-After`` header, given in seconds or as a date; at most an hour."""
        text = self.headers.get("retry-after", "").strip()
        if not text:
            return None
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
        """Return the error for this response; ``facts`` are further fields of :class:`Failure`."""
        return ProviderError(
            Failure(self.provider, kind, http_status=self.status, retry_after=self.retry_after, **facts)
        )


async def read_body(pieces: AsyncIterable[bytes], encoding: str, *, limit: int) -> bytes:
    """Collect and inflate a body; BodyTooLarge above ``limit`` bytes, BodyUnreadable for bad data."""
    encoding = encoding.strip().lower()
    inflater = None if encoding in ("", "identity") else _Inflater(encoding)
    received = 0
    body = bytearray()
    async for piece in pieces:
        received += len(piece)
        if received > limit:
            raise BodyTooLarge
        for part in (piece,) if inflater is None else inflater.feed(piece):
            body += part
            if len(body) > limit:
                raise BodyTooLarge
    if inflater is not None and received and not inflater.is_complete:
        raise BodyUnreadable
    return bytes(body)


class _Inflater:
    """Inflates a stream of one or more compressed members in bounded steps."""

    def __init__(self, encoding: str) -> None:
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise BodyUnreadable
        self._is_deflate = encoding == "deflate"
        self._member: zlib._Decompress | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the data so far ends at the end of a member."""
        return self._member is not None and self._member.eof

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the inflated piece in steps, so that a consumer can stop at its limit."""
        inflated = b""
        while piece or len(inflated) == _INFLATE_STEP:  # a full step can leave output without further input
            if self._member is None or self._member.eof:
                if not piece:
                    return
                self._member = zlib.decompressobj(self._window_bits(piece[0]))
            try:
                inflated = self._member.decompress(piece, _INFLATE_STEP)
            except zlib.error:
                raise BodyUnreadable from None
            yield inflated
            piece = self._member.unused_data if self._member.eof else self._member.unconsumed_tail

    def _window_bits(self, first_byte: int) -> int:
        if not self._is_deflate:
            return zlib.MAX_WBITS | 16
        # Some servers send bare deflate data, without the zlib header, under the same name.
        return zlib.MAX_WBITS if first_byte & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS
