"""Stored answers come back equal, to the last digit, without their secrets."""

import inspect
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as altered

from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.inventory import Inventory, InventoryFilter, Item, Money, Refusal, Sort, Sticker
from bot.domain.secrets import TradeCode
from bot.domain.snapshots import InventoryAnswer, ProviderAnswer, TradesAnswer
from bot.domain.steam import Game, SteamId
from bot.domain.trades import Scope, Trade
from bot.storage.snapshots import decode, encode, pack
from tests.contracts.samples import inventory_answer, trades_answer

LEAN = partial(pack, lean=True)

T = TypeVar("T")

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
NUMBER = st.integers(-(2**63), 2**63 - 1)
DECIMAL = st.decimals(allow_nan=False, allow_infinity=False)
MOMENT = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 -- Hypothesis adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 -- same
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)
STEAM_ID = st.integers(1, 2**32 - 1).map(SteamId.from_account_id)


def every_field(cls: type[T], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[T]:
    """Return instances with every field drawn; a new field of the domain fails here."""
    assert fields.keys() == inspect.signature(cls).parameters.keys()
    return st.builds(cls, **fields)


def maybe(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | strategy


def some(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(strategy, max_size=3).map(tuple)


MONEY = every_field(Money, amount=DECIMAL, currency=TEXT)
STICKER = every_field(Sticker, name=TEXT, slot=maybe(NUMBER), wear=maybe(DECIMAL))
ITEM = every_field(
    Item,
    id=TEXT,
    name=TEXT,
    refusal=maybe(st.sampled_from(Refusal)),
    app_id=maybe(NUMBER),
    market_hash_name=maybe(TEXT),
    kind=maybe(TEXT),
    tradable=maybe(st.booleans()),
    offer=maybe(MONEY),
    local_offer=maybe(MONEY),
    market_price=maybe(MONEY),
    exterior=maybe(TEXT),
    wear=maybe(DECIMAL),
    rarity=maybe(TEXT),
    colour=maybe(NUMBER),
    paint_seed=maybe(NUMBER),
    inspect_certificate=maybe(TEXT),
    icon_hash=maybe(TEXT),
    stickers=some(STICKER),
    amount=NUMBER,
    max_amount=maybe(NUMBER),
)
INVENTORY = every_field(
    Inventory,
    provider=st.sampled_from(ProviderName),
    owner=STEAM_ID,
    game=st.sampled_from(Game),
    items=some(ITEM),
    total=NUMBER,
    updated_at=MOMENT,
    collateral=maybe(MONEY),
    owner_certain=st.booleans(),
)
FAILURE = every_field(
    Failure,
    provider=st.sampled_from(ProviderName),
    kind=st.sampled_from(FailureKind),
    code=maybe(NUMBER),
    key=maybe(TEXT),
    message=maybe(TEXT),
    http_status=maybe(NUMBER),
    request_id=maybe(TEXT),
    retry_after=maybe(st.timedeltas()),
    place=maybe(TEXT),
    method=maybe(TEXT),
    took=maybe(st.timedeltas()),
)
FILTER = every_field(
    InventoryFilter,
    search=maybe(TEXT),
    sort=st.sampled_from(Sort),
    min_price=maybe(DECIMAL),
    max_price=maybe(DECIMAL),
)
PROVIDER_ANSWER = every_field(
    ProviderAnswer,
    provider=st.sampled_from(ProviderName),
    inventory=maybe(INVENTORY),
    failure=maybe(FAILURE),
    reference=maybe(TEXT),
)
INVENTORY_ANSWER = every_field(
    InventoryAnswer,
    owner=STEAM_ID,
    game=st.sampled_from(Game),
    filter=FILTER,
    answers=some(PROVIDER_ANSWER),
    linked_user_id=maybe(NUMBER),
)
TRADE = every_field(
    Trade,
    provider=st.sampled_from(ProviderName),
    id=NUMBER,
    owner=STEAM_ID,
    status=NUMBER,
    items_send=some(TEXT),
    items_received=some(TEXT),
    bot=maybe(STEAM_ID),
    offer_id=TEXT,
    created_at=maybe(MOMENT),
    code=maybe(TEXT.map(TradeCode)),
    last_error=TEXT,
    game=maybe(st.sampled_from(Game)),
)
TRADES_ANSWER = every_field(
    TradesAnswer,
    provider=st.sampled_from(ProviderName),
    scope=st.sampled_from(Scope),
    steam_id=maybe(STEAM_ID),
    viewer=maybe(STEAM_ID),
    trades=some(TRADE),
    read_at=MOMENT,
    window_full=st.booleans(),
)


@settings(max_examples=100)
@given(INVENTORY_ANSWER)
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
@given(TRADES_ANSWER)
def test_trades(answer: TradesAnswer) -> None:
    """A trades answer comes back equal, without the codes."""
    assert decode(encode(answer)) == answer.without_codes()


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
    assert len(encode(answer)) - len(encode(answer, packed=LEAN)) < 200_000


def test_lean() -> None:
    """A lean answer lacks only the data of an item's details."""
    facts: dict[str, Any] = {
        "icon_hash": "HASH",
        "inspect_certificate": "CERT",
        "exterior": "Field-Tested",
        "paint_seed": 3,
    }
    full = Item(id="1", name="AK-47", refusal=None, stickers=(Sticker("Crown"),), **facts)
    answer = inventory_answer()
    first = answer.answers[0].inventory
    assert first is not None

    def of(item: Item) -> InventoryAnswer:
        part = replace(answer.answers[0], inventory=replace(first, items=(item,)))
        return replace(answer, answers=(part,))

    assert decode(encode(of(full), packed=LEAN)) == of(
        altered(full, icon_hash=None, inspect_certificate=None, stickers=())
    )


def test_trade_code() -> None:
    """A trade's code is nowhere in the bytes."""
    answer = replace(trades_answer(), trades=(replace(trades_answer().trades[0], code=TradeCode("ZQXJK")),))

    assert b"ZQXJK" not in zlib.decompress(encode(answer)[2:])


def test_trade_token_in_outside_text() -> None:
    """A trade URL in a provider's message or last error, or in a search, is stored without its token."""
    url = "https://steamcommunity.com/tradeoffer/new/?partner=11&token=SeCrEt12"
    failure = Failure(ProviderName.ASSETPAY, FailureKind.REFUSED, message=f"bad trade url {url}")
    inventories = replace(
        inventory_answer(),
        filter=InventoryFilter(search=url),
        answers=(ProviderAnswer(ProviderName.ASSETPAY, failure=failure),),
    )
    trades = replace(trades_answer(), trades=(replace(trades_answer().trades[0], last_error=url),))

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
