"""Retry-After is read, and bodies are inflated within their limit."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.failures import FailureKind, ProviderName
from bot.providers.response import BodyTooLarge, BodyUnreadable, Response, read_body

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "wait"),
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
        ("Mon, 99 Jun 2026 99:99:99 GMT", None),
        ("٣", None),
    ],
)
def test_retry_after(header, wait):
    """Seconds and dates count, at most an hour; anything else is ignored."""
    response = Response(ProviderName.MANNCO, 429, {"retry-after": header}, b"", NOW)

    assert response.failure(FailureKind.THROTTLED).failure.retry_after == wait


PLAIN = b'{"success": true}' * 50


async def pieces_of(sent: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(sent), size):
        yield sent[start : start + size]


def bare_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("", PLAIN),
        ("identity", PLAIN),
        ("GZIP", gzip.compress(PLAIN)),
        ("x-gzip", gzip.compress(PLAIN)),
        ("gzip", gzip.compress(PLAIN[:100]) + gzip.compress(PLAIN[100:])),
        ("deflate", zlib.compress(PLAIN)),
        ("deflate", bare_deflate(PLAIN)),
        ("gzip", b""),
        ("gzip", gzip.compress(PLAIN) + bytes(70_000)),
        ("gzip", gzip.compress(PLAIN[:100]) + gzip.compress(PLAIN[100:]) + b"tail"),
        ("deflate", zlib.compress(PLAIN) + b"tail"),
        ("gzip", PLAIN),
        ("deflate", PLAIN),
        ("br", PLAIN),
        ("gzip, gzip", PLAIN),
        ("utf-8", gzip.compress(PLAIN)),
        ("", gzip.compress(PLAIN)),
        ("deflate", gzip.compress(PLAIN)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # gzip's bytes contain the time
)
@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_encodings(encoding, sent, size):
    """A body is the same however it is compressed, labelled, padded and cut into pieces."""
    expected = PLAIN if sent else b""

    assert await read_body(pieces_of(sent, size), encoding, limit=100_000) == expected


@pytest.mark.parametrize("size", [64 * 1024 + 1, 64 * 1024 + 200, 128 * 1024 + 7])
async def test_output_between_steps(size):
    """Output that inflation holds back after the last byte is part of the body."""
    sent = bare_deflate(bytes(size))

    assert await read_body(pieces_of(sent, len(sent)), "deflate", limit=size) == bytes(size)


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("gzip", gzip.compress(PLAIN)[:-9]),
        ("gzip", gzip.compress(PLAIN) + gzip.compress(PLAIN)[:-9]),
        ("gzip", gzip.compress(PLAIN)[:2]),
        ("deflate", b"<html>"),
    ],
    ids=["cut", "second-cut", "begun", "no-deflate"],
)
async def test_unreadable_body(encoding, sent):
    """Broken or cut data is refused."""
    with pytest.raises(BodyUnreadable):
        await read_body(pieces_of(sent, 1_000), encoding, limit=10_000)


@pytest.mark.parametrize("sent", [b"", b"{", b"{}", b"<html>", bytes(range(256))])
async def test_plain(sent):
    """A body that does not look compressed is passed on as it is, with any header."""
    assert await read_body(pieces_of(sent, 1_000), "br", limit=10_000) == sent


async def test_limit():
    """A body may have as many bytes as the limit, and not one more."""
    assert await read_body(pieces_of(b"0123456789", 5), "", limit=10) == b"0123456789"
    with pytest.raises(BodyTooLarge):
        await read_body(pieces_of(b"0123456789!", 5), "", limit=10)


@pytest.mark.parametrize(
    ("sent", "size"),
    [(PLAIN * 10, 1), (gzip.compress(b"") * 3_000 + gzip.compress(PLAIN), 2**16)],
    ids=["chunks", "members"],
)
async def test_thousands_of_parts(sent: bytes, size: int) -> None:
    """A body of tiny chunks or members that are all there at once leaves turns to others."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    watching = asyncio.create_task(others())
    await read_body(pieces_of(sent, size), "", limit=2**20)
    watching.cancel()

    assert turns >= 20
