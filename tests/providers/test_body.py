"""Bodies are inflated piece by piece and never beyond their bound."""

import gzip
import tracemalloc
import zlib

import pytest

from bot.providers.body import Body, BodyTooLarge, BodyUnreadable

PLAIN = b'{"success": true}' * 50


def bare_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("", PLAIN),
        ("identity", PLAIN),
        ("gzip", gzip.compress(PLAIN)),
        ("GZIP", gzip.compress(PLAIN)),
        ("x-gzip", gzip.compress(PLAIN)),
        ("gzip", gzip.compress(PLAIN[:100]) + gzip.compress(PLAIN[100:])),
        ("deflate", zlib.compress(PLAIN)),
        ("deflate", bare_deflate(PLAIN)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # gzip's bytes hold the time
)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_encodings(encoding, sent, size):
    """A body is the same however it was compressed and cut into pieces."""
    body = Body(encoding, limit=len(PLAIN))
    for start in range(0, len(sent), size):
        body.feed(sent[start : start + size])

    assert body.whole() == PLAIN


def test_empty_with_encoding():
    """An answer without a body may still name an encoding."""
    assert Body("gzip", limit=10).whole() == b""


@pytest.mark.parametrize(
    "sent", [b"not gzip at all", gzip.compress(PLAIN)[:-9], gzip.compress(PLAIN) + b"tail"], ids=["no", "cut", "tail"]
)
def test_broken_compression(sent):
    """Compressed data that is broken or cut is refused, not half a body."""
    body = Body("gzip", limit=10_000)

    def read_all():
        body.feed(sent)
        body.whole()

    with pytest.raises(BodyUnreadable):
        read_all()


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
def test_unasked_encoding(encoding):
    """An encoding that was not asked for is refused."""
    with pytest.raises(BodyUnreadable):
        Body(encoding, limit=10)


def test_one_byte_too_much():
    """The bound itself is allowed, one byte more is not."""
    body = Body("", limit=10)
    body.feed(b"0123456789")

    with pytest.raises(BodyTooLarge):
        body.feed(b"!")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_bomb(encoding):
    """A bomb of 64 MB costs no more memory than its bound."""
    compressor = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16 if encoding == "gzip" else zlib.MAX_WBITS)
    bomb = b"".join(compressor.compress(bytes(2**20)) for _ in range(64)) + compressor.flush()
    body = Body(encoding, limit=2**20)
    tracemalloc.start()

    with pytest.raises(BodyTooLarge):
        body.feed(bomb)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20
