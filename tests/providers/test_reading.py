"""Reading is tolerant of what is missing, exact about numbers, and names places without quoting."""

import gc
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from bot.domain.failures import Dialect
from bot.domain.secrets import Secret
from bot.providers.assetpay_answers import PageReader
from bot.providers.reading import MAX_NESTING, Fields, Unreadable, masked, parse_json, plain_number


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html><title>Just a moment...</title>",
        b'{"a": 1',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b"1" * 5_000,
        b'{"a": ' + b"1" * 5_000 + b"}",
        b'{"a": 1e99999999999999999999}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 201 + b"1" + b"}" * 201,
        b'[{"a":' * 500 + b"1" + b"}]" * 500,
        b"\xff\xfe\x00",
        '{"a": "x"}'.encode("utf-16"),
        b'"\x80"',
    ],
)
@pytest.mark.parametrize("yield_gil", [False, True])
def test_no_json(body, yield_gil):
    """A body that is no JSON, or JSON made to break its reader, is unreadable."""
    with pytest.raises(Unreadable, match=r"^body$"):
        parse_json(body, yield_gil=yield_gil)


@pytest.mark.parametrize("yield_gil", [False, True])
def test_nested(yield_gil):
    """Nesting is read to the depth that pydantic reads, whatever stack this Python has."""
    deepest = b"[" * MAX_NESTING + b"1" + b"]" * MAX_NESTING
    deeper = b"[" + deepest + b"]"

    assert parse_json(deepest, yield_gil=yield_gil) == from_json(deepest)
    with pytest.raises(ValueError, match="recursion limit"):
        from_json(deeper)
    with pytest.raises(Unreadable):
        parse_json(deeper, yield_gil=yield_gil)


def test_exact_fractions():
    """Amounts are exact, not the nearest float; of a repeated name the last counts."""
    assert str(parse_json(b'{"a": 0.10, "b": 1, "b": 2.5}')) == str({"a": Decimal("0.10"), "b": Decimal("2.5")})


def test_byte_order_mark():
    """A byte order mark before the JSON does no harm."""
    assert parse_json(b"\xef\xbb\xbf{}") == {}


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (Decimal("-0.0"), Decimal(0)),
        (1, Decimal(1)),
        (Decimal("10.75"), Decimal("10.75")),
        ("10.75", Decimal("10.75")),
        (Decimal("1E+3"), Decimal(1000)),
        ("12345678901.123456789012345678901", Decimal("12345678901.123456789012345678901")),
        (None, None),
    ],
)
def test_number(value, number):
    """Numbers come as numbers or as plain decimal texts, and are never rounded."""
    read_number = plain_number(value)

    assert read_number == number
    assert "E" not in str(read_number)


@pytest.mark.parametrize(
    "value", [True, "", "NaN", "1e5", " 1", "1,5", "٣", [], {}, Decimal("1e999999"), Decimal("1e-999999"), 10**30]
)
def test_no_number(value):
    """A number beyond human size is none: with an exponent it could print as gigabytes."""
    assert plain_number(value) is None


def test_optional():
    """An optional field of the wrong type counts as missing, and its place is noted."""
    noted: list[str] = []
    fields = Fields({"a": [], "b": "x", "c": -1, "d": {}, "e": None}, "data", note=noted.append)

    read_fields = (fields.text("a", optional=True), fields.integer("b", optional=True), fields.optional_id("d"))
    assert read_fields == (None, None, "")
    assert (fields.integer("c", least=0, optional=True), fields.truth("d", optional=True)) == (None, None)
    assert (fields.text("e", optional=True), fields.optional_id("e")) == (None, "")
    assert noted == ["data.a", "data.b", "data.d", "data.c", "data.d"]


def test_fields():
    """Missing and null are None, zero and one are booleans, ids may be integers, whole decimals are integers."""
    fields = Fields({"null": None, "one": 1, "zero": 0, "true": True, "blank": " ", "whole": Decimal("5.0")}, "data")

    assert fields.text("missing") is None
    assert (fields.truth("one"), fields.truth("zero"), fields.truth("true")) == (True, False, True)
    assert fields.text("blank") is None
    assert fields.id("one") == "1"
    assert fields.integer("whole") == 5


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("text", 5),
        ("id", None),
        ("id", " "),
        ("id", True),
        ("id", "x" * 1_001),
        ("truth", "yes"),
        ("integer", Decimal("1.5")),
        ("integer", 2**63),
        ("part", []),
        ("need", None),
    ],
)
def test_wrong_type(method, value):
    """A fact of the wrong type is unreadable, at its place."""
    with pytest.raises(Unreadable, match=r"^data\.field$"):
        getattr(Fields({"field": value}, "data"), method)("field")


def test_lone_surrogate():
    """Half a character, which JSON can write and UTF-8 cannot, becomes a question mark."""
    assert Fields(parse_json(rb'{"a": "x\ud800"}')).text("a") == "x?"


def test_long_text():
    """A text is cut to the maximum."""
    assert len(Fields({"a": "x" * 5_000}).text("a") or "") == 1_000


def test_masked_message():
    """Secrets in a provider's message are masked."""
    said = "Bad tradeUrl https://steamcommunity.com/tradeoffer/new/?partner=1&token=TOKENAAA for ap_key and TOKENBBB"

    message = masked(said, (Secret("ap_key"), Secret("TOKENBBB"), Secret("")))

    assert message is not None
    assert "Bad tradeUrl" in message
    assert not any(secret in message for secret in ("TOKENAAA", "ap_key", "TOKENBBB"))
    assert len(masked("x" * 10_000) or "") == 500


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(
    st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20), st.data()
)
def test_both_parsers(value: object, data: st.DataObject):
    """Both parsers read the same, even if a byte is changed."""
    body = bytearray(json.dumps(value, ensure_ascii=data.draw(st.booleans())).encode("utf-8", "surrogatepass"))
    if body and data.draw(st.booleans()):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    read_by = []
    for yield_gil in (False, True):
        try:
            read_by.append(repr(parse_json(bytes(body), yield_gil=yield_gil)))
        except Unreadable:
            read_by.append("unreadable")

    assert read_by[0] == read_by[1]


def test_items_are_not_tracked():
    """The garbage collector does not track items: a pass over hundreds of thousands held up the event loop."""
    sticker = {"name": "Crown (Foil)", "slot": 0, "wear": 0.5}
    entry = {"id": "1", "name": "AK-47", "offer": {"price": 1.25, "accepted": True}, "stickers": [sticker]}
    body = json.dumps({"success": True, "data": {"inventory": [entry]}}).encode()
    (item,) = PageReader(Dialect.ASSETPAY).whole(body).items

    assert not any(map(gc.is_tracked, (item, item.offer, *item.stickers)))
