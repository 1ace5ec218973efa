"""A provider's whole response: status, headers, and a body inflated within a bound."""

from __future__ import annotations

import asyncio
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
_LONGEST_DATE = 100
_INFLATE_STEP = 64 * 1024
_PARTS_AT_ONCE = 100
"""After so many parts of a body, others have a turn."""
_GZIP = b"\x1f\x8b"
"""No JSON begins like this."""


class BodyTooLarge(Exception):
    """The body is larger than its limit, as sent or inflated."""


class BodyUnreadable(Exception):
    """The compressed body is broken or ends too early."""


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
        text = self.headers.get("retry-after", "")[:_LONGEST_DATE].strip()
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
    """Collect and inflate a body; BodyTooLarge above ``limit`` bytes, BodyUnreadable for bad data.

    The first bytes decide how it is compressed: proxies drop and invent the header ``encoding``. What does not look
    compressed is passed on as it is.
    """
    received = 0
    begun = b""
    inflater: _Inflater | None = None
    body = bytearray()
    parts = 0
    async for piece in pieces:
        received += len(piece)
        if received > limit:
            raise BodyTooLarge
        new = piece
        if len(begun) < len(_GZIP):
            begun += piece
            if len(begun) < len(_GZIP):
                continue
            new, inflater = begun, _inflater_for(begun, encoding.strip().lower())
        for part in (new,) if inflater is None else inflater.feed(new):
            parts += 1
            if parts % _PARTS_AT_ONCE == 0:  # thousands can have arrived at once, as chunks or members of a byte
                await asyncio.sleep(0)
            body += part
            if len(body) > limit:
                raise BodyTooLarge
    if inflater is not None and not inflater.is_complete:
        raise BodyUnreadable
    return bytes(body) if received >= len(_GZIP) else begun


def _inflater_for(begun: bytes, encoding: str) -> _Inflater | None:
    """Return what inflates a body that begins with these bytes; None for a plain one."""
    if begun.startswith(_GZIP):
        return _Inflater(zlib.MAX_WBITS | 16)
    if encoding != "deflate" or begun.lstrip()[:1] in (b"", b"{", b"["):
        return None
    # Some servers send bare deflate data, without the zlib header, under the same name.
    return _Inflater(zlib.MAX_WBITS if begun[0] & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS)


class _Inflater:
    """Inflates a stream of one or more compressed members in bounded steps; anything else behind them is padding."""

    def __init__(self, window_bits: int) -> None:
        self._window_bits = window_bits
        self._member = zlib.decompressobj(window_bits)
        self._behind = b""

    @property
    def is_complete(self) -> bool:
        """Whether the data so far ends at the end of a member, or in padding."""
        return self._member.eof

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the inflated piece in steps, so that a consumer can stop at its limit."""
        inflated = b""
        while piece or len(inflated) == _INFLATE_STEP:  # a full step can leave output without further input
            if self._member.eof:
                piece = self._behind + piece
                self._behind = piece[: len(_GZIP)]
                if self._behind != _GZIP:  # padding, or the first byte of a member whose second is still to come
                    return
                self._behind, self._member = b"", zlib.decompressobj(self._window_bits)
            try:
                inflated = self._member.decompress(piece, _INFLATE_STEP)
            except zlib.error:
                raise BodyUnreadable from None
            yield inflated
            piece = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
