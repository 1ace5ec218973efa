"""Collects the body of an answer: undoes its compression piece by piece, never beyond a bound."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCEPT_ENCODING = "gzip, deflate"
"""The compressions :class:`Body` undoes, as the request header says it."""

_STEP = 64 * 1024
"""As much is inflated at a time, in bytes."""


class BodyTooLarge(Exception):
    """The body is larger than its bound, as sent or inflated."""


class BodyUnreadable(Exception):
    """The body is compressed in a way that was not asked for, is broken, or ends too early."""


class Body:
    """One answer's body. ``limit`` is its bound in bytes, both compressed and inflated."""

    def __init__(self, encoding: str, *, limit: int) -> None:
        self._limit = limit
        self._received = 0
        self._data = bytearray()
        self._inflate = _inflation(encoding)

    def feed(self, piece: bytes) -> None:
        """Take the next piece as it came; BodyTooLarge where the bound is passed, BodyUnreadable for bad data."""
        self._received += len(piece)
        if self._received > self._limit:
            raise BodyTooLarge
        for part in (piece,) if self._inflate is None else self._inflate.feed(piece):
            # What is beyond the bound is never inflated.
            self._data += part
            if len(self._data) > self._limit:
                raise BodyTooLarge

    def whole(self) -> bytes:
        """Return the body after its last piece; BodyUnreadable where compressed data ended too early."""
        if self._inflate is not None and self._received and not self._inflate.is_complete:
            raise BodyUnreadable
        return bytes(self._data)


class _Inflation:
    """Bounded inflation of a stream of one or more compressed members."""

    def __init__(self, new_member: Callable[[bytes], zlib._Decompress]) -> None:
        self._new_member = new_member
        self._member: zlib._Decompress | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the data so far ends where a member ends."""
        return self._member is not None and self._member.eof

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield what ``piece`` inflates to in steps: one of all of it would be in memory several times."""
        inflated = b""
        while piece or len(inflated) == _STEP:  # a full step can leave something to come without further input
            if self._member is None or self._member.eof:
                if not piece:
                    return
                self._member = self._new_member(piece)
            try:
                inflated = self._member.decompress(piece, _STEP)
            except zlib.error:
                raise BodyUnreadable from None
            yield inflated
            piece = self._member.unused_data if self._member.eof else self._member.unconsumed_tail


def _inflation(encoding: str) -> _Inflation | None:
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return _Inflation(lambda _: zlib.decompressobj(zlib.MAX_WBITS | 16))
        case "deflate":
            return _Inflation(_deflate)
        case _:
            raise BodyUnreadable


def _deflate(start: bytes) -> zlib._Decompress:
    """Return a reader for zlib data, or for the bare deflate data that some servers send under the same name."""
    has_zlib_header = start[0] & 0x0F == zlib.DEFLATED
    return zlib.decompressobj(zlib.MAX_WBITS if has_zlib_header else -zlib.MAX_WBITS)
