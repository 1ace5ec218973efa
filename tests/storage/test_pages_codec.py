"""Answers survive being kept, to the last digit, without their secrets."""

import inspect
import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
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
from bot.storage.snapshot_codec import FORMAT, UnreadableAnswer, decode, decode_view, encode, encode_view
from tests.contracts.samples import ADAS_ACCOUNT, inventory_answer, trades_answer

T = TypeVar("T")

TEXT = st.text(st.characters(codec=None), max_size=12)  # half surrogate pairs and NUL included
NUMBER = st.integers(-(2**70), 2**70)
DECIMAL = st.decimals(allow_nan=False, allow_infinity=False)
MOMENT = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 -- Hypothesis adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 -- same
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)
STEAM_ID = st.integers(1, 2**32 - 1).map(SteamId.from_account_id)


def every_field(cls: type[T], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[T]:
    """Return instances with every field drawn: a field that is new in the domain is missed here at once."""
    assert list(fields) == list(inspect.signature(cls).parameters)
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
    """An inventory answer comes back equal, down to how its decimals are written."""
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
    """A trades answer comes back equal, but for the codes."""
    assert decode(encode(answer)) == answer.without_codes()


def test_many_items() -> None:
    """Items keep their number and order, and their provider, however many there are."""
    answer = inventory_answer()
    inventory = answer.answers[0].inventory
    assert inventory is not None
    many = replace(inventory, items=tuple(altered(inventory.items[0], id=str(n)) for n in range(1_003)))
    few = replace(inventory, provider=ProviderName.SKINSBACK)
    parts = (
        ProviderAnswer(ProviderName.ASSETPAY, inventory=many),
        answer.answers[1],
        ProviderAnswer(ProviderName.SKINSBACK, inventory=few),
    )

    assert decode(encode(replace(answer, answers=parts))) == replace(answer, answers=parts)


def test_what_comes_again() -> None:
    """A name or picture that comes again, of another item or at another provider, takes no room and comes back."""
    hashes = [f"{number:0>200}" for number in range(5)]
    items = tuple(
        Item(id=str(n), name=f"name {n % 3}", refusal=None, market_hash_name=f"name {n % 2}", icon_hash=hashes[n % 5])
        for n in range(2_500)
    )
    answer = inventory_answer()
    first = answer.answers[0].inventory
    assert first is not None
    parts = tuple(
        ProviderAnswer(name, inventory=replace(first, provider=name, items=items))
        for name in (ProviderName.ASSETPAY, ProviderName.SKINSBACK)
    )
    data = encode(replace(answer, answers=parts))

    assert decode(data) == replace(answer, answers=parts)
    assert [zlib.decompress(data[1:]).count(icon.encode()) for icon in hashes] == [1] * 5
    assert len(data) < 10 * len(items)


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def test_ten_thousand_items() -> None:
    """Ten thousand different items with the longest of pictures' hashes are small enough to be kept whole."""
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
            icon_hash="".join(random.choices(LETTERS, k=300)),
        )
        for _ in range(10_000)
    )
    answer = inventory_answer()
    first = answer.answers[0].inventory
    assert first is not None
    part = replace(answer.answers[0], inventory=replace(first, items=items))
    data = encode(replace(answer, answers=(part,)))

    assert len(data) < 4 * 1024 * 1024
    assert decode(data) == replace(answer, answers=(part,))


def test_lean() -> None:
    """A lean snapshot is without what only details show, and with everything else."""
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

    assert decode(encode(of(full), lean=True)) == of(
        altered(full, icon_hash=None, inspect_certificate=None, stickers=())
    )


@settings(max_examples=50)
@given(FILTER)
def test_view(view: InventoryFilter) -> None:
    """How a reader has sorted and narrowed comes back equal; nothing stays nothing."""
    assert decode_view(encode_view(view)) == view
    assert decode_view(encode_view(None)) is None


def test_trade_token_in_a_view() -> None:
    """A trade URL typed into the search is kept without its token."""
    url = "https://steamcommunity.com/tradeoffer/new/?partner=11&token=SeCrEt12"

    assert "SeCrEt12" not in str(encode_view(InventoryFilter(search=url)))


@pytest.mark.parametrize("text", ["", "null", "{}", "[]", '["a","by_mood",null,null]', '["a","relevance","much",null]'])
def test_unreadable_view(text: str) -> None:
    """A view that is not as it was written is named unreadable, and nothing else is raised."""
    with pytest.raises(UnreadableAnswer):
        decode_view(text)


def test_code() -> None:
    """A trade's code is nowhere in the bytes."""
    answer = replace(trades_answer(), trades=(replace(trades_answer().trades[0], code=TradeCode("ZQXJK")),))

    assert b"ZQXJK" not in zlib.decompress(encode(answer)[1:])


def test_trade_token_in_outside_words() -> None:
    """A trade URL in a provider's message or last error, or in a search, is kept without its token."""
    url = "https://steamcommunity.com/tradeoffer/new/?partner=11&token=SeCrEt12"
    failure = Failure(ProviderName.ASSETPAY, FailureKind.REFUSED, message=f"bad trade url {url}")
    inventories = replace(
        inventory_answer(),
        filter=InventoryFilter(search=url),
        answers=(ProviderAnswer(ProviderName.ASSETPAY, failure=failure),),
    )
    trades = replace(trades_answer(), trades=(replace(trades_answer().trades[0], last_error=url),))

    for answer in (inventories, trades):
        kept = decode(encode(answer))
        assert "SeCrEt12" not in repr(kept)
        assert "partner=11&token=••••" in repr(kept)


GOLDEN = {
    "inventory": (
        '["inventory",[76561197960265739,730,["karambit","price_desc","1","1E+3"],'
        '[["assetpay",["assetpay",76561197960265739,730,[],2,"2026-03-29T00:59:59.987000+00:00",null,true],null,null],'
        '["skinsback",null,["skinsback","throttled",null,null,null,429,null,9000000,null,null,13000000],"a1b2c3"]],800000000000000001]]\n'
        '[0,0,["31000000001","31000000002"]]\n[0,1,["★ Karambit | Doppler","Case"]]\n[0,2,[null,"no_offer"]]\n'
        '[0,3,[730,null]]\n[0,4,[null,null]]\n[0,5,[null,null]]\n[0,6,[null,null]]\n[0,7,[["812.50","USD"],null]]\n'
        '[0,8,[["700.1","EUR"],null]]\n[0,9,[null,null]]\n[0,10,[null,null]]\n[0,11,["0.0123456789012345",null]]\n'
        "[0,12,[null,null]]\n[0,13,[null,null]]\n[0,14,[null,null]]\n[0,15,[null,null]]\n[0,16,[null,null]]\n"
        '[0,17,[[["Crown (Foil)",2,"0.5"]],[]]]\n[0,18,[1,40]]\n[0,19,[null,10]]\n'
    ),
    "trades": (
        '["trades",["mannco","all",76561197960265739,76561197960265739,'
        '[["mannco",4812,76561197960265739,7,["31000000001"],[],76561197960265740,"5812345678",'
        '"2026-03-29T00:59:59.987000+00:00",null,"cancelled",440],'
        '["mannco",4813,76561197960265739,7,["31000000001"],[],76561197960265740,"5812345678",'
        '"2026-03-29T00:59:59.987000+00:00",null,"cancelled",440]],"2026-03-29T00:59:59.987000+00:00",true]]\n'
    ),
}
ANSWERS: dict[str, InventoryAnswer | TradesAnswer] = {
    "inventory": inventory_answer(),
    "trades": trades_answer().without_codes(),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_format(kind: str) -> None:
    """What is written stays what it is; where that has to change, so has ``FORMAT``."""
    data = encode(ANSWERS[kind])

    assert (data[0], FORMAT) == (2, 2)
    assert zlib.decompress(data[1:]).decode() == GOLDEN[kind]
    assert decode(data) == ANSWERS[kind]


def test_escaped() -> None:
    """Half a surrogate pair is no UTF-8: such a line, and any of a snapshot from before, is ASCII with escapes."""
    escaped = GOLDEN["inventory"].replace("★", "\\u2605")
    assert decode(_as_written(escaped)) == ANSWERS["inventory"]

    first = inventory_answer().answers[0]
    assert first.inventory is not None
    half = tuple(altered(item, name="\ud83d") for item in first.inventory.items)
    answer = replace(inventory_answer(), answers=(replace(first, inventory=replace(first.inventory, items=half)),))
    assert decode(encode(answer)) == answer


def _as_written(text: str) -> bytes:
    return bytes([FORMAT]) + zlib.compress(text.encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes([FORMAT]),
        bytes([FORMAT + 1]) + encode(ANSWERS["trades"])[1:],
        encode(ANSWERS["inventory"])[:-20],
        encode(ANSWERS["inventory"])[:30] + b"\0\0\0\0" + encode(ANSWERS["inventory"])[34:],
        _as_written(""),
        _as_written("null"),
        _as_written("{}"),
        _as_written('["inventory",[]]'),
        _as_written('["trades",{}]'),
        _as_written(GOLDEN["inventory"].replace('"karambit","price_desc"', '"karambit","by_mood"')),
        _as_written(GOLDEN["inventory"].replace("[0,0,[", "[7,0,[")),
        _as_written(GOLDEN["inventory"].replace("[0,19,[", "[0,20,[")),
        _as_written(GOLDEN["inventory"].replace("[0,19,[null,10]]\n", "")),
        _as_written(GOLDEN["inventory"].replace("[0,4,[null,null]]", "[0,4,[null,7]]")),
        _as_written(GOLDEN["inventory"].replace('"812.50"', '"much"')),
        _as_written(json.dumps(["trades", [None] * 7])),
    ],
)
def test_unreadable(data: bytes) -> None:
    """Bytes of another format, cut off, damaged or made up are named unreadable, and nothing else is raised."""
    with pytest.raises(UnreadableAnswer):
        decode(data)


def test_owner() -> None:
    """A number that is no SteamID is damage like any other."""
    with pytest.raises(UnreadableAnswer):
        decode(_as_written(GOLDEN["trades"].replace(str(ADAS_ACCOUNT), "17")))
