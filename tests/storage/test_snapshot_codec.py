"""Stored answers come back equal, to the last digit, without their secrets."""

import inspect
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import partial
from random import Random
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as altered

from bot.domain.failures import Failure, FailureKind, Party, ProviderName, TradeUrlCheck
from bot.domain.inventory import InventoryFilter, Item
from bot.domain.money import Money
from bot.domain.secrets import TradeCode
from bot.domain.snapshots import InventoryAnswer, ProviderAnswer, TradesAnswer, TradesPart
from bot.domain.steam import SteamId
from bot.storage.snapshots import decode, encode, pack
from tests.contracts.samples import inventory_answer, trades_answer
from tests.domain import builders

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
SIMPLE: dict[object, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
    type(None): st.none(),
    timedelta: st.timedeltas(),
    datetime: st.datetimes(
        min_value=datetime(1990, 1, 1),  # noqa: DTZ001 -- Hypothesis adds the zone
        max_value=datetime(2100, 1, 1),  # noqa: DTZ001 -- same
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
    ),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    SteamId: st.integers(1, 2**32 - 1).map(SteamId.from_account_id),
    TradeCode: TEXT.map(TradeCode),
    ProviderName | Party: st.sampled_from(ProviderName),  # no answer is Steam's
}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Return values of a type. Every field of a class is drawn, also one that the domain adds later."""
    if kind in SIMPLE:
        return SIMPLE[kind]
    if get_origin(kind) is UnionType:
        return st.one_of(*map(values_of, get_args(kind)))
    if get_origin(kind) is tuple:
        first, second = get_args(kind)
        listed = second is Ellipsis
        return (
            st.lists(values_of(first), max_size=3).map(tuple) if listed else st.tuples(*map(values_of, (first, second)))
        )
    if get_origin(kind) is dict:
        return st.dictionaries(*map(values_of, get_args(kind)), max_size=3)
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    hints = get_type_hints(kind)
    return st.builds(kind, **{name: values_of(hints[name]) for name in inspect.signature(kind).parameters})


@settings(max_examples=100)
@given(values_of(InventoryAnswer))
def test_inventory(answer: InventoryAnswer) -> None:
    """An inventory answer comes back equal, with the same spelling of its decimals."""
    again = decode(encode(answer))

    assert isinstance(again, InventoryAnswer)
    assert again == answer
    assert [part.failure and part.failure.took for part in again.answers] == [
        part.failure and part.failure.took for part in answer.answers
    ]
    assert _written_amounts(again) == _written_amounts(answer)


def _written_amounts(answer: InventoryAnswer | TradesAnswer) -> list[str]:
    assert isinstance(answer, InventoryAnswer)
    items = [item for part in answer.answers if part.inventory is not None for item in part.inventory.items]
    return [str(item.offer.amount) for item in items if item.offer is not None]


@settings(max_examples=100)
@given(values_of(TradesAnswer))
def test_trades(answer: TradesAnswer) -> None:
    """A trades answer comes back equal, without the codes."""
    assert decode(encode(answer)) == builders.without_codes(answer)


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def many(count: int, icons: Sequence[str]) -> InventoryAnswer:
    """Return an answer with different items, whose pictures repeat if there are fewer of them."""
    random = Random(7)  # noqa: S311 -- test data
    items = tuple(
        Item(
            id=str(UUID(int=random.getrandbits(128))),
            name=f"AK-47 | Finish {random.randrange(700)}",
            refusal=None,
            app_id=730,
            market_hash_name=f"AK-47 | Finish {random.randrange(700)} (Field-Tested)",
            offer=Money(Decimal(random.randrange(100_000)) / 100),
            market_price=Money(Decimal(random.randrange(100_000)) / 100),
            wear=Decimal(random.randrange(10**15)) / 10**15,
            paint_seed=random.randrange(1000),
            inspect_certificate=f"S76561198083722517A{random.randrange(10**11)}D{random.randrange(10**19)}",
            icon_hash=icons[number % len(icons)],
        )
        for number in range(count)
    )
    answer = inventory_answer()
    first = answer.answers[0].inventory
    assert first is not None
    parts = tuple(
        ProviderAnswer(name, inventory=replace(first, provider=name, items=items))
        for name in (ProviderName.ASSETPAY, ProviderName.SKINSBACK)
    )
    return replace(answer, answers=parts)


def icons(count: int) -> list[str]:
    random = Random(8)  # noqa: S311 -- test data
    return ["".join(random.choices(LETTERS, k=300)) for _ in range(count)]


def test_ten_thousand_items() -> None:
    """Ten thousand items with pictures of their own, of two providers, are small enough to be stored whole."""
    answer = many(5_000, icons(5_000))
    data = encode(answer)

    assert len(data) < 4 * 1024 * 1024
    assert decode(data) == answer


def test_repeated_pictures() -> None:
    """A picture that repeats in an inventory takes no room."""
    answer = many(2_500, icons(5))

    assert decode(encode(answer)) == answer
    assert len(encode(answer)) - len(encode(answer, packed=partial(pack, lean=True))) < 200_000


def test_trade_code() -> None:
    """A trade's code is nowhere in the bytes."""
    answer = replace(trades_answer(), trades=(altered(trades_answer().trades[0], code=TradeCode("ZQXJK")),))

    assert b"ZQXJK" not in zlib.decompress(encode(answer)[2:])


def test_check_of_a_trade_url() -> None:
    """A failure keeps what the check of the trade URL found; it does not count when failures are compared."""
    found = TradeUrlCheck("4", (("escrowDays", "7"),))
    failure = Failure(ProviderName.ASSETPAY, FailureKind.REFUSED, code=7, trade_url_check=found)
    inventories = replace(inventory_answer(), answers=(ProviderAnswer(ProviderName.ASSETPAY, failure=failure),))
    trades = replace(trades_answer(), parts=(TradesPart(ProviderName.ASSETPAY, failure=failure),))

    for answer in (inventories, trades):
        stored = decode(encode(answer))
        (part,) = stored.answers if isinstance(stored, InventoryAnswer) else stored.parts
        assert part.failure is not None
        assert part.failure.trade_url_check == found


def test_trade_token_in_outside_text() -> None:
    """A trade URL in a provider's message or last error, or in a search, is stored without its token."""
    url = "https://steamcommunity.com/tradeoffer/new/?partner=11&token=SeCrEt12"
    failure = Failure(ProviderName.ASSETPAY, FailureKind.REFUSED, message=f"bad trade url {url}")
    inventories = replace(
        inventory_answer(),
        filter=InventoryFilter(search=url),
        answers=(ProviderAnswer(ProviderName.ASSETPAY, failure=failure),),
    )
    trades = replace(trades_answer(), trades=(altered(trades_answer().trades[0], last_error=url),))

    for answer in (inventories, trades):
        stored = decode(encode(answer))
        assert "SeCrEt12" not in repr(stored)
        assert "partner=11&token=••••" in repr(stored)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02" + encode(trades_answer())[1:],
        encode(inventory_answer())[:-20],
        encode(inventory_answer())[:30] + b"\0\0\0\0" + encode(inventory_answer())[34:],
        encode(inventory_answer())[:2] + encode(trades_answer())[2:],
        encode(trades_answer())[:2] + zlib.compress(b"\x80"),
    ],
)
def test_unreadable(data: bytes) -> None:
    """Bytes of another format, cut off, damaged or made up are refused."""
    with pytest.raises((ValueError, zlib.error)):
        decode(data)


def test_many_trades() -> None:
    """Trades are encoded in pieces, and come back in order."""
    (one, *_) = trades_answer().trades
    answer = replace(trades_answer(), trades=tuple(altered(one, id=str(number), code=None) for number in range(2_001)))

    assert decode(encode(answer)) == answer
